//! The layer on a plain hyper service, without axum.
//!
//! ```sh
//! cargo run --example plain_hyper
//! ```

#![allow(clippy::print_stdout, reason = "it prints instructions")]

use std::convert::Infallible;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::{body::Incoming, server::conn::http1};
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use tokio::net::TcpListener;
use tower::{Service, ServiceBuilder, service_fn};
use tower_cognito::{
    CognitoLayer, Refusal, Verified, Verifier, require, scope, service::ResponseBody,
};
use tower_cognito_local::UserPool;

/// Greets the user. The rejection of another path gets the format of the layer.
async fn hello(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    if request.uri().path() != "/" {
        return Ok(Refusal::not_found("there is only one page").into());
    }
    let name = request.extensions().get::<Verified>().and_then(Verified::username);
    Ok(Response::new(Full::from(format!("hello, {}", name.unwrap_or("machine")))))
}

type Body = ResponseBody<ResponseBody<Full<Bytes>>>;

/// Returns the service. Its layers require a valid token with the scope `greetings/read`.
pub fn app(
    verifier: Verifier,
) -> impl Service<Request<Incoming>, Response = Response<Body>, Error = Infallible, Future: Send>
+ Clone
+ Send
+ 'static {
    ServiceBuilder::new()
        .layer(CognitoLayer::new(verifier))
        .layer(require(scope("greetings/read")))
        .service(service_fn(hello))
}

/// Accepts connections, and serves each one in its own task.
///
/// # Errors
/// A connection cannot be accepted.
pub async fn serve(listener: TcpListener, verifier: Verifier) -> std::io::Result<()> {
    let app = app(verifier);
    loop {
        let (stream, _) = listener.accept().await?;
        let service = TowerToHyperService::new(app.clone());
        tokio::spawn(async move {
            // An error on one connection does not affect the others.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let pool = UserPool::start().await?;
    let token = pool.token("alice").scope("greetings/read").sign();
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("curl -i http://{} -H 'Authorization: Bearer {token}'", listener.local_addr()?);
    serve(listener, pool.verifier().build()?).await?;
    Ok(())
}
