//! Triggers of custom sign-in: what comes next, what to ask, and whether the answer is right.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    error::Error,
    model::{CustomRound, User},
    triggers::{Caller, Event, EventContext, Trigger, failure::unrecognizable, user_attributes},
};

/// Who signs in. Of a user who is not there functions hear where the client is told nothing of it.
#[derive(Clone, Copy)]
pub(crate) struct Visitor<'a> {
    pub(crate) username: &'a str,
    pub(crate) user: Option<&'a User>,
    pub(crate) caller: Caller<'a>,
}

/// What comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    Tokens,
    Failure,
    /// The password, by way of SRP.
    Password,
    Challenge,
}

/// A challenge that a function made.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Made {
    public_challenge_parameters: Option<BTreeMap<String, Option<String>>>,
    private_challenge_parameters: Option<BTreeMap<String, Option<String>>>,
    pub(crate) challenge_metadata: Option<String>,
}

const CUSTOM_CHALLENGE: &str = "CUSTOM_CHALLENGE";

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Defined {
    challenge_name: Option<String>,
    issue_tokens: Option<bool>,
    fail_authentication: Option<bool>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Judged {
    answer_correct: Option<bool>,
}

/// What comes after these rounds. Nothing, if the pool has no custom sign-in.
pub(crate) async fn define_auth_challenge(
    context: &EventContext<'_>,
    visitor: Visitor<'_>,
    rounds: &[CustomRound],
) -> Result<Option<Next>, Error> {
    let event = visitor.event(
        Trigger::DefineAuthChallenge,
        json!({ "session": rounds }),
        json!({ "challengeName": null, "issueTokens": null, "failAuthentication": null }),
    );
    let Some(defined) = context.fire::<Defined>(event).await? else {
        return Ok(None);
    };
    if defined.fail_authentication.unwrap_or_default() {
        return Ok(Some(Next::Failure));
    }
    if defined.issue_tokens.unwrap_or_default() {
        return Ok(Some(Next::Tokens));
    }
    match defined.challenge_name.as_deref() {
        Some(CUSTOM_CHALLENGE) => Ok(Some(Next::Challenge)),
        Some("PASSWORD_VERIFIER") => Ok(Some(Next::Password)),
        _ => Err(unrecognizable()),
    }
}

/// Has a function make a challenge. Nothing, if the pool has no such function.
pub(crate) async fn create_auth_challenge(
    context: &EventContext<'_>,
    visitor: Visitor<'_>,
    rounds: &[CustomRound],
) -> Result<Option<Made>, Error> {
    let event = visitor.event(
        Trigger::CreateAuthChallenge,
        json!({ "challengeName": CUSTOM_CHALLENGE, "session": rounds }),
        json!({
            "publicChallengeParameters": null,
            "privateChallengeParameters": null,
            "challengeMetadata": null,
        }),
    );
    context.fire(event).await
}

/// Whether an answer is right. `false` without a function.
pub(crate) async fn verify_auth_challenge_response(
    context: &EventContext<'_>,
    visitor: Visitor<'_>,
    private: &BTreeMap<String, String>,
    answer: &str,
) -> Result<bool, Error> {
    let event = visitor.event(
        Trigger::VerifyAuthChallengeResponse,
        json!({ "privateChallengeParameters": private, "challengeAnswer": answer }),
        json!({ "answerCorrect": null }),
    );
    let judged = context.fire::<Judged>(event).await?.unwrap_or_default();
    Ok(judged.answer_correct.unwrap_or_default())
}

impl Made {
    /// What the client sees.
    pub(crate) fn public(&self) -> BTreeMap<String, String> {
        without_nulls(self.public_challenge_parameters.as_ref())
    }

    /// What the function that judges the answer sees, and nobody else.
    pub(crate) fn private(&self) -> BTreeMap<String, String> {
        without_nulls(self.private_challenge_parameters.as_ref())
    }
}

impl<'a> Visitor<'a> {
    fn event(&self, trigger: Trigger, mut request: Value, response: Value) -> Event<'a> {
        if let Value::Object(request) = &mut request {
            let attributes = self.user.map_or_else(|| json!({}), user_attributes);
            request.insert("userAttributes".to_owned(), attributes);
            request.insert("userNotFound".to_owned(), json!(self.user.is_none()));
            request.insert("clientMetadata".to_owned(), self.caller.metadata.to_value());
        }
        let (username, caller) = (self.username, self.caller);
        Event { trigger, source: "Authentication", username, caller, request, response }
    }
}

fn without_nulls(
    parameters: Option<&BTreeMap<String, Option<String>>>,
) -> BTreeMap<String, String> {
    let is_there = |(name, value): (&String, &Option<String>)| Some((name.clone(), value.clone()?));
    parameters.into_iter().flatten().filter_map(is_there).collect()
}
