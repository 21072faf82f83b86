//! `/signup` and `/confirm`.

use std::collections::BTreeSet;

use axum::response::Response;
use maud::html;

use crate::{
    domain::sign_up::{self, NewUser, SignedUp, TakesAliases},
    error::Error,
    http::oauth::{
        hosted::{
            fields::{Field, attribute_field_name, password_hint},
            form_input::{
                check_code, check_sign_up_password, check_user_name, must_be_hidden,
                read_attributes, user_name,
            },
            login,
            page::{Page, PasswordForm},
            pages::{confirm_page, login_page},
        },
        parameters::Parameters,
        paths,
        request::AuthorizationRequest,
    },
    model::settings::PoolSettings,
    triggers::Metadata,
};

/// `GET /signup`.
pub(crate) async fn show(page: Page) -> Response {
    sign_up_page(page, &Parameters::default())
}

/// `POST /signup`.
pub(crate) async fn sign_up(PasswordForm { page, fields }: PasswordForm) -> Response {
    let (name, password) = (user_name(&fields), fields.raw("password"));
    let signed_up = match create_user(page.request(), name, password, &fields).await {
        Ok(signed_up) => signed_up,
        Err(error) => return sign_up_page(page.error(&error), &fields),
    };
    if signed_up.is_confirmed {
        return login::sign_in_with_password(page, name, password).await;
    }
    let notice = match signed_up.delivery {
        Some(delivery) => format!("A code was sent to {}.", delivery.destination),
        None => "An administrator has to confirm your account.".to_owned(),
    };
    confirm_page(page.notice(notice), name)
}

/// `GET /confirm`.
pub(crate) async fn show_confirm(page: Page) -> Response {
    confirm_page(page, "")
}

/// `POST /confirm`.
pub(crate) async fn confirm(PasswordForm { page, fields }: PasswordForm) -> Response {
    let name = user_name(&fields);
    match confirm_user(page.request(), name, fields.raw("code").trim()).await {
        Ok(()) => login_page(page.notice("Your account is confirmed. Sign in."), name),
        // The same response whether or not an unconfirmed user has this name.
        Err(error) if must_be_hidden(page.request(), &error) => {
            let problem = "Invalid verification code provided. Check it, or request a new code.";
            confirm_page(page.problem(problem), name)
        }
        Err(error) => confirm_page(page.error(&error), name),
    }
}

/// `POST /confirm/resend`: sends another code.
pub(crate) async fn resend(PasswordForm { page, fields }: PasswordForm) -> Response {
    let name = user_name(&fields);
    match resend_code(page.request(), name).await {
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

async fn create_user(
    request: &AuthorizationRequest,
    name: &str,
    password: &str,
    fields: &Parameters,
) -> Result<SignedUp, Error> {
    check_user_name(name)?;
    check_sign_up_password(password)?;
    let attributes = read_attributes(fields)?;
    let new = NewUser { name, password: Some(password), attributes, validation: Metadata::NONE };
    sign_up::sign_up(&request.pool, &request.client, new, Metadata::NONE).await
}

async fn confirm_user(request: &AuthorizationRequest, name: &str, code: &str) -> Result<(), Error> {
    check_user_name(name)?;
    check_code(code)?;
    let AuthorizationRequest { pool, client, .. } = request;
    sign_up::confirm(pool, client, name, code, TakesAliases::No, Metadata::NONE).await
}

async fn resend_code(request: &AuthorizationRequest, name: &str) -> Result<(), Error> {
    check_user_name(name)?;
    sign_up::resend_code(&request.pool, &request.client, name, Metadata::NONE).await.map(drop)
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
        (page.form(paths::SIGN_UP, &fields, "Create the account"))
        p class="links" { (page.link(paths::LOGIN, "I already have an account")) }
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
