//! Sessions: refresh, rotation, revocation and sign-out.

use std::{sync::Arc, time::Duration};

use proptest::prelude::*;
use serde_json::{Value, json};
use tower_cognito_local::UserPool;

use crate::support::{
    cognito::{
        Outcome, PASSWORD, call, error, has_tokens, initiate, is, payload, pool_with, sign_in,
        token,
    },
    function::{Function, Late, Outcome as Answer},
};

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

const OTHER: &str =
    "[[aws_cognito_user_pool_client]]\n[[aws_cognito_user_pool_client]]\nclient_id = \"other\"\n";

async fn refresh(pool: &UserPool, token: &str) -> Outcome {
    initiate(pool, "REFRESH_TOKEN_AUTH", json!({ "REFRESH_TOKEN": token })).await
}

async fn get_tokens(pool: &UserPool, token: &str) -> Outcome {
    let input = json!({ "ClientId": pool.client_id(), "RefreshToken": token });
    call(pool, "GetTokensFromRefreshToken", input).await
}

async fn revoke(pool: &UserPool, client: &str, token: &str) -> Outcome {
    call(pool, "RevokeToken", json!({ "ClientId": client, "Token": token })).await
}

async fn get_user(pool: &UserPool, access: &str) -> Outcome {
    call(pool, "GetUser", json!({ "AccessToken": access })).await
}

/// The tokens of a sign-in.
struct Signed {
    access: String,
    id: String,
    refresh: String,
}

async fn signed(pool: &UserPool, name: &str) -> Signed {
    let response = sign_in(pool, name, PASSWORD).await.unwrap();
    let [access, id, refresh] =
        ["AccessToken", "IdToken", "RefreshToken"].map(|name| token(&response, name));
    Signed { access, id, refresh }
}

fn invalid() -> (String, String) {
    is("NotAuthorizedException", "Invalid Refresh Token")
}

fn revoked() -> (String, String) {
    is("NotAuthorizedException", "Access Token has been revoked")
}

fn refresh_revoked() -> (String, String) {
    is("NotAuthorizedException", "Refresh Token has been revoked")
}

#[tokio::test]
async fn refresh_issues_new_tokens_of_the_same_session() {
    let pool = pool_with("", &["alice"]).await;
    let first = signed(&pool, "alice").await;
    assert_eq!(first.refresh.split('.').count(), 5);
    pool.advance(2 * MINUTE);
    let verifier = crate::support::full_verifier(&pool).clock(ahead(2 * MINUTE)).build().unwrap();
    for response in [refresh(&pool, &first.refresh).await, get_tokens(&pool, &first.refresh).await]
    {
        let response = response.unwrap();
        // Without rotation, no new refresh token is issued.
        assert!(response["AuthenticationResult"].get("RefreshToken").is_none());
        assert_eq!(response["AuthenticationResult"]["ExpiresIn"], 3600);
        for (name, before) in [("AccessToken", &first.access), ("IdToken", &first.id)] {
            let (new, old) = (payload(&token(&response, name)), payload(before));
            for kept in ["auth_time", "origin_jti", "sub"] {
                assert_eq!(new[kept], old[kept], "{name} {kept}");
            }
            for other in ["jti", "iat", "exp"] {
                assert_ne!(new[other], old[other], "{name} {other}");
            }
            assert!(verifier.verify(&token(&response, name)).await.is_ok());
        }
        assert!(get_user(&pool, &token(&response, "AccessToken")).await.is_ok());
    }
}

fn ahead(by: Duration) -> impl tower_cognito::verifier::Clock {
    move || crate::support::wall_time() + by
}

#[tokio::test]
async fn refresh_token_expires_with_its_session() {
    let pool = pool_with(
        "[[aws_cognito_user_pool_client]]\nrefresh_token_validity = 90\n\
         [aws_cognito_user_pool_client.token_validity_units]\n\
         refresh_token = \"minutes\"\naccess_token = \"minutes\"\nid_token = \"minutes\"\n",
        &["alice"],
    )
    .await;
    let first = signed(&pool, "alice").await;
    pool.advance(89 * MINUTE);
    assert!(has_tokens(&refresh(&pool, &first.refresh).await));
    pool.advance(MINUTE);
    assert_eq!(error(refresh(&pool, &first.refresh).await), invalid());
    assert_eq!(error(get_tokens(&pool, &first.refresh).await), invalid());
}

