//! `CUSTOM_AUTH`: functions of a team's own say what is asked, and what is right.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::{
    error::ApiError,
    http::api::{
        Answer,
        auth::{
            candidate::{Candidate, stand_in},
            challenges::{Handle, Turn, go_on, is_named, open_for, session_is_over},
            input::Parameters,
            password::{may_sign_in, proof},
            srp::{self, Follows},
            steps::NextStep,
        },
    },
    model::{ChallengeKind, Client, CustomRound, User},
    pool::{Shared, issue::digest_of},
    store::Data,
    triggers::{
        Caller, Metadata, Next, TokenSource, Visitor, create_auth_challenge, define_auth_challenge,
        pre_authentication, verify_auth_challenge_response,
    },
};

/// A function that never comes to an end does not keep the client for ever.
const MAX_ROUNDS: usize = 20;

/// Begins a custom sign-in, with the password first if the client shows that it knows how.
pub(crate) async fn begin(
    pool: &Shared,
    client: &Client,
    name: &str,
    parameters: &Parameters,
    metadata: &Metadata,
) -> Answer {
    let public = match parameters.find("CHALLENGE_NAME") {
        Some("SRP_A") => Some(parameters.get("SRP_A")?),
        _ => None,
    };
    let candidate = Candidate::named(pool, client, name)?;
    // With a password, only who knows it hears why they may not sign in.
    if let (Some(user), None) = (&candidate.user, public) {
        may_sign_in(user, pool.now())?;
    }
    let caller = Caller { client_id: &client.settings.client_id, metadata };
    pre_authentication(pool, &candidate.username, candidate.user.as_ref(), caller).await?;
    // What the client says now is for the trigger before, and for that alone.
    let turn = turn(client, Metadata::NONE);
    let rounds: Vec<_> = public.iter().map(|_| round("SRP_A", true)).collect();
    match define(pool, &turn, &candidate, &rounds).await? {
        Next::Password => match public {
            Some(public) => {
                srp::ask(pool, client, &candidate, public, Follows::CustomChallenges).await
            }
            None => Err(ApiError::invalid_parameter("Missing required parameter SRP_A")),
        },
        next => follow(pool, &turn, candidate, rounds, next).await,
    }
}

/// Goes on after the password was right.
pub(crate) async fn after_password(pool: &Shared, turn: &Turn<'_>, user: User) -> Answer {
    let candidate = Candidate { username: user.username.clone(), user: Some(user) };
    let rounds = vec![round("SRP_A", true), round("PASSWORD_VERIFIER", true)];
    let next = define(pool, turn, &candidate, &rounds).await?;
    follow(pool, turn, candidate, rounds, next).await
}

/// Takes the answer to a challenge. Each is answered once: right or wrong, what comes next is another.
pub(crate) async fn answer(
    pool: &Shared,
    client: &Client,
    handle: &Handle<'_>,
    answers: &Parameters,
    metadata: &Metadata,
) -> Answer {
    let answer = answers.get("ANSWER")?;
    let Taken { candidate, private, mut rounds } =
        pool.store.write(|data| take(pool, data, handle)).await??;
    let turn = turn(client, metadata);
    let visitor = visitor(&turn, &candidate);
    let is_right = verify_auth_challenge_response(pool, visitor, &private, answer).await?;
    if let Some(round) = rounds.last_mut() {
        round.challenge_result = is_right;
    }
    let next = define(pool, &turn, &candidate, &rounds).await?;
    follow(pool, &turn, candidate, rounds, next).await
}

async fn define(
    pool: &Shared,
    turn: &Turn<'_>,
    candidate: &Candidate,
    rounds: &[CustomRound],
) -> Result<Next, ApiError> {
    define_auth_challenge(pool, visitor(turn, candidate), rounds).await?.ok_or_else(not_configured)
}

