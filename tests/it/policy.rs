//! Policies: single requirements, and how they are joined.

use proptest::prelude::*;
use tower_cognito::{
    Policy, TokenUse, Verified, group, permission,
    policy::{all, any, authenticated, claim, client, pool as pool_named, token_use},
    scope,
};
use tower_cognito_local::UserPool;

use crate::support::{both_uses, full_verifier};

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

async fn token(
    pool: &UserPool,
    scopes: &[String],
    groups: &[String],
    permissions: &[String],
) -> Verified {
    let mut token = pool.token("alice").changed_by_trigger().claim("scope", scopes.join(" "));
    token = token.permissions(permissions.to_vec());
    for name in groups {
        token = token.group(name);
    }
    full_verifier(pool).token_cache_bytes(0).build().unwrap().verify(&token.sign()).await.unwrap()
}

#[tokio::test]
async fn each_grant_checks_its_own_claim() {
    let users = UserPool::start().await.unwrap();
    let token = users
        .token("alice")
        .changed_by_trigger()
        .scope("a")
        .group("b")
        .permissions(["c"])
        .claim("custom:level", "3")
        .claim("n", 3)
        .claim("list", serde_json::json!(["x", 1]));
    let token = full_verifier(&users).build().unwrap().verify(&token.sign()).await.unwrap();
    for (policy, met) in [
        (authenticated(), true),
        (scope("a"), true),
        (scope("b"), false),
        (scope("a "), false),
        (scope(""), false),
        (group("b"), true),
        (group("a"), false),
        (permission("c"), true),
        (permission("a"), false),
        (claim("custom:level", "3"), true),
        (claim("custom:level", 3), false),
        (claim("n", 3), true),
        (claim("n", "3"), false),
        (claim("list", "x"), true),
        (claim("list", 1), true),
        (claim("list", "y"), false),
        (claim("missing", serde_json::Value::Null), false),
        (token_use(TokenUse::Access), true),
        (token_use(TokenUse::Id), false),
        (client(users.client_id()), true),
        (client("other"), false),
        (pool_named(users.issuer()), true),
        (pool_named("other"), false),
        (any([]), false),
        (all([]), false),
        (all([]) & authenticated(), false),
        (any([]) | authenticated(), true),
        (scope("a") & group("b"), true),
        (scope("a") & group("x"), false),
        (scope("x") | group("b"), true),
        (scope("x") | group("x"), false),
        (scope("x") & group("b") | permission("c"), true),
        (scope("x") & (group("b") | permission("c")), false),
    ] {
        assert_eq!(policy.check(&token).is_ok(), met, "{policy}");
    }
    let policy = scope("a") & (group("x") | group("y")) & permission("nope");
    let denied = policy.check(&token).unwrap_err();
    assert_eq!(denied.failed(), &(group("x") | group("y")));
    assert_eq!(denied.to_string(), r#"the token does not meet group("x") | group("y")"#);
}

#[test]
fn policy_is_displayed_as_written_in_code() {
    for (policy, text) in [
        (authenticated(), "authenticated"),
        (scope("a") & group("b") & client("c"), r#"scope("a") & group("b") & client("c")"#),
        (
            scope("a") & (group("b") | permission("c")),
            r#"scope("a") & (group("b") | permission("c"))"#,
        ),
        (
            scope("a") & group("b") | permission("c"),
            r#"(scope("a") & group("b")) | permission("c")"#,
        ),
        (claim("a\"b", 1) | token_use(TokenUse::Id), r#"claim("a\"b", 1) | token_use(id)"#),
        (any([]), "any()"),
        (all([scope("a")]), r#"all(scope("a"))"#),
        (scope("a") & any([group("b")]), r#"scope("a") & any(group("b"))"#),
        (scope("a") | all([]), r#"scope("a") | all()"#),
    ] {
        assert_eq!(policy.to_string(), text);
    }
}

fn policies() -> impl Strategy<Value = Policy> {
    let name = prop::sample::select(vec!["a", "b", "c", "d"]);
    let leaf = prop_oneof![
        Just(authenticated()),
        name.clone().prop_map(scope),
        name.clone().prop_map(group),
        name.prop_map(permission),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(any),
            prop::collection::vec(inner.clone(), 0..4).prop_map(all),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| a & b),
            (inner.clone(), inner).prop_map(|(a, b)| a | b),
        ]
    })
}

fn names() -> impl Strategy<Value = Vec<String>> {
    prop::sample::subsequence(vec!["a", "b", "c", "d"], 0..=4)
        .prop_map(|names| names.into_iter().map(str::to_owned).collect())
}

#[test]
fn more_grants_never_remove_access() {
    let runtime = runtime();
    let pool = runtime.block_on(UserPool::start()).unwrap();
    // Signing is expensive, so each token is checked against many policies.
    proptest!(ProptestConfig::with_cases(40), |(
        few in (names(), names(), names()),
        more in (names(), names(), names()),
        policies in prop::collection::vec(policies(), 60),
    )| {
        let join = |a: &[String], b: &[String]| [a, b].concat();
        let (less, grown) = runtime.block_on(async {
            (
                token(&pool, &few.0, &few.1, &few.2).await,
                token(&pool, &join(&few.0, &more.0), &join(&few.1, &more.1), &join(&few.2, &more.2)).await,
            )
        });
        for policy in &policies {
            prop_assert!(policy.check(&less).is_err() || policy.check(&grown).is_ok(), "{}", policy);
            // Joining a policy with itself does not change the result.
            let doubled = policy.clone() & policy.clone();
            prop_assert_eq!(doubled.check(&less).is_ok(), policy.check(&less).is_ok());
            let doubled = policy.clone() | policy.clone();
            prop_assert_eq!(doubled.check(&less).is_ok(), policy.check(&less).is_ok());
        }
    });
}

#[tokio::test]
async fn group_grants_access_only_in_its_own_pool() {
    use tower_cognito::{Verifier, policy::Grants};
    let staff = UserPool::builder().pool_id("us-east-1_Staff").start().await.unwrap();
    let shop = UserPool::builder().pool_id("us-east-1_Shop").start().await.unwrap();
    let grants = Grants::new().add_group("admin", ["write:all"]);
    let verifier = Verifier::builder(both_uses(&staff).name("staff").grants(grants))
        .add_pool(both_uses(&shop).name("shop"))
        .build()
        .unwrap();
    for (users, name, met) in [(&staff, "staff", true), (&shop, "shop", false)] {
        let claims = verifier.verify(&users.token("alice").group("admin").sign()).await.unwrap();
        assert_eq!(claims.pool(), name);
        assert_eq!(permission("write:all").check(&claims).is_ok(), met);
        assert_eq!((pool_named("staff") & group("admin")).check(&claims).is_ok(), met);
    }
}

#[test]
fn names_of_the_root_do_not_clash_with_axum_routing() {
    #[allow(
        unused_imports,
        reason = "a name that both have would not compile where it is used"
    )]
    use {axum::routing::*, tower_cognito::*};
    let _route: MethodRouter = any(|| async {}).layer(require(group("staff")));
}
