//! A WebSocket and server-sent events that end when the token expires.
//!
//! ```sh
//! cargo run --example streams
//! ```

#![allow(clippy::print_stdout, reason = "it prints instructions")]
#![allow(clippy::disallowed_methods, reason = "only tests of the crate itself need another clock")]

use std::{
    convert::Infallible,
    time::{Duration, SystemTime},
};

use axum::{
    Router,
    extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade},
    response::{
        Response,
        sse::{Event, Sse},
    },
    routing::{any, get},
};
use futures_util::{Stream, StreamExt, stream};
use tokio::{
    net::TcpListener,
    time::{interval, sleep},
};
use tower_cognito::{Claims, CognitoLayer, ConfigError, Verifier, service::Credential};
use tower_cognito_local::UserPool;

/// The code with which a WebSocket is closed when its token has expired. Codes from 4000 are for applications.
pub const TOKEN_EXPIRED: u16 = 4401;

/// Returns the API.
///
/// A page in a browser cannot set the `Authorization` header of a WebSocket or an `EventSource`. It sends the token as
/// an entry of the WebSocket's protocols, or in a cookie.
///
/// # Errors
/// The name of a cookie or protocol is not allowed.
pub fn app(verifier: Verifier) -> Result<Router, ConfigError> {
    let places = [
        Credential::authorization(),
        Credential::websocket_protocol("bearer")?,
        // The layer rejects cookies in requests that pages of other origins cause.
        Credential::cookie("token")?,
    ];
    Ok(Router::new()
        .route("/socket", any(socket))
        .route("/events", get(events))
        .layer(CognitoLayer::new(verifier).credentials(places)))
}

/// Accepts a WebSocket.
async fn socket(claims: Claims, upgrade: WebSocketUpgrade) -> Response {
    // A browser that sent protocols closes the connection unless the response names one of them. The response must not
    // repeat the token, which is the second one.
    upgrade.protocols(["bearer"]).on_upgrade(|socket| serve(socket, claims))
}

/// Serves a WebSocket until its client leaves or its token expires.
async fn serve(mut socket: WebSocket, claims: Claims) {
    let expired = tokio::select! {
        () = echo(&mut socket, &claims) => false,
        () = sleep(time_left(&claims)) => true,
    };
    if expired {
        let reason = "the token has expired".into();
        // The client may have left already.
        let _ = socket.send(Message::Close(Some(CloseFrame { code: TOKEN_EXPIRED, reason }))).await;
    }
}

/// Returns each text to its sender, with the sender's name.
async fn echo(socket: &mut WebSocket, claims: &Claims) {
    let name = claims.username().unwrap_or("machine");
    while let Some(Ok(message)) = socket.recv().await {
        if let Message::Text(text) = message
            && socket.send(format!("{name}: {text}").into()).await.is_err()
        {
            return;
        }
    }
}

/// Sends an event every second until the token expires.
async fn events(claims: Claims) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let events = stream::unfold(interval(Duration::from_secs(1)), |mut seconds| async {
        seconds.tick().await;
        Some((Ok(Event::default().data("tick")), seconds))
    });
    Sse::new(events.take_until(sleep(time_left(&claims))))
}

fn time_left(claims: &Claims) -> Duration {
    claims.expires_at().duration_since(SystemTime::now()).unwrap_or_default()
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let pool = UserPool::start().await?;
    let token = pool.token("alice").expires_in(Duration::from_secs(60)).sign();
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    println!("In a shell, for one minute:\n");
    println!("curl -N http://{address}/events -H 'Authorization: Bearer {token}'\n");
    println!("In the console of a browser:\n");
    println!("socket = new WebSocket('ws://{address}/socket', ['bearer', '{token}'])");
    println!("socket.onmessage = (message) => console.log(message.data)");
    println!("socket.onclose = (close) => console.log(close.code)   // {TOKEN_EXPIRED}");
    println!("socket.send('hello')");
    axum::serve(listener, app(pool.verifier().build()?)?).await?;
    Ok(())
}
