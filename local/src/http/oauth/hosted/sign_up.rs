//! `/signup` and `/confirm`.

use std::{collections::BTreeSet, sync::Arc};

use axum::{extract::State, response::Response};
use maud::html;
use serde_json::json;

use crate::{
    http::oauth::{
        hosted::{
            client_call::{call, code_destination, must_be_hidden},
            fields::{Field, attribute_field_name, attributes, password_hint},
            login,
            page::{Page, PasswordForm},
            pages::{confirm_page, login_page},
        },
        parameters::Parameters,
    },
    model::settings::PoolSettings,
    pool::site::Site,
};

/// `GET /signup`.
pub(crate) async fn show(page: Page) -> Response {
    sign_up_page(page, &Parameters::default())
}

/// `POST /signup`.
pub(crate) async fn sign_up(
    State(site): State<Arc<Site>>,
    PasswordForm { page, fields }: PasswordForm,
) -> Response {
    let (name, password) = (fields.raw("username").trim(), fields.raw("password"));
    let attributes: Vec<_> =
        attributes(&fields).map(|(name, value)| json!({ "Name": name, "Value": value })).collect();
    let members = json!({ "Password": password, "UserAttributes": attributes });
    let output = match call(&site, page.request(), "SignUp", name, members).await {
        Ok(output) => output,
        Err(error) => return sign_up_page(page.error(&error), &fields),
    };
    if output.get("UserConfirmed") == Some(&json!(true)) {
        return login::sign_in_with_password(page, name, password).await;
    }
    let notice = match code_destination(&output) {
        Some(destination) => format!("A code was sent to {destination}."),
        None => "An administrator has to confirm your account.".to_owned(),
    };
    confirm_page(page.notice(notice), name)
}

/// `GET /confirm`.
pub(crate) async fn show_confirm(page: Page) -> Response {
    confirm_page(page, "")
}

/// `POST /confirm`.
pub(crate) async fn confirm(
    State(site): State<Arc<Site>>,
    PasswordForm { page, fields }: PasswordForm,
) -> Response {
    let name = fields.raw("username").trim();
    let members = json!({ "ConfirmationCode": fields.raw("code").trim() });
    match call(&site, page.request(), "ConfirmSignUp", name, members).await {
        Ok(_) => login_page(page.notice("Your account is confirmed. Sign in."), name),
        Err(error) if must_be_hidden(page.request(), &error) => {
            confirm_page(page.problem("Invalid code provided, please request a code again."), name)
        }
        Err(error) => confirm_page(page.error(&error), name),
    }
}

/// `POST /confirm/resend`: sends another code.
pub(crate) async fn resend(
    State(site): State<Arc<Site>>,
    PasswordForm { page, fields }: PasswordForm,
) -> Response {
    let name = fields.raw("username").trim();
    match call(&site, page.request(), "ResendConfirmationCode", name, json!({})).await {
        Err(error) if !must_be_hidden(page.request(), &error) => {
            confirm_page(page.error(&error), name)
        }
        // The same response whether or not the user exists.
        _ => confirm_page(
            page.notice("If the account is not confirmed yet, a new code was sent."),
            name,
        ),
    }
}

fn sign_up_page(page: Page, values: &Parameters) -> Response {
    let settings = page.pool_settings();
    let hint = password_hint(&settings);
    let fields = html! {
        (page.field(&Field::user_name(&settings, values.raw("username"))))
        @for name in requested_attributes(&settings) {
            (page.field(&Field::attribute(&name, values.raw(&attribute_field_name(&name)))))
        }
        (page.field(&Field::new_password("Password", &hint)))
    };
    let body = html! {
        (page.form("/signup", &fields, "Create the account"))
        p class="links" { (page.link("/login", "I already have an account")) }
    };
    page.respond("Create an account", &body)
}

/// Returns the attributes that new users enter: those that codes are sent to, and all required ones.
fn requested_attributes(settings: &PoolSettings) -> Vec<String> {
    let verified = settings.auto_verified_attributes.iter();
    let verified = verified.map(|contact| contact.attribute().to_owned());
    // A contact that is used as the user name has the field of the user name.
    let is_user_name = |name: &String| {
        settings.username_attributes.iter().any(|contact| contact.attribute() == name)
    };
    let mut seen = BTreeSet::new();
    verified
        .chain(settings.required_attributes())
        .filter(|name| name != "sub" && !is_user_name(name) && seen.insert(name.clone()))
        .collect()
}
