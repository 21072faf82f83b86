//! `/login`.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderMap, header},
    response::Response,
};

use super::{
    super::{
        super::{
            api::{ApiError, auth::check_password},
            html::Escaped,
            site::Site,
            store::User,
            triggers::{Caller, Metadata, post_authentication},
        },
        authorize::refused,
        browser::{self, SignedIn},
        grants,
        parameters::{Form, Query},
        redirect,
        request::Asking,
    },
    error_page,
    field::Field,
    forgot,
    page::Desk,
    read_form, sign_up, step, voice,
};

/// What signing in with a password here is called among providers.
const PASSWORD: &str = "COGNITO";

pub(super) async fn show(
    State(site): State<Arc<Site>>,
    headers: HeaderMap,
    Query(query): Query,
) -> Response {
    match Asking::read(&site, &query) {
        Ok(asking) => page(Desk::new(&asking, &headers), &headers, ""),
        Err(refusal) => refused(&refusal),
    }
}

pub(super) async fn sign_in(
    State(site): State<Arc<Site>>,
    headers: HeaderMap,
    Query(query): Query,
    Form(form): Form,
) -> Response {
    let asking = match read_form(&site, &headers, &query, &form) {
        Ok(asking) => asking,
        Err(response) => return *response,
    };
    if !has_passwords(&asking) {
        return error_page("unauthorized_client");
    }
    let (name, password) = (form.typed("username").trim(), form.typed("password"));
    let desk = Desk::new(&asking, &headers);
    if name.is_empty() || password.is_empty() {
        return page(desk.problem("Enter your user name and your password."), &headers, name);
    }
    with_password(&site, desk, &headers, name, password).await
}

/// Signs in with a password, or shows what has to come before.
pub(super) async fn with_password(
    site: &Arc<Site>,
    desk: Desk<'_>,
    headers: &HeaderMap,
    name: &str,
    password: &str,
) -> Response {
    let Asking { pool, client, .. } = desk.asking();
    match check_password(pool, client, name, password, Metadata::NONE).await {
        Ok(user) => step::next(site, desk, headers, &user).await,
        Err(error) if error.name == "UserNotConfirmedException" => {
            let desk = desk.notice("Your account waits for the code that was sent to you.");
            sign_up::confirm_page(desk, name)
        }
        Err(error) if error.name == "PasswordResetRequiredException" => {
            let desk = desk.notice("Choose a new password, with the code that was sent to you.");
            forgot::reset_page(desk, name)
        }
        Err(error) => page(desk.problem(error.message), headers, name),
    }
}

/// Goes on as who is signed in already.
pub(super) async fn go_on(
    State(site): State<Arc<Site>>,
    headers: HeaderMap,
    Query(query): Query,
    Form(form): Form,
) -> Response {
    let asking = match read_form(&site, &headers, &query, &form) {
        Ok(asking) => asking,
        Err(response) => return *response,
    };
    let desk = Desk::new(&asking, &headers);
    let Some(SignedIn { user, session }) = browser::signed_in(&asking, &headers) else {
        return page(desk.problem("Your session has ended. Sign in again."), &headers, "");
    };
    match grants::back_to_app(&asking, &user, session.auth_time).await {
        Ok(address) => redirect::go(&address),
        Err(error) => page(desk.problem(error.message), &headers, ""),
    }
}

/// Lets in a user who did all that they had to.
pub(super) async fn finish(desk: Desk<'_>, headers: &HeaderMap, user: &User) -> Response {
    match enter(desk.asking(), user).await {
        Ok(response) => response,
        Err(error) => page(desk.problem(error.message), headers, ""),
    }
}

pub(super) fn page(desk: Desk<'_>, headers: &HeaderMap, name: &str) -> Response {
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
    if has_passwords(asking) {
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

async fn enter(asking: &Asking, user: &User) -> Result<Response, ApiError> {
    let Asking { pool, client, .. } = asking;
    let caller = Caller { client_id: &client.settings.client_id, metadata: Metadata::NONE };
    post_authentication(pool, user, caller).await?;
    let now = pool.now();
    let cookie = pool.store.write(|data| browser::sign_in(data, pool, user, PASSWORD, now))?;
    let mut response = redirect::go(&grants::back_to_app(asking, user, now).await?);
    response.headers_mut().append(header::SET_COOKIE, cookie);
    Ok(response)
}

fn has_passwords(asking: &Asking) -> bool {
    asking.client.settings.supported_identity_providers.iter().any(|name| name == PASSWORD)
}
