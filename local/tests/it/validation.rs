//! Inputs of all operations are validated by the constraints of Cognito's service model.

use std::collections::HashMap;

use serde_json::{Map, Value, json};
use tower_cognito_local::UserPool;

use crate::support::cognito::{call, error, is};

/// The constraints that the local pool uses. `tests/clients/model.py --check` compares them with the service model.
const TABLE: &str = include_str!("../../src/service_model/model.txt");

/// For each pattern of the table: a matching value, as a prefix, a character that may repeat any number of times, and
/// a suffix; and a value that does not match. Every string matches the first pattern.
const PATTERNS: [(&str, [&str; 4]); 28] = [
    (r"(?s).*", ["", "\n", "", ""]),
    (r".*\{####\}.*", ["{####}", "ü", "", "{###} "]),
    (r"Level[1-4]", ["Level4", "", "", "Level5"]),
    (r"[0-9]+", ["1", "0", "", "12345a"]),
    (r"[A-Za-z0-9-_=.]+", ["a", "=", "", "a+b"]),
    (r"[\S]+", ["a", "ü", "", "a b"]),
    (r"[\w+=/]+", ["a", "/", "", "a-b"]),
    (r"[\w+]+", ["a", "+", "", "ü-ü-ü-ü-ü-ü-ü-ü-ü-ü-ü-ü-ü-ü-ü"]),
    (r"[\w-]+_[0-9a-f-]+", ["eu_a", "f", "", "eu_g"]),
    (r"[\w-]+_[0-9a-zA-Z]+", ["eu-1_A", "0", "", "eu-1-A"]),
    (r"[\w\s+=,.@-]+", ["a", " ", "z", "a/b"]),
    (r"[\w\s+=.@-]+", ["a", " ", "z", "a,b"]),
    (r"[\p{L}\p{M}\p{S}\p{N}\p{P}\t\n\r ]+", ["a", " ", "z", "a\u{a0}b"]),
    (r"[\p{L}\p{M}\p{S}\p{N}\p{P}\p{Z}]+", ["a", "\u{a0}", "z", "a\tb"]),
    (r"[\p{L}\p{M}\p{S}\p{N}\p{P}\s*]*", ["a", "\n", "z", "aaaaaa\u{a0}"]),
    (r"[\p{L}\p{M}\p{S}\p{N}\p{P}\s]+", ["a", "\n", "z", "a\u{a0}b"]),
    (r"[\p{L}\p{M}\p{S}\p{N}\p{P}]+", ["a", "😀", "", "a b"]),
    (r"[\p{L}\p{M}\p{S}\p{N}\p{P}]+@[\p{L}\p{M}\p{S}\p{N}\p{P}]+", ["a@b", "ü", "", "a@ b"]),
    (
        r"[\p{L}\p{M}\p{S}\p{N}\p{P}\s*]*\{####\}[\p{L}\p{M}\p{S}\p{N}\p{P}\s*]*",
        ["{####}", "*", "", "{###}  "],
    ),
    (
        r"[\p{L}\p{M}\p{S}\p{N}\p{P}\s*]*\{##[\p{L}\p{M}\p{S}\p{N}\p{P}\s*]*##\}[\p{L}\p{M}\p{S}\p{N}\p{P}\s*]*",
        ["{##Here##}", "*", "", "{####>"],
    ),
    (r"[\x21\x23-\x2E\x30-\x5B\x5D-\x7E]+", ["a", "~", "", "a/b"]),
    (r"[\x21\x23-\x5B\x5D-\x7E]+", ["a", "/", "", "a\\b"]),
    (r"[^_\p{Z}][\p{L}\p{M}\p{S}\p{N}\p{P}][^_\p{Z}]+", ["abc", "d", "", "abc_d"]),
    (r"^[0-9a-fA-F]+$", ["a", "F", "", "fg"]),
    (r"^[a-z0-9](?:[a-z0-9\-\.]{0,61}[a-z0-9])?$", ["a", "-", "z", "a-"]),
    (r"^[a-zA-Z0-9_-]+$", ["a", "_", "", "a b"]),
    (ARN, ["arn:aws:iam::1:a", "a", "", "arn:aws:iam::account:role/one"]),
    (OPTIONAL_ARN, ["arn:aws:iam::1:a", "a", "", "arm:aws:iam::111122223333:a"]),
];