#[tokio::test]
async fn refresh_token_is_bound_to_its_client() {
    let pool = pool_with(OTHER, &["alice"]).await;
    let first = signed(&pool, "alice").await;
    let input = json!({ "ClientId": "other", "RefreshToken": first.refresh });
    assert_eq!(error(call(&pool, "GetTokensFromRefreshToken", input).await), invalid());
    let input = json!({
        "ClientId": "other",
        "AuthFlow": "REFRESH_TOKEN_AUTH",
        "AuthParameters": { "REFRESH_TOKEN": first.refresh },
    });
    assert_eq!(error(call(&pool, "InitiateAuth", input).await), invalid());
    for other in [&first.access, &first.id, "", "a.b.c.d.e"] {
        assert_eq!(error(refresh(&pool, other).await), invalid());
    }
    assert!(has_tokens(&refresh(&pool, &first.refresh).await));
}

#[tokio::test]
async fn refresh_and_revocation_require_the_client_secret() {
    let pool = pool_with(
        "[[aws_cognito_user_pool_client]]\n\
         [[aws_cognito_user_pool_client]]\nclient_id = \"secret\"\nclient_secret = \"a_secret_of_24_characters\"\n",
        &["alice"],
    )
    .await;
    let first = signed(&pool, "alice").await;
    for (operation, name, member) in [
        ("GetTokensFromRefreshToken", "NotAuthorizedException", "RefreshToken"),
        ("RevokeToken", "UnauthorizedException", "Token"),
    ] {
        for secret in [Value::Null, json!("another_of_24_characters")] {
            let input = json!({
                "ClientId": "secret", "ClientSecret": secret, member: first.refresh,
            });
            assert_eq!(error(call(&pool, operation, input).await).0, name);
        }
        let input = json!({
            "ClientId": pool.client_id(), "ClientSecret": "a_secret_of_24_characters", member: first.refresh,
        });
        assert_eq!(error(call(&pool, operation, input).await).0, name);
    }
}

fn rotation(grace: u64) -> String {
    format!(
        "[[aws_cognito_user_pool_client]]\nrefresh_token_rotation = \
         {{ feature = \"ENABLED\", retry_grace_period_seconds = {grace} }}\n"
    )
}

async fn rotating(grace: u64) -> UserPool {
    pool_with(&rotation(grace), &["alice", "bob"]).await
}

fn reused() -> String {
    "RefreshTokenReuseException".to_owned()
}

#[tokio::test]
async fn reuse_of_a_rotated_token_revokes_its_session() {
    let pool = rotating(0).await;
    let [first, other] = [signed(&pool, "alice").await, signed(&pool, "alice").await];
    let response = get_tokens(&pool, &first.refresh).await.unwrap();
    let (second, access) = (token(&response, "RefreshToken"), token(&response, "AccessToken"));
    assert_ne!(second, first.refresh);
    let response = get_tokens(&pool, &second).await.unwrap();
    let third = token(&response, "RefreshToken");
    assert_eq!(payload(&access)["origin_jti"], payload(&first.access)["origin_jti"]);

    assert_eq!(error(get_tokens(&pool, &first.refresh).await).0, reused());
    for dead in [&first.refresh, &second, &third] {
        assert!(!has_tokens(&get_tokens(&pool, dead).await));
    }
    assert_eq!(error(get_tokens(&pool, &third).await), refresh_revoked());
    for access in [&first.access, &access] {
        assert_eq!(error(get_user(&pool, access).await), revoked());
    }
    // Other sessions of the user stay valid.
    assert!(has_tokens(&get_tokens(&pool, &other.refresh).await));
    assert!(get_user(&pool, &other.access).await.is_ok());
}

#[tokio::test]
async fn rotated_token_is_valid_during_the_grace_period() {
    let pool = rotating(30).await;
    let first = signed(&pool, "alice").await;
    let second = token(&get_tokens(&pool, &first.refresh).await.unwrap(), "RefreshToken");
    pool.advance(Duration::from_secs(20));
    assert!(has_tokens(&get_tokens(&pool, &first.refresh).await));
    // Use does not extend the grace period.
    pool.advance(Duration::from_secs(10));
    assert_eq!(error(get_tokens(&pool, &first.refresh).await).0, reused());
    assert_eq!(error(get_tokens(&pool, &second).await), refresh_revoked());
}

#[tokio::test]
async fn grace_period_is_checked_when_the_request_arrives() {
    const SLOW_CALL: usize = 3;
    let late = Late::default();
    let pool_of_trigger = Arc::clone(&late);
    let function = Function::answering(move |number, event| {
        if number == SLOW_CALL {
            pool_of_trigger.get().unwrap().advance(Duration::from_secs(20));
        }
        Answer::Json(event)
    })
    .await;
    let toml = format!(
        "[aws_cognito_user_pool.lambda_config]\npre_token_generation = \"{}\"\n{}",
        function.url(),
        rotation(30)
    );
    let pool = Arc::new(pool_with(&toml, &["alice"]).await);
    late.set(Arc::clone(&pool)).unwrap();
    let first = signed(&pool, "alice").await;
    get_tokens(&pool, &first.refresh).await.unwrap();
    pool.advance(Duration::from_secs(20));
    let response = get_tokens(&pool, &first.refresh).await.unwrap();
    assert_eq!(function.count(), SLOW_CALL);
    get_tokens(&pool, &token(&response, "RefreshToken")).await.unwrap();
    assert_eq!(error(get_tokens(&pool, &first.refresh).await).0, reused());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_of_many_concurrent_rotations_of_a_token_succeeds() {
    let pool = Arc::new(rotating(0).await);
    let first = signed(&pool, "alice").await;
    let mut tries = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (pool, refresh) = (Arc::clone(&pool), first.refresh.clone());
        tries.spawn(async move { has_tokens(&get_tokens(&pool, &refresh).await) });
    }
    assert_eq!(tries.join_all().await.into_iter().filter(|won| *won).count(), 1);
}

