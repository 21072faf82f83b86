//! `/login`.

use std::sync::Arc;

use axum::{extract::State, http::HeaderMap, response::Response};

use crate::{
    domain::sign_in::check_password,
    http::{
        html::Escaped,
        oauth::{
            browser::{self, SignedIn},
            entry, federation, grants,
            hosted::{
                error_page, field::Field, forgot, page::Desk, read_form, read_page, sign_up, step,
                voice,
            },
            parameters::{PageForm, Query},
            redirect,
            request::Asking,
        },
    },
    model::{User, settings::OWN_PROVIDER},
    pool::site::Site,
    triggers::Metadata,
};

pub(crate) async fn show(
    State(site): State<Arc<Site>>,
    headers: HeaderMap,
    Query(query): Query,
) -> Response {
    let asking = match read_page(&site, &query) {
        Ok(asking) => asking,
        Err(response) => return *response,
    };
    let hint = asking.request.login_hint.as_deref().unwrap_or_default();
    page(Desk::new(&asking, &headers), &headers, hint)
}

pub(crate) async fn sign_in(
    State(site): State<Arc<Site>>,
    headers: HeaderMap,
    Query(query): Query,
    PageForm(form): PageForm,
) -> Response {
    let asking = match read_form(&site, &headers, &query, &form) {
        Ok(asking) => asking,
        Err(response) => return *response,
    };
    if !asking.has_passwords() {
        return error_page("unauthorized_client");
    }
    let (name, password) = (form.typed("username").trim(), form.typed("password"));
    let desk = Desk::new(&asking, &headers);
    if name.is_empty() || password.is_empty() {
        return page(desk.problem("Enter your user name and your password."), &headers, name);
    }
    with_password(desk, &headers, name, password).await
}

/// Signs in with a password, or shows what has to come before.
pub(crate) async fn with_password(
    desk: Desk<'_>,
    headers: &HeaderMap,
    name: &str,
    password: &str,
) -> Response {
    let Asking { pool, client, .. } = desk.asking();
    match check_password(pool, client, name, password, Metadata::NONE).await {
        Ok(user) => step::next(desk, headers, &user).await,
        Err(error) if error.name == "UserNotConfirmedException" => {
            let desk = desk.notice("Your account waits for the code that was sent to you.");
            sign_up::confirm_page(desk, name)
        }
        Err(error) if error.name == "PasswordResetRequiredException" => {
            let desk = desk.notice("Choose a new password, with the code that was sent to you.");
            forgot::reset_page(desk, name)
        }
        Err(error) => page(desk.refused(&error), headers, name),
    }
}

/// Goes on as who is signed in already.
pub(crate) async fn go_on(
    State(site): State<Arc<Site>>,
    headers: HeaderMap,
    Query(query): Query,
    PageForm(form): PageForm,
) -> Response {
    let asking = match read_form(&site, &headers, &query, &form) {
        Ok(asking) => asking,
        Err(response) => return *response,
    };
    let desk = Desk::new(&asking, &headers);
    let Some(SignedIn { user, session }) = browser::signed_in(&asking, &headers) else {
        return page(desk.problem("Sign in again to continue."), &headers, "");
    };
    match grants::back_to_app(&asking, &user, &session).await {
        Ok(address) => redirect::go(&address),
        Err(error) => page(desk.refused(&error), &headers, ""),
    }
}

/// Lets in a user who did all that they had to.
pub(crate) async fn finish(desk: Desk<'_>, headers: &HeaderMap, user: &User) -> Response {
    match entry::enter(desk.asking(), user, OWN_PROVIDER).await {
        Ok(response) => response,
        Err(error) => page(desk.refused(&error), headers, ""),
    }
}

pub(crate) fn page(desk: Desk<'_>, headers: &HeaderMap, name: &str) -> Response {
    let asking = desk.asking();
    let settings = voice::settings(asking);
    let mut body = String::new();
    if let Some(SignedIn { user, .. }) = browser::signed_in(asking, headers) {
        let contact = user.attribute("email").filter(|_| settings.signs_in_with_contacts());
        let shown = contact.unwrap_or(&user.username);
        body = format!("<p>You are signed in as <strong>{}</strong>.</p>", Escaped(shown));
        body.push_str(&desk.form("/login/continue", "", &format!("Continue as {shown}")));
        body.push_str("<p class=\"or\">or sign in as someone else</p>");
    }
    let buttons: String = federation::providers(asking)
        .iter()
        .map(|provider| desk.provider_button(&provider.provider_name))
        .collect();
    if !buttons.is_empty() && asking.has_passwords() {
        body.push_str(&format!("{buttons}<p class=\"or\">or with a password</p>"));
    } else {
        body.push_str(&buttons);
    }
    if asking.has_passwords() {
        let (label, kind) = (voice::name_label(&settings), voice::name_input(&settings));
        let username = Field::new("username", label, kind, "username").value(name);
        let fields = [username, Field::password()].map(|field| desk.field(&field)).concat();
        body.push_str(&desk.form("/login", &fields, "Sign in"));
        let mut links = desk.link("/forgot", "Forgot your password?");
        if !settings.admin_create_user_config.allow_admin_create_user_only {
            links.push_str(&desk.link("/signup", "Create an account"));
        }
        body.push_str(&format!("<p class=\"links\">{links}</p>"));
    }
    desk.page("Sign in", &body)
}