const ARN: &str = r"arn:[\w+=/,.@-]+:[\w+=/,.@-]+:([\w+=/,.@-]*)?:[0-9]+:[\w+=/,.@-]+(:[\w+=/,.@-]+)?(:[\w+=/,.@-]+)?";
const OPTIONAL_ARN: &str = r"(arn:[\w+=/,.@-]+:[\w+=/,.@-]+:([\w+=/,.@-]*)?:[0-9]+:[\w+=/,.@-]+(:[\w+=/,.@-]+)?(:[\w+=/,.@-]+)?)?";

/// A type of the table.
#[derive(Default)]
struct Shape {
    kind: String,
    is_secret: bool,
    min: Option<usize>,
    max: Option<usize>,
    words: Vec<String>,
    pattern: Option<String>,
    /// The types of a list's items, or of a map's keys and values.
    parts: Vec<String>,
    members: Vec<Member>,
}

struct Member {
    name: String,
    shape: String,
    is_required: bool,
}

struct Table {
    shapes: HashMap<String, Shape>,
    operations: Vec<(String, Vec<Member>)>,
    /// The number of constraints that the script counted in the service model.
    count: usize,
}

impl Table {
    fn read() -> Self {
        let (_, count) = TABLE.split_once("every operation: ").unwrap();
        let count = count.split('\n').next().unwrap().parse().unwrap();
        let mut table = Self { shapes: HashMap::new(), operations: Vec::new(), count };
        for line in TABLE.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let (line, pattern) = match line.split_once(" pattern=") {
                Some((line, pattern)) => (line, Some(pattern.to_owned())),
                None => (line, None),
            };
            let mut words = line.split(' ').map(str::to_owned);
            let (kind, name) = (words.next().unwrap(), words.next().unwrap());
            let mut shape = Shape { kind: kind.clone(), pattern, ..Shape::default() };
            for word in words {
                if let Some((name, of)) = word.split_once(':') {
                    let is_required = name.ends_with('*');
                    let name = name.trim_end_matches('*').to_owned();
                    shape.members.push(Member { name, shape: of.to_owned(), is_required });
                } else if let Some((bound, value)) = word.split_once('=') {
                    match bound {
                        "min" => shape.min = Some(value.parse().unwrap()),
                        "max" => shape.max = Some(value.parse().unwrap()),
                        "enum" => shape.words = value.split('|').map(str::to_owned).collect(),
                        other => panic!("{other}"),
                    }
                } else {
                    match word.as_str() {
                        "secret" => shape.is_secret = true,
                        "blank" | "url" | "app" | "admin" => {}
                        _ => shape.parts.push(word),
                    }
                }
            }
            if kind == "operation" {
                table.operations.push((name, shape.members));
            } else {
                table.shapes.insert(name, shape);
            }
        }
        table
    }

    /// Returns a valid value of a type.
    fn valid(&self, shape: &str) -> Value {
        let shape = &self.shapes[shape];
        match shape.kind.as_str() {
            "string" => match shape.words.first() {
                Some(word) => json!(word),
                None => json!(shape.of_length(shape.min.unwrap_or(1))),
            },
            "integer" => json!(shape.min.unwrap_or(1)),
            "boolean" => json!(true),
            "list" => self.of_size(shape, shape.min.unwrap_or(0)),
            "map" => self.of_size(shape, 0),
            _ => self.object(&shape.members),
        }
    }

    /// Returns a structure with its required members.
    fn object(&self, members: &[Member]) -> Value {
        let required = members.iter().filter(|member| member.is_required);
        required.map(|member| (member.name.clone(), self.valid(&member.shape))).collect()
    }

    /// Returns a list or map with `size` entries.
    fn of_size(&self, shape: &Shape, size: usize) -> Value {
        match shape.parts.as_slice() {
            [item] => (0..size).map(|_| self.valid(item)).collect(),
            // The only maps with a size limit have keys of the pattern `Level[1-4]`.
            [_, value] => (1..=size).map(|n| (format!("Level{n}"), self.valid(value))).collect(),
            _ => panic!("{}", shape.kind),
        }
    }
}

