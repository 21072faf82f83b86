//! `Verifier::explain` agrees with `Verifier::verify`.

use std::time::Duration;

use tower_cognito::{
    Pool, Verifier,
    verifier::{Explanation, Outcome, Refusal},
};
use tower_cognito_local::UserPool;

use crate::{
    attack,
    support::{ManualClock, Source, builder, header},
};

fn code(explanation: &Explanation) -> Option<Result<(), &'static str>> {
    explanation.verdict().map(|verdict| verdict.map_err(|error| error.code()))
}

/// Returns the steps that the token passed, and the one at which it stopped.
fn stop(explanation: &Explanation) -> (Vec<&'static str>, Option<&'static str>) {
    let mut steps = explanation.steps();
    let passed = steps.by_ref().take_while(|it| matches!(it.outcome(), Outcome::Passed));
    let passed: Vec<_> = passed.map(|step| step.name()).collect();
    assert!(steps.all(|it| matches!(it.outcome(), Outcome::NotReached)));
    let stop = explanation.steps().nth(passed.len()).map(|step| step.name());
    (passed, stop)
}

#[tokio::test]
async fn explain_returns_the_error_of_verify_for_each_attack_and_control() {
    let pool = UserPool::start().await.unwrap();
    let fetched = pool.verifier().unknown_key_window(Duration::from_secs(3600)).build().unwrap();
    fetched.ready().await.unwrap();
    let fixed = Pool::custom(pool.issuer(), pool.jwks_uri())
        .access_tokens([pool.client_id()])
        .id_tokens([pool.client_id()])
        .static_keys(pool.key_set().unwrap());
    let fixed = Verifier::builder(fixed).build().unwrap();
    let tokens = attack::tokens(&pool);
    let mut verdicts = std::collections::BTreeMap::<_, usize>::new();
    for token in &tokens {
        for verifier in [&fetched, &fixed] {
            let explanation = verifier.explain(token);
            let verified = verifier.verify(token).await;
            match explanation.verdict() {
                Some(Ok(())) => assert!(verified.is_ok()),
                Some(Err(error)) => {
                    let expected = verified.unwrap_err();
                    assert_eq!(
                        (error.code(), error.detail()),
                        (expected.code(), expected.detail())
                    );
                }
                None => assert_eq!(verified.unwrap_err().code(), "unknown_key"),
            }
            assert_eq!(
                explanation.verdict().is_none(),
                explanation.to_string().contains("undecided")
            );
            *verdicts.entry(code(&explanation).map(Result::err)).or_default() += 1;
            let text = format!("{explanation} {explanation:?}");
            let parts = token.split('.').filter(|part| part.len() > 20);
            assert!(parts.into_iter().all(|part| !text.contains(part)), "a token is shown");
            assert!(!text.contains(attack::USER), "a claim is shown");
        }
    }
    let has = |code| verdicts.contains_key(&Some(Some(code)));
    for code in [
        "malformed_token",
        "unsupported_algorithm",
        "untrusted_issuer",
        "unknown_key",
        "bad_signature",
    ] {
        assert!(has(code), "{code}: {verdicts:?}");
    }
    for code in ["invalid_claim", "token_expired", "wrong_client", "wrong_audience"] {
        assert!(has(code), "{code}: {verdicts:?}");
    }
    assert!(verdicts.contains_key(&Some(None)) && verdicts.contains_key(&None), "{verdicts:?}");
}

#[tokio::test]
async fn claims_are_not_explained_if_the_signature_is_invalid() {
    let pool = UserPool::start().await.unwrap();
    let verifier = pool.verifier().build().unwrap();
    verifier.ready().await.unwrap();
    let expired = pool.token("alice").expired().sign();
    let (message, signature) = expired.rsplit_once('.').unwrap();
    let other = pool.token("bob").sign();
    let forged = format!("{message}.{}", other.rsplit_once('.').unwrap().1);
    assert_ne!(other.rsplit_once('.').unwrap().1, signature);
    let explanation = verifier.explain(&forged);
    assert_eq!(stop(&explanation), (vec!["form", "issuer", "key"], Some("signature")));
    assert!(!explanation.to_string().contains("expired"));
    let explanation = verifier.explain(&expired);
    assert_eq!(code(&explanation), Some(Err("token_expired")));
    let passed = vec!["form", "issuer", "key", "signature", "dates"];
    assert_eq!(stop(&explanation), (passed, Some("expiry")));
    assert!(
        explanation
            .to_string()
            .contains("\nexpiry: failed (token_expired): the token has expired\n  get a new")
    );
}

