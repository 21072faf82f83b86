//! How a request was sent: over TLS or over plain TCP.

use std::sync::Arc;

use axum::{
    extract::{ConnectInfo, Request, State},
    http::{Extensions, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use crate::{http::origin::requested_host, pool::site::Site};

/// The transport of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    Plain,
    Tls,
}

impl Transport {
    /// Returns the transport of a request.
    pub(crate) fn of(extensions: &Extensions) -> Self {
        extensions.get().map_or(Self::Plain, |ConnectInfo(transport)| *transport)
    }
}

/// Redirects requests over plain HTTP to HTTPS if the server uses TLS. Then all requests of a browser for the hosted pages
/// have the same scheme, so all of them send the cookies, which are `Secure`.
pub(crate) async fn require_tls(
    State(site): State<Arc<Site>>,
    request: Request,
    next: Next,
) -> Response {
    if !site.addresses.uses_tls() || Transport::of(request.extensions()) == Transport::Tls {
        return next.run(request).await;
    }
    let base = match requested_host(request.headers()) {
        Some(host) => site.addresses.base_at(host),
        None => site.addresses.endpoint(),
    };
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    match HeaderValue::try_from(format!("{base}{path}")) {
        Ok(location) => {
            (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, location)]).into_response()
        }
        Err(_) => StatusCode::BAD_REQUEST.into_response(),
    }
}
