//! Claims that are missing, of the wrong type, or meant for another service.

use serde_json::{Value, json};
use tower_cognito::TokenUse;
use tower_cognito_local::UserPool;

use super::{ANY_CODE, Case, USER, claims, signed, with, without};
use crate::support::header;

pub(super) fn wrong_types(pool: &UserPool) -> Vec<Case> {
    let values = [
        Value::Null,
        json!(true),
        json!(false),
        json!(-1),
        json!(1.5),
        json!(1),
        json!("text"),
        json!(""),
        json!([]),
        json!(["a"]),
        json!([1]),
        json!([["a"]]),
        json!({}),
        json!({ "a": 1 }),
    ];
    let text = |value: &Value| value.is_string();
    let number = |value: &Value| value.is_u64();
    let list =
        |value: &Value| value.as_array().is_some_and(|array| array.iter().all(Value::is_string));
    let access = claims(pool);
    let id = pool.id_token(USER).payload();
    let id_header = json!({ "kid": pool.key_id(TokenUse::Access), "alg": "RS256" });
    let mut cases = Vec::new();
    for value in &values {
        for name in ["exp", "nbf", "iat", "auth_time"] {
            if !number(value) {
                cases.push((name, access.clone(), value, "invalid_claim"));
            }
        }
        for name in ["sub", "token_use", "client_id", "scope", "username"] {
            if !text(value) {
                cases.push((name, access.clone(), value, "invalid_claim"));
            }
        }
        for name in ["aud", "cognito:username"] {
            if !text(value) {
                cases.push((name, id.clone(), value, "invalid_claim"));
            }
        }
        if !list(value) {
            cases.push(("cognito:groups", access.clone(), value, "invalid_claim"));
            cases.push(("cognito:groups", id.clone(), value, "invalid_claim"));
        }
        cases.push(("iss", access.clone(), value, "untrusted_issuer"));
    }
    cases
        .into_iter()
        .map(|(name, payload, value, code)| {
            let use_of = payload["token_use"].as_str().unwrap().to_owned();
            let token = signed(pool, &id_header, &with(payload, name, value.clone()));
            Case::token(format!("{name} is {value} ({use_of} token)"), &token, 401, code)
        })
        .collect()
}