impl Shape {
    /// Returns a string of `length` characters that matches the pattern if possible.
    fn of_length(&self, length: usize) -> String {
        let [start, fill, end, _] = self.pattern.as_deref().map_or(["", "a", "", ""], samples);
        let fixed = start.chars().count() + end.chars().count();
        if self.min.is_some_and(|min| length < min) {
            return (start.to_owned() + &fill.repeat(length)).chars().take(length).collect();
        }
        match length.checked_sub(fixed) {
            Some(more) => start.to_owned() + &fill.repeat(more) + end,
            None => start.to_owned(),
        }
    }
}

fn samples(pattern: &str) -> [&'static str; 4] {
    let found = PATTERNS.iter().find(|(known, _)| *known == pattern);
    found.unwrap_or_else(|| panic!("no samples for {pattern}")).1
}

/// Two inputs that differ in one member: one violates a constraint, the other just satisfies it.
struct Case {
    operation: String,
    /// The path of the member, as in error messages.
    path: String,
    /// The constraints in the error message; empty for a value of the wrong type.
    constraints: Vec<String>,
    /// The expected start of the error message.
    beginning: String,
    /// `None` if every value is valid.
    invalid: Option<Value>,
    valid_input: Value,
}

/// Collects the cases of an operation.
struct Walk<'a> {
    table: &'a Table,
    operation: &'a str,
    cases: Vec<Case>,
}

/// A position in the input.
#[derive(Clone, Copy)]
struct Place<'a> {
    path: &'a str,
    is_secret: bool,
    /// Builds the whole input around the value.
    around: &'a dyn Fn(Value) -> Value,
    /// For keys, values and items that are not structures: how the error message refers to them.
    of_parts: Option<&'a str>,
}

