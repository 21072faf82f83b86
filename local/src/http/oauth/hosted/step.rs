//! The steps between a password and the app: second factors, and a first password that gives way to another.

use std::sync::Arc;

use axum::{extract::State, http::HeaderMap, response::Response};
use serde_json::{Value, json};

use crate::{
    error::ApiError,
    http::{
        api::{
            self,
            auth::{Asked, Handle, NextStep, Parameters as Answers, ask, next_step, take_answer},
        },
        oauth::{
            hosted::{
                login,
                page::Desk,
                read_form,
                step_page::{ATTRIBUTE, Step, page},
            },
            parameters::{PageForm, Parameters, Query},
            request::Asking,
        },
    },
    model::User,
    pool::site::Site,
};

/// Asks for what a user has to do next, or lets them in.
pub(crate) async fn next(
    site: &Arc<Site>,
    desk: Desk<'_>,
    headers: &HeaderMap,
    user: &User,
) -> Response {
    let step = next_step(&desk.asking().pool, user);
    ask_for(site, desk, headers, user, step).await
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
    match take(&site, &asking, &step, &form).await {
        Ok((user, next)) => ask_for(&site, desk, &headers, &user, next).await,
        // Where no other try is possible, all begins anew.
        Err(error) if error.name == "NotAuthorizedException" => {
            login::page(desk.refused(&error), &headers, "")
        }
        Err(error) => page(desk.refused(&error), &step),
    }
}

async fn ask_for(
    site: &Arc<Site>,
    desk: Desk<'_>,
    headers: &HeaderMap,
    user: &User,
    step: NextStep,
) -> Response {
    if step == NextStep::Done {
        return login::finish(desk, headers, user).await;
    }
    let asking = desk.asking();
    let told = match ask(&asking.pool, &asking.client, user, step).await {
        Ok(asked) => told(site, &asked).await.map(|told| (asked.challenge, told)),
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
async fn told(site: &Arc<Site>, asked: &Asked) -> Result<(String, String), ApiError> {
    let text = |name: &str| {
        asked.parameters.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let session = asked.session.clone();
    Ok(match asked.challenge {
        "NEW_PASSWORD_REQUIRED" => (session, text("requiredAttributes")),
        "SMS_MFA" | "EMAIL_OTP" => (session, text("CODE_DELIVERY_DESTINATION")),
        "SELECT_MFA_TYPE" => (session, text("MFAS_CAN_CHOOSE")),
        "MFA_SETUP" => {
            let input = json!({ "Session": session });
            let answer = api::call(site, "AssociateSoftwareToken", input).await?;
            (member(&answer, "Session"), member(&answer, "SecretCode"))
        }
        _ => (session, String::new()),
    })
}

async fn take(
    site: &Arc<Site>,
    asking: &Asking,
    step: &Step<'_>,
    form: &Parameters,
) -> Result<(User, NextStep), ApiError> {
    let code = form.typed("code").trim();
    let mut session = step.session.to_owned();
    let mut answers: Vec<(String, String)> = Vec::new();
    match step.challenge {
        "SOFTWARE_TOKEN_MFA" | "SMS_MFA" | "EMAIL_OTP" => {
            answers.push((format!("{}_CODE", step.challenge), code.to_owned()));
        }
        "SELECT_MFA_TYPE" => answers.push(("ANSWER".to_owned(), form.typed("factor").to_owned())),
        "NEW_PASSWORD_REQUIRED" => {
            answers.push(("NEW_PASSWORD".to_owned(), form.typed("password").to_owned()));
            let named = |(name, value): (&str, &str)| {
                (format!("userAttributes.{name}"), value.trim().to_owned())
            };
            answers.extend(form.behind(ATTRIBUTE).map(named));
        }
        "MFA_SETUP" => {
            let input = json!({ "Session": session, "UserCode": code });
            let answer = api::call(site, "VerifySoftwareToken", input).await?;
            session = member(&answer, "Session");
        }
        _ => {}
    }
    let handle = Handle {
        session: &session,
        client_and_name: Some((&asking.client.settings.client_id, step.username)),
        now: asking.pool.now(),
    };
    let answers: Answers = answers.into_iter().collect();
    take_answer(&asking.pool, &asking.client, &handle, step.challenge, &answers).await
}

fn member(answer: &Value, name: &str) -> String {
    answer.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}
