//! `InitiateAuth`, `RespondToAuthChallenge`, `AdminInitiateAuth` and `AdminRespondToAuthChallenge`.

use std::{collections::BTreeMap, sync::Arc};

use serde::Deserialize;
use serde_json::Value;

use crate::{
    domain::{
        clients,
        sign_in::{self, AllowedFlow, ChallengeRef, Outcome, Proof, check_caller, flow_is_off},
    },
    error::Error,
    http::api::{Output, challenges, input, required},
    model::{Client, Factor, settings::AuthFlow},
    pool::{Pool, site::Site},
    triggers::Metadata,
};

/// Who calls the operation. Some flows are only for administrators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Caller {
    App,
    Administrator,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Initiate {
    auth_flow: Option<String>,
    auth_parameters: Option<Parameters>,
    client_id: Option<String>,
    user_pool_id: Option<String>,
    client_metadata: Option<Metadata>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Respond {
    challenge_name: Option<String>,
    challenge_responses: Option<Parameters>,
    session: Option<String>,
    client_id: Option<String>,
    user_pool_id: Option<String>,
    client_metadata: Option<Metadata>,
}

/// The parameters of a flow, or of the response to a challenge. Null means absent.
#[derive(Default, Deserialize)]
struct Parameters(BTreeMap<String, Option<String>>);

pub(crate) async fn initiate_auth(site: &Site, value: Value) -> Output {
    initiate(site, Caller::App, value).await.map(challenges::outcome)
}

pub(crate) async fn admin_initiate_auth(site: &Site, value: Value) -> Output {
    initiate(site, Caller::Administrator, value).await.map(challenges::outcome)
}

pub(crate) async fn respond_to_auth_challenge(site: &Site, value: Value) -> Output {
    respond(site, Caller::App, value).await.map(challenges::outcome)
}

pub(crate) async fn admin_respond_to_auth_challenge(site: &Site, value: Value) -> Output {
    respond(site, Caller::Administrator, value).await.map(challenges::outcome)
}

async fn initiate(site: &Site, caller: Caller, value: Value) -> Result<Outcome, Error> {
    let input: Initiate = input(value)?;
    let (pool, client) = pool_and_client(site, caller, input.user_pool_id, input.client_id)?;
    let flow = required(input.auth_flow, "AuthFlow")?;
    let parameters = input.auth_parameters.unwrap_or_default();
    let metadata = input.client_metadata.unwrap_or_default();
    let (name, secret_hash) = (parameters.find("USERNAME"), parameters.find("SECRET_HASH"));
    let check = |kind| AllowedFlow::check(&client, kind, &flow, name, secret_hash);
    match (flow.as_str(), caller) {
        ("USER_SRP_AUTH", _) => {
            let allowed = check(AuthFlow::UserSrpAuth)?;
            sign_in::begin_srp(&pool, &allowed, parameters.get("SRP_A")?, &metadata).await
        }
        ("USER_PASSWORD_AUTH", _) => {
            let allowed = check(AuthFlow::UserPasswordAuth)?;
            sign_in::with_password(&pool, &allowed, parameters.get("PASSWORD")?, &metadata).await
        }
        ("ADMIN_USER_PASSWORD_AUTH" | "ADMIN_NO_SRP_AUTH", Caller::Administrator) => {
            let allowed = check(AuthFlow::AdminUserPasswordAuth)?;
            sign_in::with_password(&pool, &allowed, parameters.get("PASSWORD")?, &metadata).await
        }
        ("REFRESH_TOKEN_AUTH" | "REFRESH_TOKEN", _) => {
            sign_in::refresh(&pool, &client, parameters.find("REFRESH_TOKEN"), secret_hash).await
        }
        ("CUSTOM_AUTH", _) => {
            let allowed = check(AuthFlow::CustomAuth)?;
            let public = match parameters.find("CHALLENGE_NAME") {
                Some("SRP_A") => Some(parameters.get("SRP_A")?),
                _ => None,
            };
            sign_in::begin_custom(&pool, &allowed, public, &metadata).await
        }
        ("USER_AUTH", _) => Err(flow_is_off(&flow)),
        _ => Err(Error::invalid_parameter("Initiate Auth method not supported.")),
    }
}

async fn respond(site: &Site, caller: Caller, value: Value) -> Result<Outcome, Error> {
    let input: Respond = input(value)?;
    let (pool, client) = pool_and_client(site, caller, input.user_pool_id, input.client_id)?;
    let challenge = required(input.challenge_name, "ChallengeName")?;
    let parameters = input.challenge_responses.unwrap_or_default();
    let metadata = input.client_metadata.unwrap_or_default();
    let name = parameters.get("USERNAME")?;
    check_caller(&client, name, parameters.find("SECRET_HASH"))?;
    if challenge == "PASSWORD_VERIFIER" {
        let proof = Proof {
            secret_block: parameters.get("PASSWORD_CLAIM_SECRET_BLOCK")?,
            signature: parameters.get("PASSWORD_CLAIM_SIGNATURE")?,
            timestamp: parameters.get("TIMESTAMP")?,
        };
        return sign_in::answer_srp(&pool, &client, name, &proof, &metadata).await;
    }
    let session = input.session.ok_or_else(|| Error::missing_parameter("Session"))?;
    let reference = ChallengeRef {
        session: &session,
        client_and_name: Some((&client.settings.client_id, name)),
        now: pool.now(),
    };
    if challenge == "CUSTOM_CHALLENGE" {
        let answer = parameters.get("ANSWER")?;
        return sign_in::answer_custom(&pool, &client, &reference, answer, &metadata).await;
    }
    let answer = read_answer(&challenge, &parameters)?;
    sign_in::answer(&pool, &client, &reference, answer, &metadata).await
}

fn read_answer<'a>(
    challenge: &str,
    parameters: &'a Parameters,
) -> Result<sign_in::Answer<'a>, Error> {
    if let Some(factor) = Factor::of_name(challenge) {
        let code = parameters.get(&format!("{challenge}_CODE"))?;
        return Ok(sign_in::Answer::Code(factor, code));
    }
    match challenge {
        "NEW_PASSWORD_REQUIRED" => Ok(sign_in::Answer::NewPassword {
            password: parameters.get("NEW_PASSWORD")?,
            attributes: parameters.with_prefix("userAttributes."),
        }),
        "SELECT_MFA_TYPE" => Ok(sign_in::Answer::SelectFactor(parameters.get("ANSWER")?)),
        "MFA_SETUP" => Ok(sign_in::Answer::SetUpFactor),
        _ => Err(Error::invalid_parameter(format!("Challenge name {challenge} is not supported."))),
    }
}

fn pool_and_client(
    site: &Site,
    caller: Caller,
    pool_id: Option<String>,
    client_id: Option<String>,
) -> Result<(Arc<Pool>, Arc<Client>), Error> {
    if caller == Caller::App {
        return site.named_client(client_id);
    }
    let pool = site.named_pool(pool_id)?;
    let client = clients::get(&pool, &required(client_id, "ClientId")?)?;
    Ok((pool, client))
}

impl Parameters {
    fn find(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_deref()
    }

    /// Returns a required parameter.
    fn get(&self, name: &str) -> Result<&str, Error> {
        self.find(name).ok_or_else(|| Error::missing_parameter(name))
    }

    /// Returns the parameters whose names have a prefix, under their names without it.
    fn with_prefix(&self, prefix: &str) -> BTreeMap<String, String> {
        let named = |(name, value): (&String, &Option<String>)| {
            Some((name.strip_prefix(prefix)?.to_owned(), value.clone()?))
        };
        self.0.iter().filter_map(named).collect()
    }
}
