//! The application without authorization: the cost of axum itself.

use tower::layer::util::Identity;

use crate::{
    subject::{Subject, version_of},
    world::PATH,
};

pub fn subject() -> Subject {
    let app = axum::Router::new().route(PATH, axum::routing::get(handler));
    Subject::request("bare axum", version_of("axum", "0.8"), None, app)
}

pub fn subject_07() -> Subject {
    let app = axum_07::Router::new().route(PATH, axum_07::routing::get(handler));
    Subject::request_07("bare axum", version_of("axum", "0.7"), None, app)
}

/// Two layers that do nothing: the cost of layers in axum.
pub fn idle() -> Subject {
    let app = axum::Router::new()
        .route(PATH, axum::routing::get(handler).layer(Identity::new()))
        .layer(Identity::new());
    Subject::request("axum with two layers that do nothing", version_of("axum", "0.8"), None, app)
}

/// Returns a body of the same length as those of the other handlers.
async fn handler() -> String {
    "00000000-0000-0000-0000-000000000000".to_owned()
}
