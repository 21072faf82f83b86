//! The steps between a password and the app: second factors, and a first password that gives way to another.

use std::sync::Arc;

use axum::{extract::State, http::HeaderMap, response::Response};

use crate::{
    domain::{
        sign_in::{
            Answer, ChallengeRequest, Factor, Handle, NextStep, ask, next_step, take_answer,
        },
        software_token,
    },
    error::ApiError,
    http::oauth::{
        hosted::{
            login,
            page::Desk,
            read_form,
            step_page::{ATTRIBUTE, Step, page},
        },
        parameters::{PageForm, Parameters, Query},
        request::Asking,
    },
    model::User,
    pool::site::Site,
};

/// Asks for what a user has to do next, or lets them in.
pub(crate) async fn next(desk: Desk<'_>, headers: &HeaderMap, user: &User) -> Response {
    let step = next_step(&desk.asking().pool, user);
    ask_for(desk, headers, user, step).await
}

pub(crate) async fn answer(
    State(site): State<Arc<Site>>,
    headers: HeaderMap,
    Query(query): Query,
    PageForm(form): PageForm,
) -> Response {
    let asking = match read_form(&site, &headers, &query, &form) {
        Ok(asking) => asking,
        Err(response) => return *response,
    };
    let step = Step {
        challenge: form.typed("challenge"),
        session: form.typed("session"),
        username: form.typed("user"),
        detail: form.typed("detail"),
    };
    let desk = Desk::new(&asking, &headers);
    match take(&asking, &step, &form).await {
        Ok((user, next)) => ask_for(desk, &headers, &user, next).await,
        // Where no other try is possible, all begins anew.
        Err(error) if error.name == "NotAuthorizedException" => {
            login::page(desk.refused(&error), &headers, "")
        }
        Err(error) => page(desk.refused(&error), &step),
    }
}

async fn ask_for(desk: Desk<'_>, headers: &HeaderMap, user: &User, step: NextStep) -> Response {
    if step == NextStep::Done {
        return login::finish(desk, headers, user).await;
    }
    let asking = desk.asking();
    let told = match ask(&asking.pool, &asking.client, user, step).await {
        Ok(asked) => told(asking, &asked).await.map(|told| (asked.name, told)),
        Err(error) => Err(error),
    };
    match told {
        Ok((challenge, (session, detail))) => {
            let (session, detail) = (&*session, &*detail);
            page(desk, &Step { challenge, session, username: &user.username, detail })
        }
        Err(error) => login::page(desk.refused(&error), headers, ""),
    }
}

/// The session by which a step is answered, and what its page tells.
async fn told(asking: &Asking, asked: &ChallengeRequest) -> Result<(String, String), ApiError> {
    let text = |name: &str| asked.parameters.get(name).cloned().unwrap_or_default();
    let session = asked.session.clone().unwrap_or_default();
    Ok(match asked.name {
        "NEW_PASSWORD_REQUIRED" => (session, text("requiredAttributes")),
        "SMS_MFA" | "EMAIL_OTP" => (session, text("CODE_DELIVERY_DESTINATION")),
        "SELECT_MFA_TYPE" => (session, text("MFAS_CAN_CHOOSE")),
        "MFA_SETUP" => {
            let (secret, session) =
                software_token::associate_in_sign_in(&asking.pool, &session).await?;
            (session, secret)
        }
        _ => (session, String::new()),
    })
}

async fn take(
    asking: &Asking,
    step: &Step<'_>,
    form: &Parameters,
) -> Result<(Arc<User>, NextStep), ApiError> {
    let code = form.typed("code").trim();
    let mut session = step.session.to_owned();
    let answer = match step.challenge {
        "SELECT_MFA_TYPE" => Answer::SelectFactor(form.typed("factor")),
        "NEW_PASSWORD_REQUIRED" => Answer::NewPassword {
            password: form.typed("password"),
            attributes: form
                .behind(ATTRIBUTE)
                .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
                .collect(),
        },
        "MFA_SETUP" => {
            session = software_token::verify_in_sign_in(&asking.pool, &session, code, None).await?;
            Answer::SetUpFactor
        }
        name => match Factor::of_name(name) {
            Some(factor) => Answer::Code(factor, code),
            None => return Err(ApiError::unknown_session()),
        },
    };
    let handle = Handle {
        session: &session,
        client_and_name: Some((&asking.client.settings.client_id, step.username)),
        now: asking.pool.now(),
    };
    take_answer(&asking.pool, &asking.client, &handle, answer).await
}