#[tokio::test(start_paused = true)]
async fn explain_fetches_nothing() {
    let pool = UserPool::start().await.unwrap();
    let source = Source::of(&pool);
    let clock = ManualClock::new();
    let verifier = builder(&pool, &source).clock(clock.clone()).build().unwrap();
    let token = pool.token("alice").expires_in(Duration::from_secs(100_000)).sign();
    let tasks = tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let explanation = verifier.explain(&token);
    assert_eq!(stop(&explanation), (vec!["form", "issuer"], Some("key")));
    assert!(explanation.to_string().contains("key: undecided: the key is not in memory"));
    tokio::time::sleep(Duration::from_secs(3600)).await;
    assert_eq!(source.fetches(), 0);
    assert_eq!(tokio::runtime::Handle::current().metrics().num_alive_tasks(), tasks);

    verifier.ready().await.unwrap();
    assert_eq!(code(&verifier.explain(&token)), Some(Ok(())));
    // Keys past their lifetime are still in memory, and keys past the limit are not used.
    clock.advance(Duration::from_secs(3600));
    assert_eq!(code(&verifier.explain(&token)), Some(Ok(())));
    let fetches = source.fetches();
    tokio::task::yield_now().await;
    assert_eq!(source.fetches(), fetches);
    clock.advance(Duration::from_secs(86_400));
    assert_eq!(code(&verifier.explain(&token)), None);
}

#[tokio::test]
async fn own_checks_are_the_last_step() {
    let pool = UserPool::start().await.unwrap();
    let token = pool.token("alice").sign();
    let last = |explanation: &Explanation| explanation.steps().last().unwrap().name();
    let plain = pool.verifier().build().unwrap();
    plain.ready().await.unwrap();
    assert_eq!(last(&plain.explain(&token)), "user");
    let refusing = pool.verifier().add_check(|_| Err(Refusal::forbidden("no"))).build().unwrap();
    refusing.ready().await.unwrap();
    assert_eq!(last(&refusing.explain(&token)), "checks");
    assert_eq!(code(&refusing.explain(&token)), Some(Err("forbidden_by_check")));
    // The error of a check is the service's own, whatever its kind.
    let foreign = pool.verifier().add_check(|_| Err(Refusal::not_found("no"))).build().unwrap();
    foreign.ready().await.unwrap();
    let explanation = foreign.explain(&token);
    assert!(explanation.steps().last().unwrap().advice().unwrap().contains("add_check"));
    let accepting = pool.verifier().add_check(|_| Ok(())).build().unwrap();
    accepting.ready().await.unwrap();
    assert_eq!(code(&accepting.explain(&token)), Some(Ok(())));
    let waiting = pool.verifier().add_async_check(|_| async { Ok(()) }).build().unwrap();
    waiting.ready().await.unwrap();
    assert_eq!(code(&waiting.explain(&token)), None);
    assert_eq!(code(&waiting.explain("x")), Some(Err("malformed_token")));
}

#[tokio::test]
async fn foreign_issuer_is_explained_by_the_configured_ones() {
    let pool = UserPool::start().await.unwrap();
    let verifier = pool.verifier().build().unwrap();
    let mut payload = pool.token("alice").payload();
    payload["iss"] = "https://elsewhere.test".into();
    let token = pool.sign_parts(header(&pool).to_string(), payload.to_string());
    let explanation = verifier.explain(&token);
    assert_eq!(stop(&explanation), (vec!["form"], Some("issuer")));
    let advice = explanation.steps().nth(1).unwrap().advice().unwrap();
    assert!(advice.contains(pool.issuer()), "{advice}");
    assert!(!explanation.to_string().contains("elsewhere"));
    verifier.remove_pool(&verifier.health()[0].pool);
    assert!(verifier.explain(&token).to_string().contains("has no pool"));
    for number in 0..20 {
        let tenant = Pool::new(format!("eu-west-1_{number}")).access_tokens(["web"]);
        verifier.add_pool(tenant).unwrap();
    }
    let text = verifier.explain(&token).to_string();
    assert!(text.contains(" and 32 more"), "{text}");
}
