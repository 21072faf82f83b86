//! The address of the sign-in page of an app.

use crate::{
    http::oauth::{paths, redirect::encoded},
    model::settings::{ClientSettings, OAuthFlow},
};

/// Returns the address of the sign-in page for an app that registered a callback URL, or `None` if users cannot sign in
/// to the app there.
pub(crate) fn sign_in_page(client: &ClientSettings) -> Option<String> {
    let redirect_uri = client.default_redirect_uri.as_ref().or(client.callback_urls.first())?;
    let response_type = if client.allows_oauth_flow(OAuthFlow::Code) {
        "code"
    } else if client.allows_oauth_flow(OAuthFlow::Implicit) {
        "token"
    } else {
        return None;
    };
    let query = encoded(&[
        ("client_id", client.client_id.as_str()),
        ("response_type", response_type),
        ("redirect_uri", redirect_uri),
    ]);
    Some(format!("{}?{query}", paths::LOGIN))
}