impl Walk<'_> {
    fn members(&mut self, members: &[Member], place: Place<'_>) {
        let table = self.table;
        for member in members {
            let (first, rest) = member.name.split_at(1);
            let name = first.to_ascii_lowercase() + rest;
            let path = if place.path.is_empty() { name } else { format!("{}.{name}", place.path) };
            let around = |value: Value| {
                let mut object = table.object(members);
                object[&member.name] = value;
                (place.around)(object)
            };
            let place = Place { path: &path, around: &around, ..place };
            if member.is_required {
                let null = if path.to_lowercase().ends_with("password") { "" } else { " null" };
                self.cases.push(Case {
                    operation: self.operation.to_owned(),
                    path: path.clone(),
                    constraints: vec!["Member must not be null".to_owned()],
                    beginning: format!("Value{null} at '{path}'"),
                    invalid: Some(around(Value::Null)),
                    valid_input: around(table.valid(&member.shape)),
                });
            }
            self.value(&member.shape, place);
        }
    }

    fn value(&mut self, name: &str, place: Place<'_>) {
        let table = self.table;
        let shape = &table.shapes[name];
        let place = Place { is_secret: place.is_secret || shape.is_secret, ..place };
        let wrong = match shape.kind.as_str() {
            "string" => json!(5),
            "list" => json!({}),
            _ => json!("5"),
        };
        // All keys of JSON are strings.
        if place.of_parts != Some("Map keys must") {
            self.case(place, None, Some(wrong), table.valid(name));
        }
        let measure = if shape.kind == "integer" { "value" } else { "length" };
        let sized = |size: usize| match shape.kind.as_str() {
            "integer" => json!(size),
            "string" => json!(shape.of_length(size)),
            _ => table.of_size(shape, size),
        };
        if let Some(min) = shape.min {
            let constraint = format!("Member must have {measure} greater than or equal to {min}");
            let below = if min == 0 { json!(-1) } else { sized(min - 1) };
            self.case(place, Some(constraint), Some(below), sized(min));
        }
        if let Some(max) = shape.max {
            let constraint = format!("Member must have {measure} less than or equal to {max}");
            self.case(place, Some(constraint), Some(sized(max + 1)), sized(max));
        }
        if !shape.words.is_empty() {
            let constraint =
                format!("Member must satisfy enum value set: [{}]", shape.words.join(", "));
            let last = json!(shape.words.last());
            self.case(place, Some(constraint), Some(json!("NONE_OF_THEM")), last);
        }
        if let Some(pattern) = &shape.pattern {
            let constraint = format!("Member must satisfy regular expression pattern: {pattern}");
            let invalid = Some(samples(pattern)[3]).filter(|sample| !sample.is_empty());
            let longer = shape.of_length(shape.max.unwrap_or(50).min(50));
            self.case(place, Some(constraint), invalid.map(Value::from), json!(longer));
        }
        self.parts(shape, place);
    }

    fn parts(&mut self, shape: &Shape, place: Place<'_>) {
        let table = self.table;
        let is_structure = |name: &str| table.shapes[name].kind == "structure";
        match (shape.kind.as_str(), shape.parts.as_slice()) {
            ("structure", _) => self.members(&shape.members, place),
            ("list", [item]) => {
                // The invalid item is the second, so that the test sees the item's number.
                let around = |value: Value| (place.around)(json!([table.valid(item), value]));
                let path = format!("{}.2.member", place.path);
                let place = Place { around: &around, ..place };
                if is_structure(item) {
                    self.value(item, Place { path: &path, ..place });
                } else {
                    self.value(item, Place { of_parts: Some("Member must"), ..place });
                }
            }
            ("map", [key, value]) => {
                let around = |value: Value| {
                    let one = Map::from_iter([(
                        value.as_str().unwrap().to_owned(),
                        table.valid(&shape.parts[1]),
                    )]);
                    (place.around)(Value::Object(one))
                };
                let keys = Place { around: &around, of_parts: Some("Map keys must"), ..place };
                self.value(key, keys);
                let name = table.valid(key).as_str().unwrap().to_owned();
                let around = |value: Value| (place.around)(json!({ &name: value }));
                let path = format!("{}.{name}.member", place.path);
                let place = Place { around: &around, ..place };
                if is_structure(value) {
                    self.value(value, Place { path: &path, ..place });
                } else {
                    self.value(value, Place { of_parts: Some("Map value must"), ..place });
                }
            }
            _ => {}
        }
    }

    fn case(
        &mut self,
        place: Place<'_>,
        constraint: Option<String>,
        invalid: Option<Value>,
        valid_input: Value,
    ) {
        let path = place.path;
        let (is_long, opening) = match &invalid {
            Some(Value::String(text)) => (text.chars().count() > 256, place.of_parts),
            _ => (false, None),
        };
        let beginning = match (&invalid, opening) {
            _ if place.is_secret || is_long => format!("Value at '{path}'"),
            // Keys, values and items are quoted with their whole list or map.
            (_, Some("Member must")) => "Value '[".to_owned(),
            (_, Some("Map value must")) => "Value '{".to_owned(),
            (_, Some(_)) => "Value".to_owned(),
            (Some(Value::String(text)), None) => format!("Value '{text}' at '{path}'"),
            (Some(Value::Number(number)), _) => format!("Value '{number}' at '{path}'"),
            _ => "Value".to_owned(),
        };
        let whole = place.of_parts.filter(|_| constraint.is_some());
        let whole = whole.map(|subject| format!("{subject} satisfy constraint: ["));
        self.cases.push(Case {
            operation: self.operation.to_owned(),
            path: path.to_owned(),
            constraints: whole.into_iter().chain(constraint).collect(),
            beginning,
            invalid: invalid.map(place.around),
            valid_input: (place.around)(valid_input),
        });
    }
}

