//! The attack table: requests that must not pass, sent over real HTTP.
//!
//! Cases are made by construction: each bit position, each claim with each wrong type. Each case says
//! which status and code it wants; beside that, none may get a 5xx, a challenge that reflects what was
//! sent, a log line with a piece of the token, or a request to an address from the token.

use std::{collections::HashSet, net::SocketAddr};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{EncodingKey, Header};
use serde_json::{Value, json};
use tower_cognito::{TokenUse, local::UserPool};

use crate::support::{
    Answer, KeyServer, Reply, bearer, captured_logs, example::quickstart, header, send, serve,
};

struct Case {
    name: String,
    method: &'static str,
    path: String,
    lines: Vec<u8>,
    status: u16,
    code: &'static str,
}

impl Case {
    fn token(name: impl Into<String>, token: &str, status: u16, code: &'static str) -> Self {
        Self::lines(name, bearer(token), status, code)
    }

    fn lines(
        name: impl Into<String>,
        lines: impl Into<Vec<u8>>,
        status: u16,
        code: &'static str,
    ) -> Self {
        let (name, lines) = (name.into(), lines.into());
        Self { name, method: "GET", path: "/api/protected".into(), lines, status, code }
    }

    fn at(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }

    fn method(mut self, method: &'static str) -> Self {
        self.method = method;
        self
    }
}

/// Where any of several codes is right, since an edit may break one rule or another first.
const ANY_CODE: &str = "*";

struct Target {
    pool: UserPool,
    address: SocketAddr,
}