pub(super) fn times(pool: &UserPool) -> Vec<Case> {
    let good = claims(pool);
    let now = good["iat"].as_u64().unwrap();
    let mut cases = Vec::new();
    let mut case = |name: &str, claim: &str, value: Value, code| {
        let token = signed(pool, &header(pool), &with(good.clone(), claim, value));
        cases.push(Case::token(name, &token, 401, code));
    };
    case("exp now", "exp", json!(now), "token_expired");
    case("exp a second ago", "exp", json!(now - 1), "token_expired");
    case("exp a day ago", "exp", json!(now - 86_400), "token_expired");
    case("exp 0", "exp", json!(0), "token_expired");
    case("exp of the year 10000", "exp", json!(253_402_300_800_u64), "invalid_claim");
    case("exp in milliseconds", "exp", json!((now + 3600) * 1000), "invalid_claim");
    case("exp 2^53", "exp", json!(1_u64 << 53), "invalid_claim");
    case("exp 2^63", "exp", json!(1_u64 << 63), "invalid_claim");
    case("exp 2^64 - 1", "exp", json!(u64::MAX), "invalid_claim");
    case("exp a fraction", "exp", json!((now + 3600) as f64 + 0.5), "invalid_claim");
    case("exp in a string", "exp", json!((now + 3600).to_string()), "invalid_claim");
    case("nbf in an hour", "nbf", json!(now + 3600), "token_not_yet_valid");
    case("nbf in a minute", "nbf", json!(now + 60), "token_not_yet_valid");
    case("iat in an hour", "iat", json!(now + 3600), "token_not_yet_valid");
    case("iat in a minute", "iat", json!(now + 60), "token_not_yet_valid");
    case("iat 2^64 - 1", "iat", json!(u64::MAX), "invalid_claim");
    case("nbf 2^53", "nbf", json!(1_u64 << 53), "invalid_claim");
    let inner = good.to_string();
    let inner = &inner[1..inner.len() - 1];
    for (name, number) in [
        ("2^64", "18446744073709551616"),
        ("2^128", "340282366920938463463374607431768211456"),
        ("1e10", "1e10"),
        ("1.8e9", "1.8e9"),
        ("-0", "-0"),
        ("1800000000000.0", "1800000000000.0"),
        ("1e999", "1e999"),
    ] {
        let fields: Vec<&str> =
            inner.split(',').filter(|field| !field.starts_with("\"exp\"")).collect();
        let payload = format!(r#"{{"exp":{number},{}}}"#, fields.join(","));
        let token = pool.sign_parts(header(pool).to_string(), payload);
        // The JSON parser may reject a number before the claim is checked.
        let code = if name == "1e999" { ANY_CODE } else { "invalid_claim" };
        cases.push(Case::token(format!("exp {name}"), &token, 401, code));
    }
    for name in ["exp", "sub", "token_use", "client_id"] {
        let token = signed(pool, &header(pool), &without(good.clone(), name));
        cases.push(Case::token(format!("{name} missing"), &token, 401, "invalid_claim"));
    }
    cases
}

pub(super) fn issuers(pool: &UserPool) -> Vec<Case> {
    let issuer = pool.issuer();
    let id = pool.id().as_str();
    let mut cases: Vec<_> = [
        String::new(),
        format!("{issuer}/"),
        format!("{issuer} "),
        format!(" {issuer}"),
        format!("{issuer}\0"),
        format!("{issuer}?"),
        format!("{issuer}#"),
        format!("{issuer}x"),
        format!("{issuer}/../{id}"),
        issuer[..issuer.len() - 1].to_owned(),
        issuer[1..].to_owned(),
        issuer.to_uppercase(),
        issuer.replace("http://", "HTTP://"),
        issuer.replace("http://", "https://"),
        issuer.replace("127.0.0.1", "localhost"),
        issuer.replace("us-east-1_", "us-west-2_"),
        issuer.replace("Local0001", "local0001"),
        issuer.replace(id, ""),
        format!("https://cognito-idp.us-east-1.amazonaws.com/{id}"),
        format!("https://issuer-cognito-idp.us-east-1.amazonaws.com/{id}"),
        "https://accounts.google.com".into(),
        format!("{issuer},{issuer}"),
    ]
    .into_iter()
    .map(|iss| {
        let token = signed(pool, &header(pool), &with(claims(pool), "iss", json!(iss)));
        Case::token(format!("iss {iss:?}"), &token, 401, "untrusted_issuer")
    })
    .collect();
    let token = signed(pool, &header(pool), &without(claims(pool), "iss"));
    cases.push(Case::token("iss missing", &token, 401, "untrusted_issuer"));
    let token = signed(pool, &header(pool), &with(claims(pool), "iss", json!([issuer])));
    cases.push(Case::token("iss in an array", &token, 401, "untrusted_issuer"));
    cases
}

pub(super) fn uses_and_clients(pool: &UserPool) -> Vec<Case> {
    let mut cases = Vec::new();
    for value in ["", "refresh", "ACCESS", "Id", "access ", "id\0", "access,id"] {
        let token = signed(pool, &header(pool), &with(claims(pool), "token_use", json!(value)));
        cases.push(Case::token(format!("token_use {value:?}"), &token, 401, "wrong_token_use"));
    }
    // `token_use` is swapped: an access token that claims to be an ID token lacks `aud`, and vice versa.
    let swapped = with(claims(pool), "token_use", json!("id"));
    cases.push(Case::token(
        "access as id",
        &signed(pool, &header(pool), &swapped),
        401,
        "invalid_claim",
    ));
    let swapped = with(pool.id_token(USER).payload(), "token_use", json!("access"));
    cases.push(Case::token(
        "id as access",
        &signed(pool, &header(pool), &swapped),
        401,
        "invalid_claim",
    ));
    let client = pool.client_id();
    for other in [
        String::new(),
        "other".into(),
        client.to_uppercase(),
        format!("{client} "),
        format!("{client}0"),
        client[1..].to_owned(),
    ] {
        let access = with(claims(pool), "client_id", json!(other));
        cases.push(Case::token(
            format!("client_id {other:?}"),
            &signed(pool, &header(pool), &access),
            401,
            "wrong_client",
        ));
        let id = with(pool.id_token(USER).payload(), "aud", json!(other));
        cases.push(Case::token(
            format!("aud {other:?}"),
            &signed(pool, &header(pool), &id),
            401,
            "wrong_client",
        ));
    }
    let id = without(pool.id_token(USER).payload(), "aud");
    cases.push(Case::token("aud missing", &signed(pool, &header(pool), &id), 401, "invalid_claim"));
    let list = with(pool.id_token(USER).payload(), "aud", json!([client]));
    cases.push(Case::token(
        "aud in an array",
        &signed(pool, &header(pool), &list),
        401,
        "invalid_claim",
    ));
    let aud = with(without(claims(pool), "client_id"), "aud", json!(client));
    cases.push(Case::token(
        "access with only aud",
        &signed(pool, &header(pool), &aud),
        401,
        "invalid_claim",
    ));
    cases
}

/// Access tokens that are bound to another resource (RFC 8707), and tokens that are bound to a key (RFC 7800).
pub(super) fn audiences_and_confirmations(pool: &UserPool) -> Vec<Case> {
    let client = pool.client_id();
    let api = "https://billing.example.com";
    let audiences = [
        (json!(api), "wrong_audience"),
        (json!([api]), "wrong_audience"),
        (json!([client, api]), "wrong_audience"),
        (json!([api, client]), "wrong_audience"),
        (json!("other"), "wrong_audience"),
        (json!(""), "wrong_audience"),
        (json!([]), "wrong_audience"),
        (json!([""]), "wrong_audience"),
        (json!(client.to_uppercase()), "wrong_audience"),
        (json!(format!("{client} ")), "wrong_audience"),
        (json!(format!("{client} {api}")), "wrong_audience"),
        (json!(format!("{client},{client}")), "wrong_audience"),
        (Value::Null, "invalid_claim"),
        (json!(true), "invalid_claim"),
        (json!(1), "invalid_claim"),
        (json!({}), "invalid_claim"),
        (json!({ client: client }), "invalid_claim"),
        (json!([[client]]), "invalid_claim"),
        (json!([client, 1]), "invalid_claim"),
        (json!([client, null]), "invalid_claim"),
    ];
    let audiences = audiences.into_iter().map(|(aud, code)| {
        let token = signed(pool, &header(pool), &with(claims(pool), "aud", aud.clone()));
        Case::token(format!("access token with aud {aud}"), &token, 401, code)
    });
    let confirmations = [
        json!({ "jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" }),
        json!({ "x5t#S256": "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2" }),
        json!({ "jwk": {} }),
        json!({ "kid": "a" }),
        json!({}),
        json!([]),
        json!(""),
        json!("text"),
        json!(0),
        json!(false),
        Value::Null,
    ];
    let confirmations = confirmations.into_iter().flat_map(|cnf| {
        [("access", claims(pool)), ("ID", pool.id_token("alice").payload())].map(
            |(kind, payload)| {
                let token = signed(pool, &header(pool), &with(payload, "cnf", cnf.clone()));
                let name = format!("{kind} token with cnf {cnf}");
                Case::token(name, &token, 401, "unsupported_confirmation")
            },
        )
    });
    audiences.chain(confirmations).collect()
}

pub(super) fn scopes_groups_permissions(pool: &UserPool) -> Vec<Case> {
    let mut cases = Vec::new();
    for scope in [
        "",
        "openid",
        "profile2",
        "myprofile",
        "profile/read",
        "a/profile",
        "PROFILE",
        "profile,openid",
        "profile\topenid",
        "profile\n",
        "*",
        "prof*",
        "profile\u{a0}openid",
        "\u{200b}profile",
    ] {
        let token = signed(pool, &header(pool), &with(claims(pool), "scope", json!(scope)));
        cases.push(Case::token(format!("scope {scope:?}"), &token, 403, "insufficient_scope"));
    }
    let token = signed(pool, &header(pool), &without(claims(pool), "scope"));
    cases.push(Case::token("scope missing", &token, 403, "insufficient_scope"));
    for groups in [
        json!([]),
        json!(["Admin"]),
        json!(["admins"]),
        json!(["admin "]),
        json!(["adm", "in"]),
        json!(["*"]),
        json!(["[\"admin\"]"]),
        json!(["admin,staff"]),
    ] {
        let token =
            signed(pool, &header(pool), &with(claims(pool), "cognito:groups", groups.clone()));
        cases.push(
            Case::token(format!("groups {groups}"), &token, 403, "insufficient_scope")
                .at("/api/admin"),
        );
    }
    let deep = format!("{}\"write:all\"{}", "[".repeat(1500), "]".repeat(1500));
    for permissions in [
        json!([]),
        json!("[]"),
        json!(""),
        json!("write"),
        json!("write:al"),
        json!("write:all2"),
        json!("WRITE:ALL"),
        json!("write:*"),
        json!("*"),
        json!(["*"]),
        json!("write:all,read:all"),
        json!("[write:all]"),
        json!("[write:all"),
        json!("[[\"write:all\"]]"),
        json!("[\"write:all\",1]"),
        json!("{\"write:all\":true}"),
        json!("\"write:all\""),
        json!([["write:all"]]),
        json!(["write:all", 1]),
        json!({ "write:all": true }),
        json!(1),
        json!(true),
        Value::Null,
        json!("write\t:all"),
        json!("x\twrite:all"),
        json!("[\"write:all\"]]"),
        json!("[\"a\",\"a\" \"write:all\"]"),
        json!(deep),
    ] {
        let token = signed(
            pool,
            &header(pool),
            &with(claims(pool), "custom:permissions", permissions.clone()),
        );
        let name: String = permissions.to_string().chars().take(40).collect();
        cases.push(
            Case::token(format!("permissions {name}"), &token, 403, "insufficient_scope")
                .at("/api/admin"),
        );
    }
    for (name, value) in [
        ("groups", json!(["admin"])),
        ("permissions", json!(["write:all"])),
        ("scope", json!("write:all admin")),
        ("custom:groups", json!("admin")),
        ("roles", json!(["admin"])),
        ("cognito:roles", json!(["admin"])),
        ("Cognito:Groups", json!(["admin"])),
    ] {
        let token = signed(pool, &header(pool), &with(claims(pool), name, value));
        cases.push(
            Case::token(format!("the grant in {name}"), &token, 403, "insufficient_scope")
                .at("/api/admin"),
        );
    }
    cases
}
