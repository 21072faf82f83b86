//! `GET /confirmUser`: confirms a user who opens the link in a message.

use std::sync::Arc;

use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use maud::html;

use crate::{
    domain::sign_up::{self, TakesAliases},
    error::Error,
    http::oauth::{
        hosted::{
            form_input::{check_code, check_user_name, must_be_hidden},
            page::user_facing_message,
        },
        message_page::{PageError, content_page, document},
        parameters::{Parameters, Query},
        paths,
        sign_in_page::sign_in_page,
    },
    model::Client,
    pool::{Pool, site::Site},
    triggers::Metadata,
};

const INCOMPLETE: &str =
    "The link is incomplete. Open the link in the message, or copy the whole link.";

/// The text does not reveal whether an unconfirmed user has the name in the link.
const INVALID: &str = "The link is invalid or has expired, or it was already used. If you cannot sign in, request a \
                       new one.";

/// Confirms the user, and shows the result. Like Cognito's page, it does not redirect.
pub(crate) async fn handle(State(site): State<Arc<Site>>, Query(query): Query) -> Response {
    let Some((pool, client)) = query.get("client_id").and_then(|id| site.client(id)) else {
        return PageError::new("invalid_client").into_response();
    };
    let links = html! {
        p class="links" {
            @if let Some(address) = sign_in_page(&client.settings) {
                a href=(address) { "Sign in" }
            }
            a href=(paths::CONSOLE) { "Users and messages of all pools" }
        }
    };
    let message = match confirm(&pool, &client, &query).await {
        Ok(()) => {
            let content = html! {
                div class="notice" role="status" { p { "You can sign in now." } }
                (links)
            };
            let title = "Your account is confirmed";
            return document(StatusCode::OK, title, title, &content);
        }
        Err(None) => INCOMPLETE.to_owned(),
        Err(Some(error)) if must_be_hidden(&client, &error) => INVALID.to_owned(),
        Err(Some(error)) => user_facing_message(&error).to_owned(),
    };
    let content = html! {
        div class="problem" id="problem" role="alert" { p { (message) } }
        (links)
    };
    content_page(StatusCode::BAD_REQUEST, "Your account was not confirmed", &content)
}

/// Confirms the user that the query names. The error is `None` if the query is incomplete.
async fn confirm(pool: &Pool, client: &Client, query: &Parameters) -> Result<(), Option<Error>> {
    let (Some(name), Some(code), true) =
        (query.get("user_name"), query.get("confirmation_code"), query.is_unambiguous())
    else {
        return Err(None);
    };
    check_user_name(name)?;
    check_code(code)?;
    let confirmed =
        sign_up::confirm(pool, client, name, code, TakesAliases::No, Metadata::NONE).await;
    confirmed.map_err(Some)
}
