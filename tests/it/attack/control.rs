//! Requests that must pass. If one of them is rejected, the attacks that resemble it prove nothing.

use serde_json::{Value, json};
use tower_cognito_local::UserPool;

use super::{Case, USER, claims, signed, with};
use crate::support::{bearer, header};

pub(super) fn all(pool: &UserPool) -> Vec<Case> {
    let good = pool.token(USER).scope("profile").sign();
    let mut cases = vec![
        Case::control("an access token", bearer(&good)),
        Case::control("an ID token", bearer(&pool.id_token(USER).sign())),
        Case::control("a header and payload made here", built(pool, &claims(pool))),
        Case::control("a group", bearer(&pool.token(USER).group("admin").sign())).at("/api/admin"),
        Case::control("no policy at the route", bearer(&pool.token(USER).sign())).at("/api/me"),
        Case::control("an open route without a token", "").at("/public"),
        Case::control("an open route with a bad token", bearer("x")).at("/public"),
        Case::control("HEAD", bearer(&good)).method("HEAD"),
        Case::control("spaces after the scheme", bearer(&format!("  {good}"))),
        Case::control("a trailing space", bearer(&format!("{good} "))),
    ];
    for scheme in ["bearer", "BEARER", "bEaReR"] {
        let line = format!("Authorization: {scheme} {good}\r\n");
        cases.push(Case::control(format!("scheme {scheme}"), line));
    }
    let now = &claims(pool)["iat"];
    let mut claim = |name: &str, value: Value| {
        let lines = built(pool, &with(claims(pool), name, value.clone()));
        cases.push(Case::control(format!("{name} is {value}"), lines));
    };
    claim("nbf", now.clone());
    claim("scope", json!("openid profile"));
    claim("cognito:groups", json!([]));
    claim("x", json!({ "a": [[1]], "b": [[1]] }));
    for permissions in [
        json!(["write:all"]),
        json!("write:all"),
        json!("read:all write:all"),
        json!("[\"write:all\"]"),
        json!("[\"write:all\"] "),
    ] {
        let lines = built(pool, &with(claims(pool), "custom:permissions", permissions.clone()));
        let case = Case::control(format!("permissions {permissions}"), lines);
        cases.push(case.at("/api/admin"));
    }
    cases
}

fn built(pool: &UserPool, payload: &Value) -> Vec<u8> {
    bearer(&signed(pool, &header(pool), payload))
}
