//! `/login/step`: the challenges after the password, which are second factors and the choice of a new password.

use std::sync::Arc;

use axum::response::Response;
use maud::{Markup, html};
use serde_json::{Value, json};

use crate::{
    domain::{
        sign_in::{
            Answer, ChallengeParameters, ChallengeRef, ChallengeRequest, NextStep, next_step,
            start_challenge, take_answer,
        },
        software_token,
    },
    error::{Error, ErrorKind},
    http::{
        api::challenges,
        oauth::{
            browser_session::complete_sign_in,
            hosted::{
                fields::{Field, attributes, hidden},
                form_input::code,
                page::{Page, PasswordForm, messages_hint},
                pages::login_page,
            },
            parameters::Parameters,
            paths,
            request::AuthorizationRequest,
        },
    },
    model::{Factor, User, settings::OWN_PROVIDER},
};

/// A challenge, as stored in the hidden fields of its form.
struct Challenge {
    /// The name, such as `SMS_MFA`.
    name: String,
    session: String,
    username: String,
    /// What the page shows: the destination of a code, a JSON list of choices or of attributes, or the secret of an
    /// authenticator app.
    detail: String,
}

/// Responds with the first challenge of a user whose password is correct, or with the redirect to the app.
pub(crate) async fn start(page: Page, user: &User) -> Response {
    let step = next_step(&page.request().pool, user);
    proceed(page, user, step).await
}

/// `POST /login/step`: checks the response to a challenge.
pub(crate) async fn submit(PasswordForm { page, fields }: PasswordForm) -> Response {
    let text = |name: &str| fields.raw(name).to_owned();
    let challenge = Challenge {
        name: text("challenge"),
        session: text("session"),
        username: text("user"),
        detail: text("detail"),
    };
    match check_response(page.request(), &challenge, &fields).await {
        Ok((user, next)) => proceed(page, &user, next).await,
        // The session is no longer valid, so the user has to start again.
        Err(error) if error.kind == ErrorKind::NotAuthorized => login_page(page.error(&error), ""),
        Err(error) => challenge_page(page.error(&error), &challenge),
    }
}

/// Responds with the page of the next challenge, or with the redirect to the app after the last one.
async fn proceed(page: Page, user: &User, step: NextStep) -> Response {
    if step == NextStep::Done {
        return match complete_sign_in(page.request(), user, OWN_PROVIDER).await {
            Ok(response) => response,
            Err(error) => login_page(page.error(&error), ""),
        };
    }
    let request = page.request();
    let challenge = match start_challenge(&request.pool, &request.client, user, step).await {
        Ok(challenge) => challenge_of(request, challenge).await,
        Err(error) => Err(error),
    };
    match challenge {
        Ok(challenge) => challenge_page(page, &challenge),
        Err(error) => login_page(page.error(&error), ""),
    }
}

async fn challenge_of(
    request: &AuthorizationRequest,
    challenge: ChallengeRequest,
) -> Result<Challenge, Error> {
    let name = challenges::name(&challenge.parameters).to_owned();
    let mut session = challenge.session.unwrap_or_default();
    let detail = match challenge.parameters {
        ChallengeParameters::NewPassword { missing, .. } => json!(missing).to_string(),
        ChallengeParameters::SentCode(delivery) => delivery.destination,
        ChallengeParameters::SelectFactor(factors) => {
            factors.iter().map(|factor| factor.name()).collect::<Value>().to_string()
        }
        ChallengeParameters::SetUpFactor(_) => {
            let (secret, next_session) =
                software_token::associate_in_sign_in(&request.pool, &session).await?;
            session = next_session;
            secret
        }
        ChallengeParameters::SoftwareToken { .. }
        | ChallengeParameters::PasswordVerifier { .. }
        | ChallengeParameters::Custom(_) => String::new(),
    };
    Ok(Challenge { name, session, username: challenge.username, detail })
}

