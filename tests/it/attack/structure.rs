//! Tokens that are not a compact JWS with strict JSON.

use tower_cognito::TokenUse;
use tower_cognito_local::UserPool;

use super::{ANY_CODE, Case, USER, claims};
use crate::support::header;

pub(super) fn structures(pool: &UserPool) -> Vec<Case> {
    let good = with_spare_bits(pool);
    let (message, signature) = good.rsplit_once('.').unwrap();
    let (head, payload) = message.split_once('.').unwrap();
    let dots = ".".repeat(5000);
    let json_form =
        format!(r#"{{"payload":"{payload}","protected":"{head}","signature":"{signature}"}}"#);
    let tokens = [
        ("one part", head.to_owned()),
        ("two parts", message.to_owned()),
        ("four parts", format!("{good}.{signature}")),
        ("five parts", format!("{head}.{payload}.{payload}.{payload}.{signature}")),
        ("dots alone", dots.clone()),
        ("two dots", "..".into()),
        ("dots behind", format!("{good}{dots}")),
        ("a trailing dot", format!("{good}.")),
        ("a leading dot", format!(".{good}")),
        ("an empty header part", format!(".{payload}.{signature}")),
        ("no payload", format!("{head}..{signature}")),
        ("no signature", format!("{message}.")),
        ("JSON serialization", json_form),
        ("padding on the header", format!("{head}=.{payload}.{signature}")),
        ("padding on the payload", format!("{head}.{payload}==.{signature}")),
        ("padding on the signature", format!("{good}=")),
        ("double padding on the signature", format!("{good}==")),
        ("a plus in the signature", format!("{message}.+{}", &signature[1..])),
        ("a slash in the signature", format!("{message}./{}", &signature[1..])),
        ("a percent sign", format!("{message}.%41{}", &signature[3..])),
        ("junk behind", format!("{good}!")),
        ("a trailing tilde (SD-JWT)", format!("{good}~")),
        ("quotes around", format!("\"{good}\"")),
        ("angle brackets", format!("<{good}>")),
        ("URL-encoded dots", good.replace('.', "%2E")),
        ("a trailing semicolon", format!("{good};")),
        ("a trailing comma", format!("{good},")),
        ("two tokens joined by a comma", format!("{good},{good}")),
        ("17 KiB", format!("{good}{}", "A".repeat(17 * 1024))),
        ("100 KiB of letters", "A".repeat(100 * 1024)),
        ("one letter", "A".into()),
        ("the word null", "null".into()),
        ("the word undefined", "undefined".into()),
        ("a signature of one letter", format!("{message}.A")),
        ("a signature of 2 KiB", format!("{message}.{}", "A".repeat(2048))),
    ];
    let mut cases: Vec<_> = tokens
        .into_iter()
        .map(|(name, token)| Case::token(name, &token, 401, "malformed_token"))
        .collect();
    // The last character of each part has unused bits; only zero is canonical.
    for (name, part) in [("header", head), ("payload", payload), ("signature", signature)] {
        let spare = match part.len() % 4 {
            2 => 4,
            3 => 2,
            _ => continue,
        };
        let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let last =
            alphabet.iter().position(|sign| *sign == *part.as_bytes().last().unwrap()).unwrap();
        for bits in 1..(1 << spare) {
            let other = format!("{}{}", &part[..part.len() - 1], char::from(alphabet[last | bits]));
            let token = match name {
                "header" => format!("{other}.{payload}.{signature}"),
                "payload" => format!("{head}.{other}.{signature}"),
                _ => format!("{message}.{other}"),
            };
            cases.push(Case::token(
                format!("spare bits {bits} of the {name}"),
                &token,
                401,
                "malformed_token",
            ));
        }
    }
    // 1 MiB exceeds the header buffer of a server.
    cases.push(Case::token("1 MiB", &"A".repeat(1 << 20), 431, ANY_CODE));
    cases
}

/// Returns a valid token whose encoded payload ends in unused bits. A claim adjusts the length of the payload.
fn with_spare_bits(pool: &UserPool) -> String {
    let padded = |length| {
        pool.token(USER).changed_by_trigger().scope("profile").claim("x", "y".repeat(length)).sign()
    };
    let has_spare_bits = |token: &String| token.split('.').nth(1).unwrap().len() % 4 == 2;
    (0..3).map(padded).find(has_spare_bits).unwrap()
}

pub(super) fn json_structures(pool: &UserPool) -> Vec<Case> {
    let head = header(pool).to_string();
    let payload = claims(pool).to_string();
    let inner = |text: &str| text[1..text.len() - 1].to_owned();
    let kid = pool.key_id(TokenUse::Access);
    let deep = |open: &str, close: &str| format!("{}{}", open.repeat(2000), close.repeat(2000));
    let texts: Vec<(&str, Vec<u8>, Vec<u8>)> = vec![
        ("header not an object", b"[]".to_vec(), payload.clone().into()),
        ("header a string", b"\"RS256\"".to_vec(), payload.clone().into()),
        ("header null", b"null".to_vec(), payload.clone().into()),
        ("header with only a space", b" ".to_vec(), payload.clone().into()),
        (
            "header with a byte order mark",
            [b"\xef\xbb\xbf".as_slice(), head.as_bytes()].concat(),
            payload.clone().into(),
        ),
        (
            "header not UTF-8",
            [b"{\"a\":\"\xff\",".as_slice(), inner(&head).as_bytes(), b"}"].concat(),
            payload.clone().into(),
        ),
        (
            "header alg twice",
            format!(r#"{{"alg":"none",{}}}"#, inner(&head)).into(),
            payload.clone().into(),
        ),
        (
            "header alg twice, escaped",
            format!(r#"{{"\u0061lg":"none",{}}}"#, inner(&head)).into(),
            payload.clone().into(),
        ),
        (
            "header kid twice",
            format!(r#"{{"kid":"{kid}",{}}}"#, inner(&head)).into(),
            payload.clone().into(),
        ),
        ("header twice", format!("{head}{head}").into(), payload.clone().into()),
        (
            "header with a trailing comma",
            format!("{{{},}}", inner(&head)).into(),
            payload.clone().into(),
        ),
        (
            "header with a comment",
            format!("{{/**/{}}}", inner(&head)).into(),
            payload.clone().into(),
        ),
        (
            "header deep",
            format!(r#"{{{},"x":{}}}"#, inner(&head), deep("[", "]")).into(),
            payload.clone().into(),
        ),
        ("payload not an object", head.clone().into(), b"[]".to_vec()),
        ("payload a string", head.clone().into(), b"\"sub\"".to_vec()),
        ("payload a number", head.clone().into(), b"1".to_vec()),
        ("payload null", head.clone().into(), b"null".to_vec()),
        ("payload not JSON", head.clone().into(), b"foo".to_vec()),
        (
            "payload with a byte order mark",
            head.clone().into(),
            [b"\xef\xbb\xbf".as_slice(), payload.as_bytes()].concat(),
        ),
        (
            "payload not UTF-8",
            head.clone().into(),
            [b"{\"a\":\"\xc0\xaf\",".as_slice(), inner(&payload).as_bytes(), b"}"].concat(),
        ),
        ("payload twice", head.clone().into(), format!("{payload}{payload}").into()),
        ("payload with trailing text", head.clone().into(), format!("{payload}x").into()),
        ("payload with a trailing NUL", head.clone().into(), format!("{payload}\0").into()),
        (
            "payload deep arrays",
            head.clone().into(),
            format!(r#"{{{},"x":{}}}"#, inner(&payload), deep("[", "]")).into(),
        ),
        (
            "payload deep objects",
            head.clone().into(),
            format!(
                r#"{{{},"x":{}1{}}}"#,
                inner(&payload),
                r#"{"a":"#.repeat(1000),
                "}".repeat(1000)
            )
            .into(),
        ),
        (
            "payload lone surrogate",
            head.clone().into(),
            format!(r#"{{{},"x":"\ud800"}}"#, inner(&payload)).into(),
        ),
        ("payload NaN", head.clone().into(), format!(r#"{{{},"x":NaN}}"#, inner(&payload)).into()),
        (
            "payload nested name twice",
            head.clone().into(),
            format!(r#"{{{},"x":{{"a":1,"a":1}}}}"#, inner(&payload)).into(),
        ),
    ];
    let mut cases: Vec<_> = texts
        .into_iter()
        .map(|(name, head, payload)| {
            Case::token(name, &pool.sign_parts(head, payload), 401, "malformed_token")
        })
        .collect();
    for name in [
        "iss",
        "exp",
        "sub",
        "token_use",
        "client_id",
        "scope",
        "cognito:groups",
        "custom:permissions",
    ] {
        for value in ["null", "1", "\"x\"", "[\"admin\"]"] {
            let before = format!(r#"{{"{name}":{value},{},"{name}":{value}}}"#, inner(&payload));
            let token = pool.sign_parts(&head, before);
            cases.push(Case::token(
                format!("{name} twice with {value}"),
                &token,
                401,
                "malformed_token",
            ));
        }
    }
    cases
}