async fn follow(
    pool: &Shared,
    turn: &Turn<'_>,
    candidate: Candidate,
    rounds: Vec<CustomRound>,
    next: Next,
) -> Answer {
    match (next, &candidate.user) {
        (Next::Tokens, Some(user)) => go_on(pool, turn, user, NextStep::Done).await,
        (Next::Challenge, _) if rounds.len() < MAX_ROUNDS => {
            ask(pool, turn, &candidate, rounds).await
        }
        // Whatever the functions say, nobody comes in who is not there.
        (Next::Tokens, None) | (Next::Failure | Next::Password | Next::Challenge, _) => {
            Err(ApiError::wrong_password())
        }
    }
}

async fn ask(
    pool: &Shared,
    turn: &Turn<'_>,
    candidate: &Candidate,
    mut rounds: Vec<CustomRound>,
) -> Answer {
    let made = create_auth_challenge(pool, visitor(turn, candidate), &rounds).await?;
    let made = made.ok_or_else(not_configured)?;
    rounds.push(CustomRound {
        challenge_metadata: made.challenge_metadata.clone(),
        ..round("CUSTOM_CHALLENGE", false)
    });
    let kind = ChallengeKind::Custom { private: made.private(), rounds };
    let proven = candidate.user.as_ref().map(proof).unwrap_or_default();
    let now = pool.now();
    let session = pool
        .store
        .write(|data| {
            let present = data.exact_user(&candidate.username).map(proof).unwrap_or_default();
            if candidate.user.is_some() && present != proven {
                return Err(session_is_over());
            }
            Ok(open_for(data, turn.client, (&candidate.username, proven), kind, now))
        })
        .await??;
    let mut parameters: Map<_, _> =
        made.public().into_iter().map(|(name, value)| (name, Value::String(value))).collect();
    parameters.insert("USERNAME".to_owned(), json!(candidate.username));
    Ok(json!({
        "ChallengeName": "CUSTOM_CHALLENGE",
        "Session": session,
        "ChallengeParameters": parameters,
    }))
}

/// A challenge that is over once it is answered, well or not.
struct Taken {
    candidate: Candidate,
    private: BTreeMap<String, String>,
    /// The last of them is this one.
    rounds: Vec<CustomRound>,
}

fn take(pool: &Shared, data: &mut Data, handle: &Handle<'_>) -> Result<Taken, ApiError> {
    let key = digest_of(handle.session);
    let challenge = data.challenges.get(&key).filter(|one| handle.now < one.expires_at);
    let challenge = challenge.ok_or_else(session_is_over)?;
    let ChallengeKind::Custom { private, rounds } = &challenge.kind else {
        return Err(session_is_over());
    };
    let (client_id, name) = handle.client_and_name.ok_or_else(session_is_over)?;
    let user = if challenge.proof.is_empty() {
        None
    } else {
        let user = data.exact_user(&challenge.username);
        let user = user.filter(|user| proof(user) == challenge.proof && user.enabled);
        Some(user.ok_or_else(session_is_over)?.clone())
    };
    let is_name = match &user {
        Some(user) => is_named(data, user, name),
        None => challenge.username == name || challenge.username == stand_in(pool, data, name),
    };
    if challenge.client_id != client_id || !is_name {
        return Err(session_is_over());
    }
    let candidate = Candidate { username: challenge.username.clone(), user };
    let taken = Taken { candidate, private: private.clone(), rounds: rounds.clone() };
    data.challenges.remove(&key);
    Ok(taken)
}

fn visitor<'a>(turn: &Turn<'a>, candidate: &'a Candidate) -> Visitor<'a> {
    let caller = Caller { client_id: &turn.client.settings.client_id, metadata: turn.metadata };
    Visitor { username: &candidate.username, user: candidate.user.as_ref(), caller }
}

fn turn<'a>(client: &'a Client, metadata: &'a Metadata) -> Turn<'a> {
    Turn { client, metadata, source: TokenSource::Authentication }
}

fn round(challenge: &str, result: bool) -> CustomRound {
    CustomRound {
        challenge_name: challenge.to_owned(),
        challenge_result: result,
        challenge_metadata: None,
    }
}

fn not_configured() -> ApiError {
    ApiError::invalid_parameter("Custom auth lambda trigger is not configured for the user pool.")
}