/// Sends an invalid input, and checks that the error names only its member and constraint.
async fn assert_rejected(pool: &UserPool, case: &Case, input: &Value) {
    let (name, message) = error(call(pool, &case.operation, input.clone()).await);
    let Case { operation, path, constraints, beginning, .. } = case;
    if constraints.is_empty() {
        assert_eq!(name, "SerializationException", "{operation} {path}: {message}");
        return;
    }
    assert_eq!(name, "InvalidParameterException", "{operation} {path}: {message}");
    let (count, violations) = message.split_once(" detected: ").unwrap();
    let violations: Vec<_> = violations.split("; Value").collect();
    let plural = if violations.len() == 1 { "" } else { "s" };
    assert_eq!(count, format!("{} validation error{plural}", violations.len()));
    for violation in &violations {
        let place = format!(" at '{path}' failed to satisfy constraint: ");
        assert!(violation.contains(&place), "{operation} {path}: {violation}");
    }
    assert!(violations[0].starts_with(beginning), "{operation} {path}: {message}");
    let is_named =
        |violation: &&str| constraints.iter().all(|constraint| violation.contains(constraint));
    assert!(violations.iter().any(is_named), "{operation} {path} {constraints:?}: {message}");
}

/// Sends an input that just satisfies a constraint, and checks that it passes validation.
async fn assert_accepted(pool: &UserPool, case: &Case) {
    let Case { operation, path, valid_input, .. } = case;
    let mut input = valid_input.clone();
    let missing = "1 validation error detected: Value null at 'poolName' failed to satisfy constraint: Member must \
                   not be null";
    // Creates no pools. The other operations name a pool that does not exist.
    let is_without_pool = operation == "CreateUserPool" && path != "poolName";
    if is_without_pool {
        input["PoolName"] = Value::Null;
    }
    let response = call(pool, operation, input).await;
    if is_without_pool {
        assert_eq!(error(response), is("InvalidParameterException", missing), "{path}");
    } else if let Err((name, message)) = response {
        let is_invalid = message.contains("validation error") || name == "SerializationException";
        assert!(!is_invalid, "{operation} {path}: {message}");
    }
}

#[tokio::test]
async fn every_constraint_rejects_invalid_and_accepts_valid_input() {
    let table = Table::read();
    let mut cases = Vec::new();
    for (operation, members) in &table.operations {
        let mut walk = Walk { table: &table, operation, cases: Vec::new() };
        let around = |value: Value| value;
        let place = Place { path: "", is_secret: false, around: &around, of_parts: None };
        walk.members(members, place);
        assert!(!walk.cases.is_empty(), "{operation}");
        cases.append(&mut walk.cases);
    }
    assert_eq!((table.operations.len(), cases.len()), (74, table.count));
    let pool = UserPool::start().await.unwrap();
    let mut refused = 0;
    for case in &cases {
        if let Some(input) = &case.invalid {
            assert_rejected(&pool, case, input).await;
            refused += 1;
        }
        assert_accepted(&pool, case).await;
    }
    // In two operations, the pattern `(?s).*` matches every value.
    assert_eq!(refused, table.count - 2);
}

