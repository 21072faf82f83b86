//! `CUSTOM_AUTH`: trigger functions create the challenges and check the responses.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    crypto::secret::digest_of,
    domain::sign_in::{
        challenges::{ChallengeRef, SignIn, continue_sign_in, store_challenge_of_name},
        flows::AllowedFlow,
        named::NamedUser,
        outcome::{ChallengeParameters, ChallengeRequest, Outcome},
        password::may_sign_in,
        srp::{self, Follows},
        steps::NextStep,
    },
    error::Error,
    model::{ChallengeKind, Client, CustomRound, User},
    pool::Pool,
    store::Data,
    triggers::{
        Caller, CustomAuthStep, CustomAuthUser, Metadata, TokenSource, create_auth_challenge,
        define_auth_challenge, pre_authentication, verify_auth_challenge_response,
    },
};

/// A sign-in fails after this number of rounds, so that functions cannot continue it forever.
const MAX_ROUNDS: usize = 20;

/// Begins a custom sign-in. If `public`, the client's public SRP number, is present, the functions may require the
/// password first.
pub(crate) async fn begin(
    pool: &Pool,
    flow: &AllowedFlow<'_>,
    public: Option<&str>,
    metadata: &Metadata,
) -> Result<Outcome, Error> {
    let AllowedFlow { client, name } = *flow;
    let named = NamedUser::find(pool, client, name)?;
    // If the password is checked first, only a client that knows it may learn why the user cannot sign in.
    if let (Some(user), None) = (&named.user, public) {
        may_sign_in(user, pool.now())?;
    }
    let caller = Caller::of(client, metadata);
    pre_authentication(&pool.events(), &named.username, named.user.as_deref(), caller).await?;
    // Only the pre-authentication trigger gets the metadata of this request.
    let sign_in = sign_in_through(client, Metadata::NONE);
    let rounds: Vec<_> = public.iter().map(|_| round("SRP_A", true)).collect();
    match define(pool, &sign_in, &named, &rounds).await? {
        CustomAuthStep::PasswordVerifier => match public {
            Some(public) => {
                srp::request_proof(pool, client, &named, public, Follows::CustomChallenges).await
            }
            None => Err(Error::missing_parameter("SRP_A")),
        },
        next => proceed(pool, &sign_in, named, rounds, next).await,
    }
}

/// Continues a custom sign-in after the password was verified.
pub(crate) async fn after_password(
    pool: &Pool,
    sign_in: &SignIn<'_>,
    user: Arc<User>,
) -> Result<Outcome, Error> {
    let named = NamedUser { username: user.username.clone(), user: Some(user) };
    let rounds = vec![round("SRP_A", true), round("PASSWORD_VERIFIER", true)];
    let next = define(pool, sign_in, &named, &rounds).await?;
    proceed(pool, sign_in, named, rounds, next).await
}

/// Checks the response to a challenge. Each challenge accepts one response, correct or not.
pub(crate) async fn answer(
    pool: &Pool,
    client: &Client,
    reference: &ChallengeRef<'_>,
    answer: &str,
    metadata: &Metadata,
) -> Result<Outcome, Error> {
    let AnsweredChallenge { named, private, mut rounds } =
        pool.store.write(|data| remove(pool, data, reference)).await??;
    let sign_in = sign_in_through(client, metadata);
    let user = custom_auth_user(&sign_in, &named);
    let is_right = verify_auth_challenge_response(&pool.events(), user, &private, answer).await?;
    if let Some(round) = rounds.last_mut() {
        round.challenge_result = is_right;
    }
    let next = define(pool, &sign_in, &named, &rounds).await?;
    proceed(pool, &sign_in, named, rounds, next).await
}

async fn define(
    pool: &Pool,
    sign_in: &SignIn<'_>,
    named: &NamedUser,
    rounds: &[CustomRound],
) -> Result<CustomAuthStep, Error> {
    define_auth_challenge(&pool.events(), custom_auth_user(sign_in, named), rounds)
        .await?
        .ok_or_else(not_configured)
}

