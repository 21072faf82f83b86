//! Responses that continue after their token has expired.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    http::{Request, StatusCode},
    routing::get,
};
use http_body::Frame;
use http_body_util::BodyExt;
use tokio::time::{Instant, Interval, Sleep, interval, sleep_until};
use tower::ServiceExt;
use tower_cognito::{CognitoLayer, Verified};
use tower_cognito_local::UserPool;

use crate::support::{tokio_clock, wall_time};

/// A body with an event every ten seconds, which ends at an instant or never.
struct Events {
    ticks: Interval,
    end: Option<Pin<Box<Sleep>>>,
}

impl Events {
    fn new(end: Option<Instant>) -> Self {
        let end = end.map(|end| Box::pin(sleep_until(end)));
        Self { ticks: interval(Duration::from_secs(10)), end }
    }
}

impl http_body::Body for Events {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if let Some(end) = &mut self.end
            && end.as_mut().poll(cx).is_ready()
        {
            return Poll::Ready(None);
        }
        self.ticks.poll_tick(cx).map(|_| Some(Ok(Frame::data(Bytes::from("data: tick\n\n")))))
    }
}

#[tokio::test(start_paused = true)]
async fn stream_continues_past_token_expiry_unless_the_handler_ends_it() {
    let pool = UserPool::start().await.unwrap();
    let (start, now) = (wall_time(), Instant::now());
    let verifier = pool.verifier().clock(tokio_clock()).build().unwrap();
    verifier.ready().await.unwrap();
    let app = Router::new()
        .route("/endless", get(|_: Verified| async { Body::new(Events::new(None)) }))
        .route(
            "/until-expiry",
            get(move |token: Verified| async move {
                let left = token.expires_at().duration_since(start).unwrap_or_default();
                Body::new(Events::new(Some(now + left)))
            }),
        )
        .layer(CognitoLayer::new(verifier));
    let open = async |path: &str| {
        let token = pool.token("alice").issued_at(start + now.elapsed());
        let token = token.expires_in(Duration::from_secs(65)).sign();
        let request = Request::get(path).header("authorization", format!("Bearer {token}"));
        let response = app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        response.into_body()
    };
    let mut events = 0;
    let mut body = open("/until-expiry").await;
    while let Some(frame) = body.frame().await {
        events += usize::from(frame.unwrap().is_data());
    }
    // At 0, 10, ... and 60 s.
    assert_eq!(events, 7);
    // The layer does not end the other stream.
    let mut body = open("/endless").await;
    for _ in 0..100 {
        assert!(body.frame().await.is_some_and(|frame| frame.is_ok()));
    }
}
