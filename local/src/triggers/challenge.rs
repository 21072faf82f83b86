//! The triggers of custom authentication: they define the next step, create a challenge, and verify its answer.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    error::Error,
    model::{CustomRound, User},
    triggers::{Caller, Event, EventContext, Trigger, failure::unrecognizable},
};

/// The user of a custom sign-in. `user` is `None` for an unknown user, if the client must not learn that.
#[derive(Clone, Copy)]
pub(crate) struct CustomAuthUser<'a> {
    pub(crate) username: &'a str,
    pub(crate) user: Option<&'a User>,
    pub(crate) caller: Caller<'a>,
}

/// The next step of a custom sign-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CustomAuthStep {
    IssueTokens,
    Fail,
    /// The SRP challenge `PASSWORD_VERIFIER`.
    PasswordVerifier,
    CustomChallenge,
}

/// A challenge that a function created.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct CreatedChallenge {
    public_challenge_parameters: Option<BTreeMap<String, Option<String>>>,
    private_challenge_parameters: Option<BTreeMap<String, Option<String>>>,
    pub(crate) challenge_metadata: Option<String>,
}

const CUSTOM_CHALLENGE: &str = "CUSTOM_CHALLENGE";

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct DefineResponse {
    challenge_name: Option<String>,
    issue_tokens: Option<bool>,
    fail_authentication: Option<bool>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct VerifyResponse {
    answer_correct: Option<bool>,
}

/// Returns the step after these rounds, or `None` if the pool has no function for it.
pub(crate) async fn define_auth_challenge(
    context: &EventContext<'_>,
    user: CustomAuthUser<'_>,
    rounds: &[CustomRound],
) -> Result<Option<CustomAuthStep>, Error> {
    let event = user.event(
        context,
        Trigger::DefineAuthChallenge,
        json!({ "session": rounds }),
        json!({ "challengeName": null, "issueTokens": null, "failAuthentication": null }),
    );
    let Some(response) = context.fire::<DefineResponse>(event).await? else {
        return Ok(None);
    };
    if response.fail_authentication.unwrap_or_default() {
        return Ok(Some(CustomAuthStep::Fail));
    }
    if response.issue_tokens.unwrap_or_default() {
        return Ok(Some(CustomAuthStep::IssueTokens));
    }
    match response.challenge_name.as_deref() {
        Some(CUSTOM_CHALLENGE) => Ok(Some(CustomAuthStep::CustomChallenge)),
        Some("PASSWORD_VERIFIER") => Ok(Some(CustomAuthStep::PasswordVerifier)),
        _ => Err(unrecognizable()),
    }
}

/// Returns a new challenge, or `None` if the pool has no function for it.
pub(crate) async fn create_auth_challenge(
    context: &EventContext<'_>,
    user: CustomAuthUser<'_>,
    rounds: &[CustomRound],
) -> Result<Option<CreatedChallenge>, Error> {
    let event = user.event(
        context,
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

/// Returns whether the answer to a challenge is correct. Without a function, no answer is correct.
pub(crate) async fn verify_auth_challenge_response(
    context: &EventContext<'_>,
    user: CustomAuthUser<'_>,
    private: &BTreeMap<String, String>,
    answer: &str,
) -> Result<bool, Error> {
    let event = user.event(
        context,
        Trigger::VerifyAuthChallengeResponse,
        json!({ "privateChallengeParameters": private, "challengeAnswer": answer }),
        json!({ "answerCorrect": null }),
    );
    let response = context.fire::<VerifyResponse>(event).await?.unwrap_or_default();
    Ok(response.answer_correct.unwrap_or_default())
}

impl CreatedChallenge {
    /// Returns the parameters that the client receives.
    pub(crate) fn public(&self) -> BTreeMap<String, String> {
        without_nulls(self.public_challenge_parameters.as_ref())
    }

    /// Returns the parameters that only the function that verifies the answer receives.
    pub(crate) fn private(&self) -> BTreeMap<String, String> {
        without_nulls(self.private_challenge_parameters.as_ref())
    }
}

impl<'a> CustomAuthUser<'a> {
    fn event(
        &self,
        context: &EventContext<'_>,
        trigger: Trigger,
        mut request: Value,
        response: Value,
    ) -> Event<'a> {
        if let Value::Object(request) = &mut request {
            let attributes =
                self.user.map_or_else(|| json!({}), |user| context.user_attributes(user));
            request.insert("userAttributes".to_owned(), attributes);
        }
        let request = self.caller.add_user_not_found(request, self.user.is_none());
        let request = self.caller.metadata.add_to(request);
        let (username, caller) = (self.username, self.caller);
        Event { trigger, source: "Authentication", username, caller, request, response }
    }
}

fn without_nulls(
    parameters: Option<&BTreeMap<String, Option<String>>>,
) -> BTreeMap<String, String> {
    let present = |(name, value): (&String, &Option<String>)| Some((name.clone(), value.clone()?));
    parameters.into_iter().flatten().filter_map(present).collect()
}
