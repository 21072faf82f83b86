//! Builds any policy. It can be displayed and compared, and more grants never remove access.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use tower_cognito::{Policy, TokenUse, Verified, group, permission, scope, policy::{all, any, authenticated, claim, client, pool, token_use}};
use tower_cognito_fuzz::FIXTURE;

/// Each token has all grants of the previous one, and more.
static TOKENS: LazyLock<Vec<Verified>> = LazyLock::new(|| {
    let none = FIXTURE.pool.token("alice").claim("scope", "");
    let some = FIXTURE.pool.token("alice").claim("scope", "a").group("b");
    let more = FIXTURE.pool.token("alice").changed_by_trigger().claim("scope", "a b");
    let more = more.group("b").group("a").permissions(["a"]);
    [none, some, more].map(|token| FIXTURE.verify(&token.sign()).unwrap()).into()
});

fn build(bytes: &mut std::slice::Iter<'_, u8>, depth: usize) -> Policy {
    let Some(byte) = bytes.next() else { return authenticated() };
    let name = ["a", "b", "c", "", "a b", "\"", "*"][usize::from(byte >> 4) % 7];
    let length = usize::from(byte >> 4) % 4;
    match byte % 12 {
        0 => scope(name),
        1 => group(name),
        2 => permission(name),
        3 => claim("cognito:groups", name),
        4 => client(name),
        5 => pool(name),
        6 => token_use(TokenUse::Access),
        7 if depth < 8 => any((0..length).map(|_| build(bytes, depth + 1))),
        8 if depth < 8 => all((0..length).map(|_| build(bytes, depth + 1))),
        9 if depth < 8 => build(bytes, depth + 1) & build(bytes, depth + 1),
        10 if depth < 8 => build(bytes, depth + 1) | build(bytes, depth + 1),
        _ => authenticated(),
    }
}

fuzz_target!(|data: &[u8]| {
    let policy = build(&mut data.iter(), 0);
    assert!(!policy.to_string().is_empty());
    assert!(policy == policy.clone());
    let met: Vec<bool> = TOKENS.iter().map(|token| policy.check(token).is_ok()).collect();
    assert!(met.is_sorted(), "more grants removed access: {policy}");
    if let Err(denied) = policy.check(&TOKENS[0]) {
        assert!(denied.failed().check(&TOKENS[0]).is_err());
    }
});
