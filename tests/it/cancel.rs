//! Each future can be dropped at each await, and the next request still passes.

use std::{convert::Infallible, future::Future, time::Duration};

use axum::{Router, body::Body, routing::get};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tower::{Layer, Service, ServiceExt, service_fn};
use tower_cognito::{Claims, CognitoLayer, Verifier, require, scope};
use tower_cognito_local::UserPool;

use crate::support::{Source, builder};

/// More than any of the futures needs to complete.
const POLLS: usize = 12;

/// Polls a future this number of times, then drops it. Returns whether it completed.
async fn poll_and_drop(future: impl Future, times: usize) -> bool {
    let mut future = Box::pin(future);
    for _ in 0..times {
        if poll_once(future.as_mut()).await {
            return true;
        }
        // Time passes between two polls, so that fetches and handlers make progress.
        tokio::time::sleep(Duration::from_millis(150)).await;
    }
    false
}

async fn poll_once(mut future: std::pin::Pin<&mut impl Future>) -> bool {
    std::future::poll_fn(|cx| std::task::Poll::Ready(future.as_mut().poll(cx).is_ready())).await
}

/// For each number of polls: creates a verifier, drops a future after that number of polls, and checks that the next
/// request passes with one fetch in total.
async fn drop_at_each_await<Fut: Future>(make: impl Fn(Verifier, String) -> Fut) {
    let pool = UserPool::start().await.unwrap();
    let token = pool.token("alice").scope("profile").sign();
    let mut completed = 0;
    for times in 0..POLLS {
        let source = Source::of(&pool);
        source.delay(Duration::from_millis(400));
        let verifier = builder(&pool, &source).build().unwrap();
        completed += u32::from(poll_and_drop(make(verifier.clone(), token.clone()), times).await);
        let claims = verifier.verify(&token).await;
        assert_eq!(claims.unwrap().username(), Some("alice"), "after {times} polls");
        assert_eq!(source.fetches(), 1, "after {times} polls");
        assert_eq!(source.max_in_flight(), 1);
    }
    let completed = usize::try_from(completed).unwrap();
    assert!(completed > 0, "the future never completed, so not every await was tried");
    assert!(completed < POLLS - 2, "the future never waited");
}

#[tokio::test(start_paused = true)]
async fn verify_and_ready_can_be_dropped_at_any_await() {
    drop_at_each_await(|verifier, token| async move { verifier.verify(&token).await.is_ok() })
        .await;
    drop_at_each_await(|verifier, _| async move { verifier.ready().await.is_ok() }).await;
}

#[tokio::test(start_paused = true)]
async fn layer_futures_can_be_dropped_at_any_await() {
    drop_at_each_await(|verifier, token| {
        let layer = (CognitoLayer::new(verifier), require(scope("profile")));
        let mut service = layer.layer(service_fn(slow));
        async move {
            let service = service.ready().await.unwrap();
            service.call(request(&token, ())).await
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn axum_route_can_be_dropped_at_any_await() {
    drop_at_each_await(|verifier, token| {
        let route = get(|claims: Claims| async move {
            tokio::time::sleep(Duration::from_millis(300)).await;
            claims.subject().to_owned()
        });
        let app = Router::new()
            .route("/", route.layer(require(scope("profile"))))
            .layer(CognitoLayer::new(verifier));
        app.oneshot(request(&token, Body::empty()))
    })
    .await;
}

/// The next request runs the check again.
#[tokio::test(start_paused = true)]
async fn async_check_can_be_dropped_while_it_waits() {
    let pool = UserPool::start().await.unwrap();
    let token = pool.token("alice").sign();
    let check = |_| async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        Ok(())
    };
    let verifier = pool.verifier().add_async_check(check).build().unwrap();
    verifier.ready().await.unwrap();
    for times in 0..3 {
        assert!(!poll_and_drop(verifier.verify(&token), times).await);
        assert!(verifier.verify(&token).await.is_ok());
    }
}

async fn slow(_: Request<()>) -> Result<Response<Full<Bytes>>, Infallible> {
    tokio::time::sleep(Duration::from_millis(300)).await;
    Ok(Response::default())
}

fn request<B>(token: &str, body: B) -> Request<B> {
    Request::builder().header("authorization", format!("Bearer {token}")).body(body).unwrap()
}
