//! Sign-in: the flows, and the responses to their challenges.

mod caller;
mod challenges;
mod custom;
mod finish;
mod flows;
mod mfa;
mod named;
mod new_password;
mod outcome;
mod password;
mod refresh;
mod srp;
mod steps;
mod unknown_user;

use std::{collections::BTreeMap, sync::Arc};

pub(crate) use self::{
    caller::check_caller,
    challenges::{
        ChallengeRef, OpenChallenge, SignIn, find_challenge, start_challenge, store_challenge,
    },
    custom::{answer as answer_custom, begin as begin_custom},
    finish::{
        CompletedSignIn, StartedSession, find_ready_user, finish_sign_in, first_tokens,
        start_session,
    },
    flows::{AllowedFlow, flow_is_off},
    outcome::{ChallengeParameters, ChallengeRequest, Outcome},
    password::{check_password, may_sign_in},
    refresh::refresh,
    srp::{Proof, begin as begin_srp},
    steps::{NextStep, next_step, step_of},
};
use self::{challenges::continue_sign_in, srp::Follows, steps::factors};
use crate::{
    error::Error,
    model::{ChallengeKind, Client, Factor, User},
    pool::Pool,
    triggers::{Metadata, TokenSource},
};

/// The response to a challenge that has a `Session`.
pub(crate) enum Answer<'a> {
    NewPassword {
        password: &'a str,
        attributes: BTreeMap<String, String>,
    },
    /// The code of a second factor.
    Code(Factor, &'a str),
    /// The name of the chosen factor.
    SelectFactor(&'a str),
    /// The software token was verified.
    SetUpFactor,
}

/// Signs in with a name and a password.
pub(crate) async fn with_password(
    pool: &Pool,
    flow: &AllowedFlow<'_>,
    password: &str,
    metadata: &Metadata,
) -> Result<Outcome, Error> {
    let AllowedFlow { client, name } = *flow;
    let user = check_password(pool, client, name, password, metadata).await?;
    let source = TokenSource::Authentication;
    let sign_in = SignIn { client, metadata: Metadata::NONE, source };
    continue_sign_in(pool, &sign_in, &user, next_step(pool, &user)).await
}

/// Checks the response to `PASSWORD_VERIFIER` and continues the sign-in.
pub(crate) async fn answer_srp(
    pool: &Pool,
    client: &Client,
    name: &str,
    proof: &Proof<'_>,
    metadata: &Metadata,
) -> Result<Outcome, Error> {
    let (user, follows) = srp::verify(pool, client, name, proof).await?;
    let sign_in = SignIn { client, metadata, source: TokenSource::Authentication };
    match follows {
        Follows::CustomChallenges => custom::after_password(pool, &sign_in, user).await,
        Follows::Tokens => continue_sign_in(pool, &sign_in, &user, next_step(pool, &user)).await,
    }
}

/// Checks the response to a challenge and continues the sign-in.
pub(crate) async fn answer(
    pool: &Pool,
    client: &Client,
    reference: &ChallengeRef<'_>,
    answer: Answer<'_>,
    metadata: &Metadata,
) -> Result<Outcome, Error> {
    let source = match answer {
        Answer::NewPassword { .. } => TokenSource::NewPasswordChallenge,
        _ => TokenSource::Authentication,
    };
    let (user, step) = take_answer(pool, client, reference, answer).await?;
    continue_sign_in(pool, &SignIn { client, metadata, source }, &user, step).await
}

/// Checks the response to a challenge, and returns the user and what they have to do next.
pub(crate) async fn take_answer(
    pool: &Pool,
    client: &Client,
    reference: &ChallengeRef<'_>,
    answer: Answer<'_>,
) -> Result<(Arc<User>, NextStep), Error> {
    match answer {
        Answer::NewPassword { password, attributes } => {
            let user = new_password::answer(pool, client, reference, password, &attributes).await?;
            let step = next_step(pool, &user);
            Ok((user, step))
        }
        Answer::Code(factor, code) => {
            Ok((mfa::answer(pool, reference, factor, code).await?, NextStep::Done))
        }
        Answer::SelectFactor(name) => select_factor(pool, reference, name).await,
        Answer::SetUpFactor => Ok((set_up_factor(pool, reference).await?, NextStep::Done)),
    }
}

async fn select_factor(
    pool: &Pool,
    reference: &ChallengeRef<'_>,
    name: &str,
) -> Result<(Arc<User>, NextStep), Error> {
    pool.store
        .write(|data| {
            let open = find_challenge(data, reference)?;
            if !matches!(open.challenge.kind, ChallengeKind::SelectMfaType) {
                return Err(Error::unknown_session());
            }
            let factor = Factor::of_name(name)
                .filter(|factor| factors(&data.settings(), &open.user).contains(factor))
                .ok_or_else(|| Error::invalid_parameter("Invalid MFA type selected."))?;
            data.challenges.remove(&open.key);
            Ok((open.user, NextStep::Code(factor)))
        })
        .await?
}

/// Completes the set-up of a factor, once its software token is verified.
async fn set_up_factor(pool: &Pool, reference: &ChallengeRef<'_>) -> Result<Arc<User>, Error> {
    pool.store
        .write(|data| {
            let open = find_challenge(data, reference)?;
            match open.challenge.kind {
                ChallengeKind::MfaSetup { verified: true } => {
                    data.challenges.remove(&open.key);
                    Ok(open.user)
                }
                ChallengeKind::MfaSetup { verified: false } => {
                    Err(Error::invalid_parameter("User has not verified software token mfa"))
                }
                _ => Err(Error::unknown_session()),
            }
        })
        .await?
}
