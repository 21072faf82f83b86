use axum::{http::StatusCode, response::Response};

use crate::http::oauth::{hosted::page::dead_end, parameters::Query};

/// `/error`, which shows errors of a known name alone.
pub(crate) async fn show(Query(query): Query) -> Response {
    error_page(query.get("error").unwrap_or_default())
}

/// What a person sees when there is no app to go back to.
pub(crate) fn error_page(error: &str) -> Response {
    let (status, text) = match error {
        "invalid_request" => (StatusCode::BAD_REQUEST, "The request lacks a client_id."),
        "invalid_client" => (StatusCode::BAD_REQUEST, "There is no app client of this client_id."),
        "unauthorized_client" => (
            StatusCode::BAD_REQUEST,
            "unauthorized_client: the app client may not sign in here. Allow it OAuth flows and callback URLs.",
        ),
        "redirect_mismatch" => (
            StatusCode::BAD_REQUEST,
            "redirect_mismatch: the address to go back to is not one that the app client has registered, letter \
             by letter.",
        ),
        "invalid_state" => (
            StatusCode::BAD_REQUEST,
            "This sign-in is over, or it was begun in another browser. Go back to the app and sign in again.",
        ),
        "server_error" => {
            (StatusCode::INTERNAL_SERVER_ERROR, "The local pool could not keep its data.")
        }
        _ => (StatusCode::BAD_REQUEST, "An error was encountered with the requested page."),
    };
    dead_end(status, "Something went wrong", text)
}
