//! `/signup` and `/confirm`.

use std::collections::BTreeSet;

use axum::response::Response;
use maud::html;

use crate::{
    domain::sign_up::{self, NewUser, SignedUp, TakesAliases},
    error::Error,
    http::oauth::{
        hosted::{
            fields::{Field, attribute_field_name},
            form_input::{
                check_code, check_sign_up_password, check_user_name, code, must_be_hidden,
                read_attributes, user_name,
            },
            login,
            page::{Page, PasswordForm},
            pages::{confirm_page, login_page, resend_page},
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
    let hint = page.request().login_hint.clone().unwrap_or_default();
    sign_up_page(page, &Parameters::of("username", &hint))
}

/// `POST /signup`.
pub(crate) async fn sign_up(PasswordForm { page, fields }: PasswordForm) -> Response {
    let (name, password) = (user_name(&fields), fields.raw("password"));
    let signed_up = match create_user(page.request(), name, password, &fields).await {
        Ok(signed_up) => signed_up,
        Err(error) => return sign_up_page(with_error(page, &error), &fields),
    };
    if signed_up.is_confirmed {
        return login::sign_in_with_password(page, name, password).await;
    }
    let notice = match signed_up.delivery {
        Some(delivery) => {
            let is_link = page.pool_settings().verifies_by_link(delivery.contact);
            let sent = if is_link { "link" } else { "code" };
            format!("A {sent} was sent to {}.", delivery.destination)
        }
        None => "An administrator has to confirm your account.".to_owned(),
    };
    confirm_page(page.notice(notice), name)
}

/// `GET /confirm`.
pub(crate) async fn show_confirm(page: Page) -> Response {
    let hint = page.request().login_hint.clone().unwrap_or_default();
    confirm_page(page, &hint)
}

/// `GET /resendcode`.
pub(crate) async fn show_resend(page: Page) -> Response {
    let hint = page.request().login_hint.clone().unwrap_or_default();
    resend_page(page, &hint)
}

/// `POST /confirm`.
pub(crate) async fn confirm(PasswordForm { page, fields }: PasswordForm) -> Response {
    let name = user_name(&fields);
    match confirm_user(page.request(), name, &code(&fields)).await {
        Ok(()) => login_page(page.notice("Your account is confirmed. Sign in."), name),
        // The same response whether or not an unconfirmed user has this name.
        Err(error) if must_be_hidden(&page.request().client, &error) => {
            let problem = "Invalid verification code provided. Check it, or request a new code.";
            confirm_page(page.problem_at("code", problem), name)
        }
        Err(error) => confirm_page(page.error(&error), name),
    }
}

/// `POST /resendcode`: sends another message.
pub(crate) async fn resend(PasswordForm { page, fields }: PasswordForm) -> Response {
    let name = user_name(&fields);
    match resend_code(page.request(), name).await {
        Err(error) if !must_be_hidden(&page.request().client, &error) => {
            confirm_page(page.error(&error), name)
        }
        // The same response whether or not the user exists.
        _ => confirm_page(
            page.notice("If the account is not confirmed yet, a new message was sent."),
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
    let fields = html! {
        (page.field(&Field::user_name(&settings, values.raw("username"))))
        @for name in requested_attributes(&settings) {
            (page.field(&Field::attribute(&name, values.raw(&attribute_field_name(&name)))))
        }
        (page.field(&Field::new_password("Password", &settings)))
    };
    let body = html! {
        (page.form(paths::SIGN_UP, &fields, "Create account"))
        p class="links" { span { "Already have an account? " (page.link(paths::LOGIN, "Sign in")) } }
    };
    page.respond("Create account", &body)
}

/// Shows why a sign-up was rejected, at the attribute that the error names.
fn with_error(page: Page, error: &Error) -> Page {
    let message = error.message.to_lowercase().replace("phone number", "phone_number");
    let is_named = |name: &String| {
        let words = message.split(|c: char| !c.is_alphanumeric() && !"_:".contains(c));
        words.map(|word| word.trim_end_matches(':')).any(|word| word == name)
    };
    match requested_attributes(&page.pool_settings()).into_iter().find(is_named) {
        Some(name) if error.faulty.is_empty() => {
            page.problem_at(&attribute_field_name(&name), &*error.message)
        }
        _ => page.error(error),
    }
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