async fn proceed(
    pool: &Pool,
    sign_in: &SignIn<'_>,
    named: NamedUser,
    rounds: Vec<CustomRound>,
    next: CustomAuthStep,
) -> Result<Outcome, Error> {
    match (next, &named.user) {
        (CustomAuthStep::IssueTokens, Some(user)) => {
            continue_sign_in(pool, sign_in, user, NextStep::Done).await
        }
        (CustomAuthStep::CustomChallenge, _) if rounds.len() < MAX_ROUNDS => {
            start_round(pool, sign_in, named, rounds).await
        }
        // A user who does not exist gets no tokens, regardless of what the functions return.
        (CustomAuthStep::IssueTokens, None)
        | (
            CustomAuthStep::Fail
            | CustomAuthStep::PasswordVerifier
            | CustomAuthStep::CustomChallenge,
            _,
        ) => Err(Error::wrong_password()),
    }
}

/// Creates the challenge of the next round.
async fn start_round(
    pool: &Pool,
    sign_in: &SignIn<'_>,
    named: NamedUser,
    mut rounds: Vec<CustomRound>,
) -> Result<Outcome, Error> {
    let created =
        create_auth_challenge(&pool.events(), custom_auth_user(sign_in, &named), &rounds).await?;
    let created = created.ok_or_else(not_configured)?;
    rounds.push(CustomRound {
        challenge_metadata: created.challenge_metadata.clone(),
        ..round("CUSTOM_CHALLENGE", false)
    });
    let kind = ChallengeKind::Custom { private: created.private(), rounds };
    let NamedUser { username, user } = named;
    let proof = user.as_deref().map(User::proof).unwrap_or_default();
    let now = pool.now();
    let session = pool
        .store
        .write(|data| {
            let present = data.exact_user(&username).map(|user| user.proof()).unwrap_or_default();
            if user.is_some() && present != proof {
                return Err(Error::unknown_session());
            }
            Ok(store_challenge_of_name(data, sign_in.client, (&username, proof), kind, now))
        })
        .await??;
    let parameters = ChallengeParameters::Custom(created.public());
    Ok(Outcome::Challenge(ChallengeRequest { username, session: Some(session), parameters }))
}

/// A challenge to which the client responded, and which was removed from the store.
struct AnsweredChallenge {
    named: NamedUser,
    private: BTreeMap<String, String>,
    /// The last round is this challenge.
    rounds: Vec<CustomRound>,
}

fn remove(
    pool: &Pool,
    data: &mut Data,
    reference: &ChallengeRef<'_>,
) -> Result<AnsweredChallenge, Error> {
    let key = digest_of(reference.session);
    let (client_id, name) = reference.client_and_name.ok_or_else(Error::unknown_session)?;
    let challenge = data.challenges.get(&key).filter(|challenge| {
        reference.now < challenge.expires_at && challenge.client_id == client_id
    });
    let challenge = challenge.ok_or_else(Error::unknown_session)?;
    let ChallengeKind::Custom { private, rounds } = &challenge.kind else {
        return Err(Error::unknown_session());
    };
    let user = if challenge.proof.is_empty() {
        None
    } else {
        let user = data.exact_user(&challenge.username);
        let user = user.filter(|user| user.proof() == challenge.proof && user.enabled);
        Some(user.ok_or_else(Error::unknown_session)?.clone())
    };
    let named = NamedUser { username: challenge.username.clone(), user };
    if !named.is_named(pool, data, name) {
        return Err(Error::unknown_session());
    }
    let answered = AnsweredChallenge { named, private: private.clone(), rounds: rounds.clone() };
    data.challenges.remove(&key);
    Ok(answered)
}

fn custom_auth_user<'a>(sign_in: &SignIn<'a>, named: &'a NamedUser) -> CustomAuthUser<'a> {
    let caller = Caller::of(sign_in.client, sign_in.metadata);
    CustomAuthUser { username: &named.username, user: named.user.as_deref(), caller }
}

fn sign_in_through<'a>(client: &'a Client, metadata: &'a Metadata) -> SignIn<'a> {
    SignIn { client, metadata, source: TokenSource::Authentication }
}

fn round(challenge: &str, result: bool) -> CustomRound {
    CustomRound {
        challenge_name: challenge.to_owned(),
        challenge_result: result,
        challenge_metadata: None,
    }
}

fn not_configured() -> Error {
    Error::invalid_parameter("Custom auth lambda trigger is not configured for the user pool.")
}