#[tokio::test]
async fn rotation_does_not_extend_a_session_and_disables_refresh_token_auth() {
    let pool = rotating(0).await;
    let first = signed(&pool, "alice").await;
    assert_eq!(
        error(refresh(&pool, &first.refresh).await),
        is("InvalidParameterException", "REFRESH_TOKEN_AUTH flow not enabled for this client")
    );
    pool.advance(29 * DAY);
    let second = token(&get_tokens(&pool, &first.refresh).await.unwrap(), "RefreshToken");
    pool.advance(DAY);
    assert_eq!(error(get_tokens(&pool, &second).await), invalid());
}

#[tokio::test]
async fn revocation_ends_one_session_and_leaves_others() {
    let pool = pool_with(OTHER, &["alice"]).await;
    let [first, other] = [signed(&pool, "alice").await, signed(&pool, "alice").await];
    let later = token(&refresh(&pool, &first.refresh).await.unwrap(), "AccessToken");
    assert_eq!(error(revoke(&pool, "other", &first.refresh).await).0, "UnauthorizedException");
    assert_eq!(error(revoke(&pool, "nobody", &first.refresh).await).0, "UnauthorizedException");
    for token in [&first.access, &first.id] {
        assert_eq!(
            error(revoke(&pool, pool.client_id(), token).await).0,
            "UnsupportedTokenTypeException"
        );
    }
    assert!(get_user(&pool, &first.access).await.is_ok());
    // Revoking twice is not an error.
    for _ in 0..2 {
        assert_eq!(revoke(&pool, pool.client_id(), &first.refresh).await, Ok(json!({})));
    }
    assert_eq!(revoke(&pool, pool.client_id(), "a.b.c.d.e").await, Ok(json!({})));
    for access in [&first.access, &later] {
        assert_eq!(error(get_user(&pool, access).await), revoked());
    }
    assert_eq!(error(refresh(&pool, &first.refresh).await), refresh_revoked());
    assert_eq!(error(get_tokens(&pool, &first.refresh).await), refresh_revoked());
    assert!(get_user(&pool, &other.access).await.is_ok());
    assert!(has_tokens(&refresh(&pool, &other.refresh).await));
}

#[tokio::test]
async fn client_without_revocation_cannot_revoke_tokens() {
    let pool = pool_with(
        "[[aws_cognito_user_pool_client]]\nenable_token_revocation = false\n",
        &["alice"],
    )
    .await;
    let first = signed(&pool, "alice").await;
    assert_eq!(
        error(revoke(&pool, pool.client_id(), &first.refresh).await).0,
        "UnsupportedOperationException"
    );
    assert!(has_tokens(&refresh(&pool, &first.refresh).await));
}

#[tokio::test]
async fn global_sign_out_ends_all_sessions_of_one_user() {
    let pool = pool_with("", &["alice", "bob"]).await;
    for by_admin in [false, true] {
        let [first, second] = [signed(&pool, "alice").await, signed(&pool, "alice").await];
        let bob = signed(&pool, "bob").await;
        let done = if by_admin {
            let input = json!({ "UserPoolId": pool.id().as_str(), "Username": "ALICE" });
            call(&pool, "AdminUserGlobalSignOut", input).await
        } else {
            call(&pool, "GlobalSignOut", json!({ "AccessToken": first.access })).await
        };
        assert_eq!(done, Ok(json!({})));
        for one in [&first, &second] {
            assert_eq!(error(get_user(&pool, &one.access).await), revoked());
            assert_eq!(error(refresh(&pool, &one.refresh).await), refresh_revoked());
        }
        assert!(get_user(&pool, &bob.access).await.is_ok());
        assert!(has_tokens(&refresh(&pool, &bob.refresh).await));
        // A sign-in right afterwards works.
        assert!(get_user(&pool, &signed(&pool, "alice").await.access).await.is_ok());
    }
    let missing = json!({ "UserPoolId": pool.id().as_str(), "Username": "nobody" });
    assert_eq!(
        error(call(&pool, "AdminUserGlobalSignOut", missing).await).0,
        "UserNotFoundException"
    );
}

