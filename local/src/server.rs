//! The server of all pools. Dropping it ends its connections and operations.

use std::{
    future::Future,
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::{
    Router, middleware,
    routing::{get, post},
    serve::Listener,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};

use crate::{
    http::{
        api, console, cors, fallback,
        health::health,
        oauth,
        operations::{NoResponse, Operations, run_to_completion},
        request_id::set_request_id,
        well_known,
    },
    pool::site::Site,
};

/// Serves pools until it is dropped.
pub(crate) struct Server {
    task: JoinHandle<()>,
    /// Connections end when this is dropped.
    _running: watch::Sender<()>,
    site: Arc<Site>,
    operations: Arc<Operations>,
}

impl Server {
    pub(crate) fn start(listener: TcpListener, site: Arc<Site>) -> Self {
        let operations = Arc::new(Operations::default());
        let app = router(&site, &operations);
        let (running, stopped) = watch::channel(());
        let listener = StoppableListener { listener, stopped };
        // `axum::serve` never returns: the task runs until it is aborted.
        let task = tokio::spawn(async move { drop(axum::serve(listener, app).await) });
        Self { task, _running: running, site, operations }
    }
}

fn router(site: &Arc<Site>, operations: &Arc<Operations>) -> Router {
    let no_response: NoResponse = api::no_response;
    let state = (Arc::clone(operations), no_response);
    let run = middleware::from_fn_with_state(state, run_to_completion);
    // A layer wraps only the fallbacks that are set before it.
    let called_by_apps = Router::new()
        .route("/", post(api::handle))
        .route_layer(run)
        .merge(oauth::endpoints(operations))
        .merge(well_known::routes())
        .method_not_allowed_fallback(fallback::unsupported_method)
        .route_layer(middleware::from_fn(cors::allow_any_origin));
    Router::new()
        .route("/_local/health", get(health))
        .merge(called_by_apps)
        .merge(oauth::pages(operations))
        .merge(console::routes(site))
        .fallback(fallback::unknown_path)
        .method_not_allowed_fallback(fallback::unsupported_method)
        .layer(middleware::from_fn(set_request_id))
        .with_state(Arc::clone(site))
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
        self.operations.stop();
        // Connections and operations end a little later, but the data file must be free at once.
        if let Some(disk) = &self.site.disk {
            disk.close();
        }
    }
}

/// A listener whose connections end when its server is dropped. `axum::serve` alone would leave them open while a
/// request is incomplete or its handler waits.
struct StoppableListener {
    listener: TcpListener,
    stopped: watch::Receiver<()>,
}

impl Listener for StoppableListener {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        let (stream, address) = Listener::accept(&mut self.listener).await;
        let mut stopped = self.stopped.clone();
        // `changed` fails once the sender is dropped, which never sends.
        let stopped = Box::pin(async move { drop(stopped.changed().await) });
        (Connection { stream, stopped: Some(stopped) }, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// A connection that ends once its server is dropped: reads return end of file, and writes fail.
struct Connection {
    stream: TcpStream,
    /// `None` once the server is dropped.
    stopped: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl Connection {
    /// Returns whether the server was dropped. If not, the task is woken when that happens.
    fn poll_stopped(&mut self, cx: &mut Context<'_>) -> bool {
        if self.stopped.as_mut().is_some_and(|stopped| stopped.as_mut().poll(cx).is_ready()) {
            self.stopped = None;
        }
        self.stopped.is_none()
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.poll_stopped(cx) {
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.poll_stopped(cx) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.poll_stopped(cx) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        Pin::new(&mut self.stream).poll_write_vectored(cx, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use axum::{
        body::Body,
        http::{Request, StatusCode},
    };
    use tower::ServiceExt;

    use super::*;

    #[tokio::test]
    async fn request_that_ends_without_a_response_gets_an_error_in_the_format_of_its_path() {
        let address = ([127, 0, 0, 1], 0).into();
        let site =
            Arc::new(Site::new(address, None, None, ("us-east-1", crate::pool::KeySupply::Shared)));
        let operations = Arc::new(Operations::default());
        // A server that was stopped runs no handlers.
        operations.stop();
        let router = router(&site, &operations);
        for (method, path, content_type) in [
            ("POST", "/", "application/x-amz-json-1.1"),
            ("POST", "/oauth2/token", "application/json;charset=UTF-8"),
            ("GET", "/oauth2/authorize", "text/html; charset=utf-8"),
            ("GET", "/login", "text/html; charset=utf-8"),
            ("POST", "/signup", "text/html; charset=utf-8"),
        ] {
            let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
            let response = router.clone().oneshot(request).await.unwrap();
            assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR, "{path}");
            assert_eq!(response.headers()["content-type"], content_type, "{path}");
        }
    }
}
