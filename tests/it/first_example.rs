//! The first example of the README and of the crate's documentation works with the tokens of a real sign-in.

#![allow(dead_code, reason = "the tests do not call the example's `main`")]

use std::{fs, path::Path};

use tower_cognito_local::{Config, UserPool};

use crate::support::{self, serve, sign_in_through_api};

// The example is a whole program with private functions.
include!("support/first_example.rs");

async fn pool() -> UserPool {
    let users = r#"
        [[aws_cognito_user]]
        username = "alice"
        password = "Correct-Horse-1"

        [[aws_cognito_user]]
        username = "bob"
        password = "Correct-Horse-1"
        groups = ["admin"]

        [[aws_cognito_user_group]]
        name = "admin"
    "#;
    let config = Config::from_toml(users).unwrap();
    UserPool::builder().client_id(CLIENT_ID).config(config).start().await.unwrap()
}

#[tokio::test]
async fn first_example_accepts_the_access_token_of_a_plain_sign_in_on_each_route() {
    let pool = pool().await;
    let address = serve(app(verifier(pool.pool()).unwrap())).await;
    let alice = sign_in_through_api(&pool, "alice").await;
    let bob = sign_in_through_api(&pool, "bob").await;
    for (path, token, status, body) in [
        ("/me", Some(&alice.access), 200, "hello, alice"),
        ("/refunds", Some(&alice.access), 403, "insufficient_scope"),
        ("/refunds", Some(&bob.access), 200, "refunds"),
        ("/me", Some(&bob.id), 401, "wrong_token_use"),
        ("/me", None, 401, "missing_credential"),
        ("/healthz", None, 200, "ok"),
    ] {
        let response = support::get(address, path, token.map(String::as_str)).await;
        assert_eq!(response.status, status, "{path}: {response:?}");
        assert!(response.body.contains(body), "{path}: {response:?}");
    }
}

#[test]
fn readme_and_crate_documentation_show_the_tested_example() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &str| fs::read_to_string(root.join(path)).unwrap();
    let tested = read("tests/it/support/first_example.rs");
    for path in ["README.md", "src/docs/crate.md"] {
        let text = read(path);
        let (_, block) = text.split_once("```rust").unwrap();
        let (first, _) = block.split_once('\n').unwrap();
        let (code, _) = block[first.len() + 1..].split_once("```").unwrap();
        assert_eq!(code, tested, "{path}");
    }
}