#[tokio::test]
async fn only_valid_access_tokens_of_this_pool_are_accepted() {
    let pool = pool_with("", &["alice"]).await;
    let other_pool =
        UserPool::builder().pool_id("us-east-1_Elsewhere").own_keys().start().await.unwrap();
    let first = signed(&pool, "alice").await;
    let sub = payload(&first.access)["sub"].clone();
    let invalid_token = is("NotAuthorizedException", "Invalid Access Token");
    let (head, signature) = first.access.rsplit_once('.').unwrap();
    let tampered =
        format!("{head}.{}{}", if signature.starts_with('A') { "B" } else { "A" }, &signature[1..]);
    let (_, other_signature) = signed(&pool, "alice")
        .await
        .access
        .rsplit_once('.')
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .unwrap();
    for token in [
        first.id.clone(),
        first.refresh.clone(),
        tampered,
        format!("{head}.{other_signature}"),
        format!("{head}."),
        "a.b.c".to_owned(),
        other_pool.token("alice").claim("sub", sub.clone()).sign(),
        other_pool.token("alice").claim("sub", sub.clone()).claim("iss", pool.issuer()).sign(),
        pool.token("alice").claim("sub", sub.clone()).client("unknown").sign(),
    ] {
        assert_eq!(error(get_user(&pool, &token).await), invalid_token);
    }
    assert_eq!(
        error(get_user(&pool, &pool.token("alice").scope("openid").sign()).await),
        is("NotAuthorizedException", "Access Token does not have required scopes")
    );
    let unknown_user = pool.token("nobody").sign();
    assert_eq!(error(get_user(&pool, &unknown_user).await).0, "UserNotFoundException");
    pool.advance(61 * MINUTE);
    assert_eq!(
        error(get_user(&pool, &first.access).await),
        is("NotAuthorizedException", "Access Token has expired")
    );
}

#[tokio::test]
async fn session_of_a_deleted_user_is_invalid_for_a_new_user_with_the_same_name() {
    let pool = pool_with("", &["alice"]).await;
    let first = signed(&pool, "alice").await;
    let id = pool.id().as_str();
    let named = json!({ "UserPoolId": id, "Username": "alice" });
    call(&pool, "AdminDisableUser", named.clone()).await.unwrap();
    // Disabling a user also signs that user out.
    assert_eq!(error(refresh(&pool, &first.refresh).await), refresh_revoked());
    assert_eq!(error(get_user(&pool, &first.access).await), revoked());
    call(&pool, "AdminDeleteUser", named).await.unwrap();
    let input = json!({ "ClientId": pool.client_id(), "Username": "alice", "Password": PASSWORD });
    call(&pool, "SignUp", input).await.unwrap();
    assert_eq!(error(refresh(&pool, &first.refresh).await), invalid());
    assert_eq!(error(get_user(&pool, &first.access).await).0, "UserNotFoundException");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn refresh_token_with_any_edit_is_rejected(edit in edits()) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let pool = pool_with("", &["alice"]).await;
            let first = signed(&pool, "alice").await;
            let edited = edit.apply(&first.refresh);
            if edited != first.refresh {
                assert_eq!(error(refresh(&pool, &edited).await), invalid());
                let is_allowed = |character: char| character.is_ascii_alphanumeric() || "-_=.".contains(character);
                let response = error(get_tokens(&pool, &edited).await);
                if edited.is_empty() || !edited.chars().all(is_allowed) {
                    assert_eq!(response.0, "InvalidParameterException");
                } else {
                    assert_eq!(response, invalid());
                }
            }
            assert!(has_tokens(&refresh(&pool, &first.refresh).await));
        });
    }
}

/// An edit of a string at one position.
#[derive(Debug, Clone)]
enum Edit {
    Replace(usize, char),
    Remove(usize),
    Insert(usize, char),
    Cut(usize),
}

fn edits() -> impl Strategy<Value = Edit> {
    let character = proptest::char::range('!', '~');
    prop_oneof![
        (any::<usize>(), character.clone())
            .prop_map(|(at, character)| Edit::Replace(at, character)),
        any::<usize>().prop_map(Edit::Remove),
        (any::<usize>(), character).prop_map(|(at, character)| Edit::Insert(at, character)),
        any::<usize>().prop_map(Edit::Cut),
    ]
}

impl Edit {
    fn apply(&self, text: &str) -> String {
        let mut characters: Vec<_> = text.chars().collect();
        let place = |at: usize| at % text.len();
        match *self {
            Self::Replace(at, character) => characters[place(at)] = character,
            Self::Remove(at) => drop(characters.remove(place(at))),
            Self::Insert(at, character) => characters.insert(place(at), character),
            Self::Cut(at) => characters.truncate(place(at)),
        }
        characters.into_iter().collect()
    }
}
