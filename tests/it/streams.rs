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
use futures_util::{SinkExt, StreamExt};
use http_body::Frame;
use http_body_util::BodyExt;
use tokio::time::{Instant, Interval, Sleep, interval, sleep_until, timeout};
use tokio_tungstenite::{
    connect_async,
    tungstenite::{Error, Message, client::IntoClientRequest},
};
use tower::ServiceExt;
use tower_cognito::{CognitoLayer, Verified};
use tower_cognito_local::UserPool;

use crate::support::{
    example::streams::{TOKEN_EXPIRED, app},
    serve, tokio_clock, wall_time,
};

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

#[tokio::test]
async fn websocket_is_accepted_with_its_protocol_and_closed_when_its_token_expires() {
    let pool = UserPool::start().await.unwrap();
    let address = serve(app(pool.verifier().build().unwrap()).unwrap()).await;
    let mut request = format!("ws://{address}/socket").into_client_request().unwrap();
    let protocols = format!("bearer, {}", pool.token("alice").sign());
    request.headers_mut().insert("sec-websocket-protocol", protocols.parse().unwrap());
    let (mut socket, response) = connect_async(request).await.unwrap();
    // The response names the protocol, and does not repeat the token.
    assert_eq!(response.headers()["sec-websocket-protocol"], "bearer");
    socket.send("hello".into()).await.unwrap();
    assert_eq!(socket.next().await.unwrap().unwrap(), Message::text("alice: hello"));
    // The token is valid for an hour.
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(60 * 60 + 1)).await;
    let message = timeout(Duration::from_secs(60 * 60), socket.next()).await.unwrap();
    let Message::Close(Some(close)) = message.unwrap().unwrap() else {
        panic!("the socket must be closed");
    };
    assert_eq!(u16::from(close.code), TOKEN_EXPIRED);
}

#[tokio::test]
async fn websocket_handshake_is_rejected_without_a_token_and_from_other_origins() {
    let pool = UserPool::start().await.unwrap();
    let address = serve(app(pool.verifier().build().unwrap()).unwrap()).await;
    let token = pool.token("alice").sign();
    let cookie = format!("token={token}");
    let bearer = format!("Bearer {token}");
    let origin = format!("http://{address}");
    for (headers, status) in [
        (vec![], 401),
        (vec![("sec-websocket-protocol", "bearer, x")], 401),
        (vec![("authorization", bearer.as_str())], 101),
        (vec![("cookie", cookie.as_str()), ("origin", origin.as_str())], 101),
        (vec![("cookie", cookie.as_str()), ("origin", "https://other.example.com")], 403),
    ] {
        let mut request = format!("ws://{address}/socket").into_client_request().unwrap();
        for (name, value) in &headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        let found = match connect_async(request).await {
            Ok((_, response)) => response.status(),
            Err(Error::Http(response)) => response.status(),
            Err(error) => panic!("{error}"),
        };
        assert_eq!(found, status);
    }
}

#[tokio::test]
async fn server_sent_events_end_when_the_token_expires() {
    let pool = UserPool::start().await.unwrap();
    let address = serve(app(pool.verifier().build().unwrap()).unwrap()).await;
    let request = reqwest::Client::new().get(format!("http://{address}/events"));
    let mut response = request.bearer_auth(pool.token("alice").sign()).send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    assert_eq!(response.chunk().await.unwrap().unwrap(), "data: tick\n\n");
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(60 * 60 + 1)).await;
    // Some events may have been sent before.
    for _ in 0..100 {
        if response.chunk().await.unwrap().is_none() {
            return;
        }
    }
    panic!("the stream must end");
}