async fn check_response(
    request: &AuthorizationRequest,
    challenge: &Challenge,
    fields: &Parameters,
) -> Result<(Arc<User>, NextStep), Error> {
    let code = &code(fields);
    let mut session = challenge.session.clone();
    let answer = match &*challenge.name {
        "SELECT_MFA_TYPE" => Answer::SelectFactor(fields.raw("factor")),
        "NEW_PASSWORD_REQUIRED" => Answer::NewPassword {
            password: fields.raw("password"),
            attributes: attributes(fields)
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
        },
        "MFA_SETUP" => {
            session =
                software_token::verify_in_sign_in(&request.pool, &session, code, None).await?;
            Answer::SetUpFactor
        }
        name => match Factor::of_name(name) {
            Some(factor) => Answer::Code(factor, code),
            None => return Err(Error::unknown_session()),
        },
    };
    let reference = ChallengeRef {
        session: &session,
        client_and_name: Some((&request.client.settings.client_id, &challenge.username)),
        now: request.pool.now(),
    };
    take_answer(&request.pool, &request.client, &reference, answer).await
}

fn challenge_page(page: Page, challenge: &Challenge) -> Response {
    let code = page.field(&Field::code());
    let (title, intro, fields, button) = match &*challenge.name {
        "NEW_PASSWORD_REQUIRED" => (
            "Choose a new password",
            html! { p { "Your current password is temporary." } },
            new_password_fields(&page, &challenge.detail),
            "Save and sign in",
        ),
        "SELECT_MFA_TYPE" => {
            ("Verify your identity", html! {}, factor_choices(&challenge.detail), "Continue")
        }
        "MFA_SETUP" => {
            ("Set up an authenticator app", setup_steps(&page, challenge), code, "Confirm")
        }
        "SOFTWARE_TOKEN_MFA" => (
            "Enter your code",
            html! { p { "Your authenticator app shows a code for this account." } },
            code,
            "Sign in",
        ),
        _ => (
            "Enter your code",
            html! {
                p { "A code was sent to " (challenge.detail) "." }
                (messages_hint())
            },
            code,
            "Sign in",
        ),
    };
    let fields = html! {
        (hidden("challenge", &challenge.name))
        (hidden("session", &challenge.session))
        (hidden("user", &challenge.username))
        (hidden("detail", &challenge.detail))
        (fields)
    };
    let body = html! {
        (intro)
        (page.form(paths::LOGIN_STEP, &fields, button))
        p class="links" { (page.link(paths::LOGIN, "Start again")) }
    };
    page.respond(title, &body)
}

fn new_password_fields(page: &Page, required: &str) -> Markup {
    let names: Vec<String> = serde_json::from_str(required).unwrap_or_default();
    html! {
        (page.field(&Field::new_password("New password", &page.pool_settings())))
        @for name in &names {
            (page.field(&Field::attribute(name, "")))
        }
    }
}

fn factor_choices(factors: &str) -> Markup {
    let factors: Vec<String> = serde_json::from_str(factors).unwrap_or_default();
    let known = [
        ("SOFTWARE_TOKEN_MFA", "Authenticator app"),
        ("SMS_MFA", "Text message"),
        ("EMAIL_OTP", "Email"),
    ];
    html! {
        fieldset {
            legend { "Get a code by" }
            @for (factor, label) in known.iter().filter(|(factor, _)| factors.iter().any(|name| name == factor)) {
                label class="choice" {
                    input type="radio" name="factor" value=(factor) required;
                    (label)
                }
            }
        }
    }
}

fn setup_steps(page: &Page, challenge: &Challenge) -> Markup {
    let settings = page.pool_settings();
    let name = &settings.name;
    let issuer = encoded(if name.is_empty() { "Local user pool" } else { name });
    let (user, secret) = (encoded(&challenge.username), encoded(&challenge.detail));
    let address = format!("otpauth://totp/{issuer}:{user}?secret={secret}&issuer={issuer}");
    html! {
        p { "This pool requires a second factor. Add this key to an authenticator app:" }
        p { code id="secret" { (challenge.detail) } }
        p { "or " a href=(address) { "open it in an app on this device" } ":" }
        p class="hint" { code { (address) } }
        p { "Then enter the code that the app shows." }
    }
}

/// Percent-encodes a part of a URL. A space becomes `%20`, not a plus sign.
fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}