async fn target(cache_bytes: usize) -> Target {
    let pool = UserPool::start().await.unwrap();
    let verifier = pool.verifier().token_cache_bytes(cache_bytes).build().unwrap();
    verifier.ready().await.unwrap();
    let address = serve(quickstart::app(verifier)).await;
    Target { pool, address }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_attack_passes() {
    let trap = KeyServer::start(Reply::Close).await;
    let mut tried = 0;
    for cache_bytes in [32 << 20, 0] {
        let target = target(cache_bytes).await;
        // A valid token is in the cache while the attacks run.
        let good = target.pool.token("alice").scope("profile").sign();
        assert_eq!(send(target.address, "GET", "/api/protected", &bearer(&good)).await.status, 200);

        captured_logs();
        let cases = all_cases(&target.pool, &trap.uri());
        let fetches = target.pool.fetches();
        for case in &cases {
            let answer = send(target.address, case.method, &case.path, &case.lines).await;
            judge(case, &answer);
        }
        tried += cases.len();
        assert!(target.pool.fetches() - fetches <= 2, "the attacks caused a flood of fetches");
        assert_eq!(send(target.address, "GET", "/api/protected", &bearer(&good)).await.status, 200);

        let logs = captured_logs();
        assert!(logs.contains("request refused"), "the logs were not captured");
        let sent: HashSet<String> = cases.iter().flat_map(|case| pieces(&case.lines)).collect();
        for window in logs.as_bytes().windows(PIECE) {
            let reflected = std::str::from_utf8(window).is_ok_and(|text| sent.contains(text));
            assert!(!reflected, "a piece of a token is in the log");
        }
    }
    assert_eq!(trap.fetches(), 0, "an address from a token was asked for keys");
    assert!(tried >= 800, "only {tried} attacks were tried");
    println!("attacks tried: {tried}");
}

fn judge(case: &Case, answer: &Answer) {
    let name = &case.name;
    assert_eq!(answer.status, case.status, "{name}: {answer:?}");
    if answer.status == 200 {
        return;
    }
    if case.code != ANY_CODE && case.method != "HEAD" {
        assert_eq!(answer.code(), case.code, "{name}: {answer:?}");
    }
    if matches!(answer.status, 400 | 401 | 403) {
        let challenge = answer.challenge().unwrap_or_else(|| panic!("{name}: no challenge"));
        assert_well_formed(challenge, name);
        if case.method != "HEAD" {
            let names_an_error = challenge.contains("error=");
            assert_eq!(
                names_an_error,
                answer.code() != "missing_credential",
                "{name}: {challenge}"
            );
        }
    }
    let shown = format!("{:?} {}", answer.headers, answer.body);
    for piece in pieces(&case.lines) {
        assert!(!shown.contains(&piece), "{name}: the answer reflects what was sent");
    }
}

/// `Bearer` and parameters in quotes, separated by commas (RFC 6750, section 3).
fn assert_well_formed(challenge: &str, name: &str) {
    let mut rest =
        challenge.strip_prefix("Bearer ").unwrap_or_else(|| panic!("{name}: {challenge}"));
    loop {
        let (key, after) = rest.split_once("=\"").unwrap_or_else(|| panic!("{name}: {challenge}"));
        assert!(["realm", "error", "error_description", "scope"].contains(&key), "{name}: {key}");
        let (_, after) = after.split_once('"').unwrap_or_else(|| panic!("{name}: {challenge}"));
        match after.strip_prefix(", ") {
            Some(next) => rest = next,
            None => {
                assert_eq!(after, "", "{name}: {challenge}");
                return;
            }
        }
    }
}

/// How many signs a piece has.
const PIECE: usize = 24;

/// Runs of a token long enough not to stand in an answer or a log by chance.
fn pieces(lines: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(lines);
    let token = text.split("earer ").nth(1).unwrap_or_default().trim();
    let signs: Vec<char> = token.chars().collect();
    signs.chunks(PIECE).filter(|chunk| chunk.len() == PIECE).map(|it| it.iter().collect()).collect()
}

fn all_cases(pool: &UserPool, trap: &str) -> Vec<Case> {
    let mut cases = Vec::new();
    cases.extend(algorithms(pool));
    cases.extend(embedded_keys(pool, trap));
    cases.extend(key_ids(pool));
    cases.extend(structures(pool));
    cases.extend(json_structures(pool));
    cases.extend(signatures(pool));
    cases.extend(edits(pool));
    cases.extend(wrong_types(pool));
    cases.extend(times(pool));
    cases.extend(issuers(pool));
    cases.extend(uses_and_clients(pool));
    cases.extend(scopes_groups_permissions(pool));
    cases.extend(headers(pool));
    cases.extend(paths());
    cases
}

fn claims(pool: &UserPool) -> Value {
    pool.token("alice").scope("profile").payload()
}

fn with(mut object: Value, name: &str, value: Value) -> Value {
    object.as_object_mut().unwrap().insert(name.into(), value);
    object
}

fn without(mut object: Value, name: &str) -> Value {
    object.as_object_mut().unwrap().remove(name);
    object
}

fn signed(pool: &UserPool, header: &Value, payload: &Value) -> String {
    pool.sign_parts(header.to_string(), payload.to_string())
}

fn algorithms(pool: &UserPool) -> Vec<Case> {
    let mut cases = Vec::new();
    let good = claims(pool);
    let mut values: Vec<Value> = [
        "none", "None", "NONE", "nOnE", "HS256", "HS384", "HS512", "RS384", "RS512", "PS256",
        "PS384", "PS512", "ES256", "ES256K", "ES384", "ES512", "EdDSA", "rs256", "Rs256", "RS256 ",
        " RS256", "RS256\0", "RSA-OAEP", "dir", "A128KW", "",
    ]
    .map(Value::from)
    .to_vec();
    values.extend([
        Value::Null,
        json!(256),
        json!(true),
        json!(["RS256"]),
        json!({ "alg": "RS256" }),
    ]);
    for value in values {
        let token = signed(pool, &with(header(pool), "alg", value.clone()), &good);
        cases.push(Case::token(format!("alg {value}"), &token, 401, "unsupported_algorithm"));
        let unsigned = format!("{}.", token.rsplit_once('.').unwrap().0);
        cases.push(Case::token(
            format!("alg {value}, unsigned"),
            &unsigned,
            401,
            "malformed_token",
        ));
    }
    let token = signed(pool, &without(header(pool), "alg"), &good);
    cases.push(Case::token("alg missing", &token, 401, "unsupported_algorithm"));

    let keys: Value = serde_json::from_str(&pool.key_set().unwrap().to_json()).unwrap();
    let modulus = keys["keys"][0]["n"].as_str().unwrap().to_owned();
    let der = URL_SAFE_NO_PAD.decode(&modulus).unwrap();
    let secrets = [
        ("the modulus in base64url", modulus.clone().into_bytes()),
        ("the modulus", der),
        ("the JWK", keys["keys"][0].to_string().into_bytes()),
        ("the key set", keys.to_string().into_bytes()),
        (
            "PEM",
            format!("-----BEGIN PUBLIC KEY-----\n{modulus}\n-----END PUBLIC KEY-----\n")
                .into_bytes(),
        ),
        ("an empty key", Vec::new()),
    ];
    for (name, secret) in secrets {
        let mut header = Header::new(jsonwebtoken::Algorithm::HS256);
        header.kid = Some(pool.key_id(TokenUse::Access));
        let token =
            jsonwebtoken::encode(&header, &good, &EncodingKey::from_secret(&secret)).unwrap();
        cases.push(Case::token(format!("HS256 with {name}"), &token, 401, "unsupported_algorithm"));
    }
    cases
}

fn embedded_keys(pool: &UserPool, trap: &str) -> Vec<Case> {
    let mut cases = Vec::new();
    let keys: Value = serde_json::from_str(&pool.key_set().unwrap().to_json()).unwrap();
    for (name, value) in [
        ("jwk", keys["keys"][0].clone()),
        ("jwk", Value::Null),
        ("jku", json!(trap)),
        ("x5u", json!(trap)),
        ("x5c", json!(["MIIB"])),
        ("crit", json!([])),
        ("crit", json!(["exp"])),
        ("crit", json!(["b64"])),
        ("crit", Value::Null),
        ("b64", json!(false)),
        ("b64", json!(true)),
        ("zip", json!("DEF")),
    ] {
        let token = signed(pool, &with(header(pool), name, value.clone()), &claims(pool));
        cases.push(Case::token(format!("header {name}"), &token, 401, "unsupported_algorithm"));
        let unknown = with(with(header(pool), name, value), "kid", json!("attacker"));
        let token = signed(pool, &unknown, &claims(pool));
        cases.push(Case::token(
            format!("header {name}, kid"),
            &token,
            401,
            "unsupported_algorithm",
        ));
    }
    let inside = with(claims(pool), "iss", json!(trap));
    cases.push(Case::token(
        "iss of the trap",
        &signed(pool, &header(pool), &inside),
        401,
        "untrusted_issuer",
    ));
    cases
}

fn key_ids(pool: &UserPool) -> Vec<Case> {
    let mut cases = Vec::new();
    let mut malformed =
        vec![Value::Null, json!(""), json!(0), json!(1), json!(true), json!([]), json!({})];
    malformed.push(json!([pool.key_id(TokenUse::Access)]));
    malformed.push(json!("k".repeat(257)));
    malformed.push(json!("k".repeat(9000)));
    malformed.extend(
        ["a b", "a\r\nb", "a\nSet-Cookie: x", "a\0", "\u{202e}", "ключ", "\t"].map(Value::from),
    );
    malformed.push(json!(format!("{} ", pool.key_id(TokenUse::Access))));
    malformed.push(json!(format!("{}\0", pool.key_id(TokenUse::Access))));
    malformed.push(json!("' OR '1'='1' -- "));
    for kid in malformed {
        let token = signed(pool, &with(header(pool), "kid", kid.clone()), &claims(pool));
        let name: String = kid.to_string().chars().take(40).collect();
        cases.push(Case::token(format!("kid {name}"), &token, 401, "malformed_token"));
    }
    let token = signed(pool, &without(header(pool), "kid"), &claims(pool));
    cases.push(Case::token("kid missing", &token, 401, "malformed_token"));

    let known = pool.key_id(TokenUse::Access);
    let mut unknown = vec![
        "../../../etc/passwd".to_owned(),
        "/dev/null".into(),
        "'OR'1'='1".into(),
        "%00".into(),
        "http://127.0.0.1/jwks.json".into(),
        "${jndi:ldap://x}".into(),
        "..%2f..".into(),
        "0".into(),
        known.to_lowercase(),
        known.trim_end_matches('=').into(),
        format!("{known}="),
        known[1..].into(),
    ];
    unknown.push("k".repeat(256));
    for kid in unknown {
        let token = signed(pool, &with(header(pool), "kid", json!(kid)), &claims(pool));
        cases.push(Case::token(format!("kid {kid:.40}"), &token, 401, "unknown_key"));
    }
    cases
}

fn structures(pool: &UserPool) -> Vec<Case> {
    let good = pool.token("alice").scope("profile").sign();
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
        ("a dot behind", format!("{good}.")),
        ("a dot before", format!(".{good}")),
        ("no header", format!(".{payload}.{signature}")),
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
        ("a tilde behind (SD-JWT)", format!("{good}~")),
        ("quotes around", format!("\"{good}\"")),
        ("angle brackets", format!("<{good}>")),
        ("URL-encoded dots", good.replace('.', "%2E")),
        ("a semicolon behind", format!("{good};")),
        ("a comma behind", format!("{good},")),
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
    // The last sign of each part carries bits that stand for nothing; only zero is canonical.
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
    // 1 MiB is more than a server takes into its header buffer.
    cases.push(Case::token("1 MiB", &"A".repeat(1 << 20), 431, ANY_CODE));
    cases
}

fn json_structures(pool: &UserPool) -> Vec<Case> {
    let head = header(pool).to_string();
    let payload = claims(pool).to_string();
    let inner = |text: &str| text[1..text.len() - 1].to_owned();
    let kid = pool.key_id(TokenUse::Access);
    let deep = |open: &str, close: &str| format!("{}{}", open.repeat(2000), close.repeat(2000));
    let texts: Vec<(&str, Vec<u8>, Vec<u8>)> = vec![
        ("header no object", b"[]".to_vec(), payload.clone().into()),
        ("header a string", b"\"RS256\"".to_vec(), payload.clone().into()),
        ("header null", b"null".to_vec(), payload.clone().into()),
        ("header empty text", b" ".to_vec(), payload.clone().into()),
        (
            "header with a mark",
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
            "header with a comma behind",
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
        ("payload no object", head.clone().into(), b"[]".to_vec()),
        ("payload a string", head.clone().into(), b"\"sub\"".to_vec()),
        ("payload a number", head.clone().into(), b"1".to_vec()),
        ("payload null", head.clone().into(), b"null".to_vec()),
        ("payload not JSON", head.clone().into(), b"foo".to_vec()),
        (
            "payload with a mark",
            head.clone().into(),
            [b"\xef\xbb\xbf".as_slice(), payload.as_bytes()].concat(),
        ),
        (
            "payload not UTF-8",
            head.clone().into(),
            [b"{\"a\":\"\xc0\xaf\",".as_slice(), inner(&payload).as_bytes(), b"}"].concat(),
        ),
        ("payload twice", head.clone().into(), format!("{payload}{payload}").into()),
        ("payload and junk", head.clone().into(), format!("{payload}x").into()),
        ("payload with NUL behind", head.clone().into(), format!("{payload}\0").into()),
        (
            "payload deep arrays",
            head.clone().into(),
            format!(r#"{{{},"x":{}}}"#, inner(&payload), deep("[", "]")).into(),
        ),
        (
            "payload deep objects",
            head.clone().into(),
            format!(
                r#"{{{},"x":{}}}"#,
                inner(&payload),
                format!("{}1{}", "{\"a\":".repeat(1000), "}".repeat(1000))
            )
            .into(),
        ),
        (
            "payload lone surrogate",
            head.clone().into(),
            format!(r#"{{{},"x":"\ud800"}}"#, inner(&payload)).into(),
        ),
        (
            "payload number too large",
            head.clone().into(),
            format!(r#"{{{},"x":1e999}}"#, inner(&payload)).into(),
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

fn signatures(pool: &UserPool) -> Vec<Case> {
    let good = pool.token("alice").scope("profile").sign();
    let (message, signature) = good.rsplit_once('.').unwrap();
    let octets = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let mut cases = Vec::new();
    let mut case = |name: String, octets: &[u8]| {
        let token = format!("{message}.{}", URL_SAFE_NO_PAD.encode(octets));
        cases.push(Case::token(name, &token, 401, "bad_signature"));
    };
    for position in 0..octets.len() {
        let mut flipped = octets.clone();
        flipped[position] ^= 1 << (position % 8);
        case(format!("signature bit {} flipped", position * 8 + position % 8), &flipped);
    }
    for length in [1, 2, 64, 127, 128, 254, 255] {
        case(format!("signature cut to {length}"), &octets[..length]);
    }
    case("signature with a zero behind".into(), &[octets.as_slice(), &[0]].concat());
    case("signature with a zero before".into(), &[&[0], octets.as_slice()].concat());
    case("signature doubled".into(), &[octets.as_slice(), &octets].concat());
    case("signature of zeros".into(), &vec![0; octets.len()]);
    case("signature of ones".into(), &vec![0xff; octets.len()]);
    case("signature one".into(), &[vec![0; octets.len() - 1], vec![1]].concat());
    case("signature turned round".into(), &octets.iter().rev().copied().collect::<Vec<_>>());
    case("signature plus modulus".into(), &plus_modulus(pool, &octets));
    case("the digest alone".into(), aws_digest(message).as_slice());

    let other = pool.token("mallory").scope("profile").sign();
    let swapped = format!("{message}.{}", other.rsplit_once('.').unwrap().1);
    cases.push(Case::token("signature of another token", &swapped, 401, "bad_signature"));
    // Access and ID tokens are signed with different keys.
    let cross = with(header(pool), "kid", json!(pool.key_id(TokenUse::Id)));
    let token = signed(pool, &cross, &claims(pool));
    cases.push(Case::token("kid of the other key", &token, 401, "bad_signature"));
    cases
}

fn plus_modulus(pool: &UserPool, signature: &[u8]) -> Vec<u8> {
    let keys: Value = serde_json::from_str(&pool.key_set().unwrap().to_json()).unwrap();
    let kid = pool.key_id(TokenUse::Access);
    let key =
        keys["keys"].as_array().unwrap().iter().find(|key| key["kid"] == kid.as_str()).unwrap();
    let modulus = URL_SAFE_NO_PAD.decode(key["n"].as_str().unwrap()).unwrap();
    let mut sum = Vec::new();
    let mut carry = 0;
    for (a, b) in signature.iter().rev().zip(modulus.iter().rev()) {
        let digit = u16::from(*a) + u16::from(*b) + carry;
        sum.push((digit & 0xff) as u8);
        carry = digit >> 8;
    }
    if carry > 0 {
        sum.push(1);
    }
    sum.reverse();
    sum
}

fn aws_digest(message: &str) -> Vec<u8> {
    aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, message.as_bytes()).as_ref().to_vec()
}

/// A single sign changed anywhere in what is signed.
fn edits(pool: &UserPool) -> Vec<Case> {
    let good = pool.token("alice").scope("profile").sign();
    let signed_length = good.rfind('.').unwrap();
    (0..signed_length)
        .step_by(7)
        .filter(|position| good.as_bytes()[*position] != b'.')
        .map(|position| {
            let mut edited = good.clone().into_bytes();
            edited[position] = if edited[position] == b'A' { b'B' } else { b'A' };
            let edited = String::from_utf8(edited).unwrap();
            Case::token(format!("sign {position} changed"), &edited, 401, ANY_CODE)
        })
        .collect()
}

fn wrong_types(pool: &UserPool) -> Vec<Case> {
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
    let id = pool.id_token("alice").payload();
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
            let token = signed(pool, &id_header, &with(payload, name, value.clone()));
            Case::token(format!("{name} is {value}"), &token, 401, code)
        })
        .collect()
}

fn times(pool: &UserPool) -> Vec<Case> {
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
    ] {
        let fields: Vec<&str> =
            inner.split(',').filter(|field| !field.starts_with("\"exp\"")).collect();
        let payload = format!(r#"{{"exp":{number},{}}}"#, fields.join(","));
        let token = pool.sign_parts(header(pool).to_string(), payload);
        cases.push(Case::token(format!("exp {name}"), &token, 401, "invalid_claim"));
    }
    for name in ["exp", "sub", "token_use", "client_id"] {
        let token = signed(pool, &header(pool), &without(good.clone(), name));
        cases.push(Case::token(format!("{name} missing"), &token, 401, "invalid_claim"));
    }
    cases
}

fn issuers(pool: &UserPool) -> Vec<Case> {
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

fn uses_and_clients(pool: &UserPool) -> Vec<Case> {
    let mut cases = Vec::new();
    for value in ["", "refresh", "ACCESS", "Id", "access ", "id\0", "access,id"] {
        let token = signed(pool, &header(pool), &with(claims(pool), "token_use", json!(value)));
        cases.push(Case::token(format!("token_use {value:?}"), &token, 401, "wrong_token_use"));
    }
    // Swapped: an access token that calls itself an ID token has no `aud`, and the reverse.
    let swapped = with(claims(pool), "token_use", json!("id"));
    cases.push(Case::token(
        "access as id",
        &signed(pool, &header(pool), &swapped),
        401,
        "invalid_claim",
    ));
    let swapped = with(pool.id_token("alice").payload(), "token_use", json!("access"));
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
        let id = with(pool.id_token("alice").payload(), "aud", json!(other));
        cases.push(Case::token(
            format!("aud {other:?}"),
            &signed(pool, &header(pool), &id),
            401,
            "wrong_client",
        ));
    }
    let id = without(pool.id_token("alice").payload(), "aud");
    cases.push(Case::token("aud missing", &signed(pool, &header(pool), &id), 401, "invalid_claim"));
    let list = with(pool.id_token("alice").payload(), "aud", json!([client]));
    cases.push(Case::token(
        "aud in an array",
        &signed(pool, &header(pool), &list),
        401,
        "invalid_claim",
    ));
    let aud = with(without(claims(pool), "client_id"), "aud", json!(client));
    cases.push(Case::token(
        "access with aud alone",
        &signed(pool, &header(pool), &aud),
        401,
        "invalid_claim",
    ));
    cases
}

fn scopes_groups_permissions(pool: &UserPool) -> Vec<Case> {
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
        json!("[\"write:all\"] "),
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
        let wanted = if permissions == json!("[\"write:all\"] ") {
            (200, "ok")
        } else {
            (403, "insufficient_scope")
        };
        let token = signed(
            pool,
            &header(pool),
            &with(claims(pool), "custom:permissions", permissions.clone()),
        );
        let name: String = permissions.to_string().chars().take(40).collect();
        cases.push(
            Case::token(format!("permissions {name}"), &token, wanted.0, wanted.1).at("/api/admin"),
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

fn headers(pool: &UserPool) -> Vec<Case> {
    let good = pool.token("alice").scope("profile").sign();
    let line = |value: &str| format!("Authorization: {value}\r\n");
    let none = "missing_credential";
    let bad = "invalid_request";
    let mut cases = vec![
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
        Case::lines("an empty header", line(""), 400, bad),
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
    ];
    for scheme in ["bearer", "BEARER", "bEaReR"] {
        cases.push(Case::lines(
            format!("scheme {scheme}"),
            line(&format!("{scheme} {good}")),
            200,
            "ok",
        ));
    }
    cases.push(Case::lines(
        "spaces after the scheme",
        line(&format!("Bearer   {good}")),
        200,
        "ok",
    ));
    cases.push(Case::lines("a trailing space", line(&format!("Bearer {good} ")), 200, "ok"));
    cases
}

fn paths() -> Vec<Case> {
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
