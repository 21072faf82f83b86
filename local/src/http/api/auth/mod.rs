//! Signing in: `InitiateAuth`, `RespondToAuthChallenge`, and the same for administrators.

mod candidate;
mod challenges;
mod codes;
mod custom;
mod finish;
mod input;
mod new_password;
mod password;
mod respond;
mod srp;
mod steps;
mod stranger;

use std::sync::Arc;

use serde_json::{Value, json};

pub(crate) use self::{
    challenges::{Asked, Handle, ask},
    finish::{Entered, Entry, enter, may_enter, tokens},
    input::Parameters,
    password::{check_password, proof},
    respond::take_answer,
    steps::{NextStep, next_step},
};
pub(crate) use self::{
    challenges::{Open, open_challenge, open_step, session_is_over},
    codes::software_token_missing,
    password::reset_required,
    steps::step_of,
};
use self::{
    challenges::{Turn, go_on},
    input::Initiate,
};
use crate::{
    error::ApiError,
    http::api::{Answer, context::check_secret_hash, input, required, sessions, validate},
    model::{Client, User, settings::AuthFlow},
    pool::{Shared, site::Site},
    triggers::{Metadata, TokenSource},
};

/// The longest name that anybody signs in by: an attribute that stands for the user name.
const MAX_NAME: usize = 2048;

/// Who asks: administrators have flows of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    User,
    Administrator,
}

/// The operations of this group; nothing for others.
pub(crate) async fn call(site: &Arc<Site>, operation: &str, input: Value) -> Option<Answer> {
    Some(match operation {
        "InitiateAuth" => initiate(site, By::User, input).await,
        "AdminInitiateAuth" => initiate(site, By::Administrator, input).await,
        "RespondToAuthChallenge" => respond::answer(site, By::User, input).await,
        "AdminRespondToAuthChallenge" => respond::answer(site, By::Administrator, input).await,
        _ => return None,
    })
}

async fn initiate(site: &Arc<Site>, by: By, value: Value) -> Answer {
    let Initiate { auth_flow, auth_parameters, client_id, user_pool_id, client_metadata } =
        input(value)?;
    let (pool, client) = pool_and_client(site, by, user_pool_id, client_id)?;
    let flow = required(auth_flow, "AuthFlow")?;
    let parameters = auth_parameters.unwrap_or_default();
    let metadata = client_metadata.unwrap_or_default();
    match (flow.as_str(), by) {
        ("USER_SRP_AUTH", _) => {
            check_flow(&client, AuthFlow::UserSrpAuth, &flow)?;
            let name = name_and_secret(&client, &parameters)?;
            srp::begin(&pool, &client, name, parameters.get("SRP_A")?, &metadata).await
        }
        ("USER_PASSWORD_AUTH", _) => {
            check_flow(&client, AuthFlow::UserPasswordAuth, &flow)?;
            with_password(&pool, &client, &parameters, &metadata).await
        }
        ("ADMIN_USER_PASSWORD_AUTH" | "ADMIN_NO_SRP_AUTH", By::Administrator) => {
            check_flow(&client, AuthFlow::AdminUserPasswordAuth, &flow)?;
            with_password(&pool, &client, &parameters, &metadata).await
        }
        ("REFRESH_TOKEN_AUTH" | "REFRESH_TOKEN", _) => {
            // With rotation, a refresh has to give a new refresh token, which this flow cannot.
            if client.settings.rotation_grace().is_some() {
                return Err(flow_is_off("REFRESH_TOKEN_AUTH"));
            }
            check_flow(&client, AuthFlow::RefreshTokenAuth, "REFRESH_TOKEN_AUTH")?;
            let hash = parameters.find("SECRET_HASH");
            let token = parameters.get("REFRESH_TOKEN")?;
            let is_caller = |user: &User| {
                check_secret_hash(&client, &user.username, hash)
                    .or_else(|_| check_secret_hash(&client, &user.sub, hash))
            };
            let metadata = Metadata::NONE;
            let result =
                sessions::refresh(&pool, &client, token, metadata, is_caller, |_| Ok(())).await?;
            Ok(json!({ "AuthenticationResult": result, "ChallengeParameters": {} }))
        }
        ("CUSTOM_AUTH", _) => {
            check_flow(&client, AuthFlow::CustomAuth, &flow)?;
            let name = name_and_secret(&client, &parameters)?;
            custom::begin(&pool, &client, name, &parameters, &metadata).await
        }
        ("USER_AUTH", _) => Err(flow_is_off(&flow)),
        _ => Err(ApiError::invalid_parameter("Initiate Auth method not supported.")),
    }
}

async fn with_password(
    pool: &Shared,
    client: &Client,
    parameters: &Parameters,
    metadata: &Metadata,
) -> Answer {
    let name = name_and_secret(client, parameters)?;
    let password = parameters.get("PASSWORD")?;
    let user = check_password(pool, client, name, password, metadata).await?;
    let turn = Turn { client, metadata: Metadata::NONE, source: TokenSource::Authentication };
    go_on(pool, &turn, &user, next_step(pool, &user)).await
}

/// The name that the caller gives, once the client's secret is proven for it.
fn name_and_secret<'a>(client: &Client, parameters: &'a Parameters) -> Result<&'a str, ApiError> {
    let name = parameters.get("USERNAME")?;
    if name.chars().count() > MAX_NAME {
        let constraint = format!("Member must have length less than or equal to {MAX_NAME}");
        return Err(validate::broken("username", name, &constraint));
    }
    check_secret_hash(client, name, parameters.find("SECRET_HASH"))?;
    Ok(name)
}

fn pool_and_client(
    site: &Site,
    by: By,
    pool_id: Option<String>,
    client_id: Option<String>,
) -> Result<(Arc<Shared>, Client), ApiError> {
    if by == By::User {
        return site.named_client(client_id);
    }
    let pool = site.named_pool(pool_id)?;
    let id = required(client_id, "ClientId")?;
    let client = pool.store.read(|data| data.clients.get(&id).cloned());
    Ok((pool, client.ok_or_else(|| ApiError::no_client(&id))?))
}

fn check_flow(client: &Client, flow: AuthFlow, name: &str) -> Result<(), ApiError> {
    if client.settings.allows(flow) { Ok(()) } else { Err(flow_is_off(name)) }
}

fn flow_is_off(name: &str) -> ApiError {
    ApiError::invalid_parameter(format!("{name} flow not enabled for this client"))
}
