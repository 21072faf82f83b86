//! Credentials and paths that try to bypass the layer.

use tower_cognito_local::UserPool;

use super::{Case, USER};
use crate::support::bearer;

pub(super) fn headers(pool: &UserPool) -> Vec<Case> {
    let good = pool.token(USER).scope("profile").sign();
    let line = |value: &str| format!("Authorization: {value}\r\n");
    let none = "missing_credential";
    let bad = "invalid_request";
    vec![
        Case::lines("no header", "", 401, none),
        Case::lines("two headers", [bearer(&good), bearer(&good)].concat(), 400, bad),
        Case::lines("a good and a bad header", [bearer(&good), bearer("x")].concat(), 400, bad),
        Case::lines(
            "Basic and Bearer",
            [line("Basic YTpi").into_bytes(), bearer(&good)].concat(),
            400,
            bad,
        ),
        Case::lines("comma-joined", line(&format!("Bearer {good}, Bearer {good}")), 400, bad),
        Case::lines("two tokens", line(&format!("Bearer {good} {good}")), 400, bad),
        Case::lines("a tab inside", line(&format!("Bearer {good}\tx")), 400, bad),
        Case::lines("a tab after the scheme", line(&format!("Bearer\t{good}")), 400, bad),
        Case::lines("no token", line("Bearer"), 400, bad),
        Case::lines("no token, a space", line("Bearer "), 400, bad),
        Case::lines("an empty header", line(""), 401, none),
        Case::lines("the bare token", line(&good), 401, none),
        Case::lines("Basic", line("Basic YWxpY2U6c2VjcmV0"), 401, none),
        Case::lines("Digest", line("Digest username=\"alice\""), 401, none),
        Case::lines("DPoP", line(&format!("DPoP {good}")), 401, none),
        Case::lines("Token", line(&format!("Token {good}")), 401, none),
        Case::lines("JWT", line(&format!("JWT {good}")), 401, none),
        Case::lines("Bearer with a colon", line(&format!("Bearer: {good}")), 400, bad),
        Case::lines("Bearer with an equals sign", line(&format!("Bearer={good}")), 400, bad),
        Case::lines("Bearer twice", line(&format!("Bearer Bearer {good}")), 400, bad),
        Case::lines(
            "a parameter",
            line(&format!("Bearer token=\"{good}\"")),
            401,
            "malformed_token",
        ),
        Case::lines(
            "bytes that are not ASCII",
            [b"Authorization: Bearer \xff\xfe".as_slice(), good.as_bytes(), b"\r\n"].concat(),
            400,
            bad,
        ),
        Case::lines("letters that are not ASCII", line(&format!("Bearer é{good}")), 400, bad),
        Case::lines(
            "a token in a cookie",
            format!("Cookie: access_token={good}; Authorization={good}\r\n"),
            401,
            none,
        ),
        Case::lines("a token in another header", format!("X-Access-Token: {good}\r\n"), 401, none),
        Case::lines(
            "proxy authorization",
            format!("Proxy-Authorization: Bearer {good}\r\n"),
            401,
            none,
        ),
        Case::lines(
            "forwarded authorization",
            format!("X-Forwarded-Authorization: Bearer {good}\r\n"),
            401,
            none,
        ),
        Case::lines(
            "a token in a subprotocol",
            format!("Sec-WebSocket-Protocol: bearer, {good}\r\n"),
            401,
            none,
        ),
        Case::lines("a token in the query", "", 401, none)
            .at(format!("/api/protected?access_token={good}")),
        Case::lines("method override", "X-HTTP-Method-Override: OPTIONS\r\n", 401, none),
        Case::lines(
            "original URL",
            "X-Original-URL: /public\r\nX-Rewrite-URL: /public\r\n",
            401,
            none,
        ),
        Case::lines("upgrade", "Connection: upgrade\r\nUpgrade: websocket\r\n", 401, none),
    ]
}

pub(super) fn paths() -> Vec<Case> {
    let mut cases = Vec::new();
    for path in [
        "/api/admin",
        "/api/me",
        "/api//admin",
        "//api/admin",
        "/api/admin/",
        "/api%2Fadmin",
        "/api/%61dmin",
        "/./api/admin",
        "/public/../api/admin",
        "/public/..%2Fapi/admin",
        "/public%2F..%2Fapi%2Fadmin",
        "/api/admin;x=1",
        "/api/admin%00",
        "/api/admin%20",
        "/API/ADMIN",
        "/api/admin?public",
        "/api/admin#/public",
        "/public/",
        "/public/x",
        "/api/protected/..;/admin",
        "/nowhere",
        "/%2e%2e/public",
    ] {
        cases.push(Case::lines(format!("path {path}"), "", 401, "missing_credential").at(path));
    }
    for method in ["HEAD", "OPTIONS", "POST", "PUT", "DELETE", "PATCH", "TRACE", "PROPFIND", "FOO"]
    {
        for path in ["/api/protected", "/api/admin", "/api/me"] {
            cases.push(
                Case::lines(format!("{method} {path}"), "", 401, "missing_credential")
                    .at(path)
                    .method(method),
            );
        }
    }
    cases.push(Case::lines(
        "a token in a trailer",
        "Transfer-Encoding: chunked\r\nTrailer: Authorization\r\n",
        401,
        "missing_credential",
    ));
    cases
}
