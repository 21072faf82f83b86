//! Names that differ only in case: they name one user, unless the pool is case-sensitive.

use serde_json::{Value, json};
use tower_cognito_local::{Config, UserPool};

use crate::support::admin::{admin, attributes, error, pool_of, sign_in};

async fn pool_with_email_aliases(case_sensitive: bool) -> UserPool {
    let config = format!(
        "[aws_cognito_user_pool]\nalias_attributes = [\"email\"]\n\
         username_configuration = {{ case_sensitive = {case_sensitive} }}\n"
    );
    pool_of(&config).await
}

async fn create(pool: &UserPool, name: &str, email: &str, takes_alias: bool) -> Result<(), String> {
    let input = json!({
        "Username": name, "MessageAction": "SUPPRESS", "ForceAliasCreation": takes_alias,
        "UserAttributes": [
            { "Name": "email", "Value": email },
            { "Name": "email_verified", "Value": "true" },
        ],
    });
    admin(pool, "AdminCreateUser", input).await.map(drop).map_err(|(name, _)| name)
}

async fn find(pool: &UserPool, name: &str) -> Value {
    admin(pool, "AdminGetUser", json!({ "Username": name })).await.unwrap()["Username"].clone()
}

/// Pairs that differ only in case, in ASCII and beyond it.
const SPELLINGS: [(&str, &str); 2] =
    [("jane@example.com", "Jane@Example.com"), ("jürgen@example.com", "JÜRGEN@example.com")];

#[tokio::test]
async fn alias_in_another_case_is_already_taken() {
    for (first, second) in SPELLINGS {
        let pool = pool_with_email_aliases(false).await;
        create(&pool, "jane", first, false).await.unwrap();
        let taken = create(&pool, "joe", second, false).await;
        assert_eq!(taken, Err("AliasExistsException".to_owned()), "{second}");
        assert_eq!(find(&pool, second).await, "jane");
    }
}

#[tokio::test]
async fn forced_alias_is_taken_from_the_user_who_has_it_in_another_case() {
    for (first, second) in SPELLINGS {
        let pool = pool_with_email_aliases(false).await;
        create(&pool, "jane", first, false).await.unwrap();
        create(&pool, "joe", second, true).await.unwrap();
        assert_eq!(attributes(&pool, "jane").await["email_verified"], "false", "{second}");
        assert_eq!(find(&pool, first).await, "joe");
    }
}

#[tokio::test]
async fn aliases_of_a_case_sensitive_pool_may_differ_in_case() {
    for (first, second) in SPELLINGS {
        let pool = pool_with_email_aliases(true).await;
        create(&pool, "jane", first, false).await.unwrap();
        create(&pool, "joe", second, false).await.unwrap();
        create(&pool, "jim", &second.to_uppercase(), true).await.unwrap();
        for (alias, user) in [(first, "jane"), (second, "joe")] {
            assert_eq!(find(&pool, alias).await, user);
            assert_eq!(attributes(&pool, user).await["email_verified"], "true", "{alias}");
        }
    }
}

#[tokio::test]
async fn attempts_for_an_unknown_name_are_counted_together_in_every_case() {
    const BY_EMAIL: &str = "[aws_cognito_user_pool]\nusername_attributes = [\"email\"]\n";
    let by_alias = pool_with_email_aliases(false).await;
    let by_email =
        UserPool::builder().config(Config::from_toml(BY_EMAIL).unwrap()).start().await.unwrap();
    for pool in [by_alias, by_email] {
        for name in
            ["ömer@example.com", "ÖMER@example.com", "Ömer@Example.com"].iter().cycle().take(5)
        {
            let wrong = error(sign_in(&pool, name, "Wrong-Horse-1").await);
            assert_eq!(wrong.1, "Incorrect username or password.", "{name}");
        }
        for name in ["ömer@example.com", "ÖMER@EXAMPLE.COM"] {
            let locked = error(sign_in(&pool, name, "Wrong-Horse-1").await);
            assert_eq!(locked.1, "Password attempts exceeded", "{name}");
        }
    }
}