#[tokio::test]
async fn all_violations_are_reported_in_one_cognito_message() {
    let pool = UserPool::start().await.unwrap();
    let long = "x".repeat(129);
    for (operation, input, message) in [
        (
            "SignUp",
            json!({ "ClientId": "a-b", "Username": "", "Password": "a b" }),
            r"4 validation errors detected: Value at 'clientId' failed to satisfy constraint: Member must satisfy regular expression pattern: [\w+]+; Value at 'username' failed to satisfy constraint: Member must satisfy regular expression pattern: [\p{L}\p{M}\p{S}\p{N}\p{P}]+; Value at 'username' failed to satisfy constraint: Member must have length greater than or equal to 1; Value at 'password' failed to satisfy constraint: Member must satisfy regular expression pattern: [\S]+",
        ),
        (
            "ConfirmSignUp",
            json!({ "ClientId": "a", "Username": "jane", "ConfirmationCode": "" }),
            r"2 validation errors detected: Value '' at 'confirmationCode' failed to satisfy constraint: Member must satisfy regular expression pattern: [\S]+; Value '' at 'confirmationCode' failed to satisfy constraint: Member must have length greater than or equal to 1",
        ),
        (
            "AdminGetUser",
            json!({ "UserPoolId": "nowhere", "Username": long }),
            r"2 validation errors detected: Value 'nowhere' at 'userPoolId' failed to satisfy constraint: Member must satisfy regular expression pattern: [\w-]+_[0-9a-zA-Z]+; Value at 'username' failed to satisfy constraint: Member must have length less than or equal to 128",
        ),
        (
            "CreateUserPoolClient",
            json!({ "UserPoolId": "eu_A", "ClientName": "a", "AllowedOAuthFlows": ["code", "token"] }),
            "1 validation error detected: Value '[code, token]' at 'allowedOAuthFlows' failed to satisfy constraint: Member must satisfy constraint: [Member must satisfy enum value set: [code, implicit, client_credentials]]",
        ),
        (
            "CreateUserPool",
            json!({ "PoolName": "a", "Schema": [{ "Name": "phone_number_verified" }] }),
            "1 validation error detected: Value 'phone_number_verified' at 'schema.1.member.name' failed to satisfy constraint: Member must have length less than or equal to 20",
        ),
        (
            "UpdateIdentityProvider",
            json!({ "UserPoolId": "eu_A", "ProviderName": "a", "AttributeMapping": { "": "sub" } }),
            "1 validation error detected: Value '{=sub}' at 'attributeMapping' failed to satisfy constraint: Map keys must satisfy constraint: [Member must have length less than or equal to 32, Member must have length greater than or equal to 1]",
        ),
        // Amplify recognizes a missing password by this message.
        (
            "SignUp",
            json!({ "ClientId": pool.client_id(), "Username": "jane" }),
            "1 validation error detected: Value at 'password' failed to satisfy constraint: Member must not be null",
        ),
    ] {
        let expected = is("InvalidParameterException", message);
        assert_eq!(error(call(&pool, operation, input).await), expected);
    }
}

#[tokio::test]
async fn secrets_are_never_quoted_in_errors() {
    let pool = UserPool::start().await.unwrap();
    let secret = "Horse 1";
    let long = "Horse".repeat(500);
    for (operation, input) in [
        ("SignUp", json!({ "ClientId": "a", "Username": secret, "Password": secret })),
        ("SignUp", json!({ "ClientId": "a", "SecretHash": secret, "Username": "jane" })),
        ("GetUser", json!({ "AccessToken": secret })),
        ("RevokeToken", json!({ "ClientId": "a", "Token": secret, "ClientSecret": secret })),
        ("VerifySoftwareToken", json!({ "Session": "Horse", "UserCode": secret })),
        (
            "UpdateUserAttributes",
            json!({ "AccessToken": "a", "UserAttributes": [{ "Name": "name", "Value": long }] }),
        ),
        (
            "InitiateAuth",
            json!({ "AuthFlow": "MAGIC", "ClientId": "a", "AuthParameters": { "PASSWORD": secret } }),
        ),
    ] {
        let (name, message) = error(call(&pool, operation, input).await);
        assert_eq!(name, "InvalidParameterException", "{operation}");
        assert!(message.contains("validation error"), "{operation}");
        assert!(!message.contains("Horse"), "{operation}");
    }
}

#[tokio::test]
async fn blank_password_is_checked_by_the_policy_where_the_model_allows_it() {
    let pool = UserPool::start().await.unwrap();
    let input = json!({ "ClientId": pool.client_id(), "Username": "jane", "Password": "" });
    assert_eq!(error(call(&pool, "SignUp", input).await).0, "InvalidPasswordException");
    let input = json!({
        "ClientId": pool.client_id(), "Username": "jane", "ConfirmationCode": "123456", "Password": "",
    });
    assert_eq!(
        error(call(&pool, "ConfirmForgotPassword", input).await).0,
        "InvalidParameterException"
    );
}

#[tokio::test]
async fn error_size_is_limited_regardless_of_the_number_of_violations() {
    let pool = UserPool::start().await.unwrap();
    let list: Value = (0..200_000).map(|_| json!({})).collect();
    let input = json!({ "ClientId": "a", "Username": "jane", "UserAttributes": list });
    let (_, message) = error(call(&pool, "SignUp", input).await);
    assert!(message.starts_with(
        "100 validation errors detected: Value null at 'userAttributes.1.member.name'"
    ));
    assert!(message.len() < 20_000);
}
