use std::sync::Arc;

use serde_json::Value;

use crate::{
    error::ApiError,
    http::api::{
        Answer,
        auth::{
            By,
            challenges::{Handle, Turn, go_on, open_step, session_is_over},
            codes, custom,
            input::{Parameters, Respond},
            name_and_secret, new_password, pool_and_client, srp,
            steps::{NextStep, factor_step, factors, next_step},
        },
        input, required,
    },
    model::{ChallengeKind, Client, User},
    pool::{Shared, site::Site},
    triggers::TokenSource,
};

/// `RespondToAuthChallenge`.
pub(crate) async fn answer(site: &Arc<Site>, by: By, value: Value) -> Answer {
    let input: Respond = input(value)?;
    let (pool, client) = pool_and_client(site, by, input.user_pool_id, input.client_id)?;
    let challenge = required(input.challenge_name, "ChallengeName")?;
    let answers = input.challenge_responses.unwrap_or_default();
    let metadata = input.client_metadata.unwrap_or_default();
    let name = name_and_secret(&client, &answers)?;
    if challenge == "PASSWORD_VERIFIER" {
        return srp::verify(&pool, &client, name, &answers, &metadata).await;
    }
    let session = input
        .session
        .ok_or_else(|| ApiError::invalid_parameter("Missing required parameter Session"))?;
    let handle = Handle {
        session: &session,
        client_and_name: Some((&client.settings.client_id, name)),
        now: pool.now(),
    };
    if challenge == "CUSTOM_CHALLENGE" {
        return custom::answer(&pool, &client, &handle, &answers, &metadata).await;
    }
    let (user, step) = take_answer(&pool, &client, &handle, &challenge, &answers).await?;
    let is_new_password = challenge == "NEW_PASSWORD_REQUIRED";
    let source = if is_new_password {
        TokenSource::NewPasswordChallenge
    } else {
        TokenSource::Authentication
    };
    let turn = Turn { client: &client, metadata: &metadata, source };
    go_on(&pool, &turn, &user, step).await
}

/// Takes the answer to a step, and tells whose it is and what comes next.
pub(crate) async fn take_answer(
    pool: &Shared,
    client: &Client,
    handle: &Handle<'_>,
    challenge: &str,
    answers: &Parameters,
) -> Result<(User, NextStep), ApiError> {
    match challenge {
        "NEW_PASSWORD_REQUIRED" => {
            let user = new_password::answer(pool, client, handle, answers).await?;
            let step = next_step(pool, &user);
            Ok((user, step))
        }
        "SOFTWARE_TOKEN_MFA" | "SMS_MFA" | "EMAIL_OTP" => {
            Ok((codes::answer(pool, handle, challenge, answers).await?, NextStep::Done))
        }
        "SELECT_MFA_TYPE" => select_mfa_type(pool, handle, answers).await,
        "MFA_SETUP" => Ok((mfa_setup(pool, handle).await?, NextStep::Done)),
        _ => Err(ApiError::invalid_parameter(format!(
            "Challenge name {challenge} is not supported."
        ))),
    }
}

async fn select_mfa_type(
    pool: &Shared,
    handle: &Handle<'_>,
    answers: &Parameters,
) -> Result<(User, NextStep), ApiError> {
    let answer = answers.get("ANSWER")?;
    pool.store
        .write(|data| {
            let open = open_step(data, handle)?;
            if !matches!(open.challenge.kind, ChallengeKind::SelectMfaType) {
                return Err(session_is_over());
            }
            let step = factor_step(answer)
                .filter(|_| factors(&data.settings(), &open.user).contains(&answer))
                .ok_or_else(|| ApiError::invalid_parameter("Invalid MFA type selected."))?;
            data.challenges.remove(&open.key);
            Ok((open.user, step))
        })
        .await?
}

/// The last step of a set-up, which a software token that was verified meanwhile completes.
async fn mfa_setup(pool: &Shared, handle: &Handle<'_>) -> Result<User, ApiError> {
    pool.store
        .write(|data| {
            let open = open_step(data, handle)?;
            match open.challenge.kind {
                ChallengeKind::MfaSetup { verified: true } => {
                    data.challenges.remove(&open.key);
                    Ok(open.user)
                }
                ChallengeKind::MfaSetup { verified: false } => {
                    Err(ApiError::invalid_parameter("User has not verified software token mfa"))
                }
                _ => Err(session_is_over()),
            }
        })
        .await?
}
