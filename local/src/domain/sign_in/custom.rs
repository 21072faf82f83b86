//! `CUSTOM_AUTH`: trigger functions define the challenges and check the answers.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    crypto::secret::digest_of,
    domain::sign_in::{
        challenges::{Handle, SignIn, go_on, is_named, open_for},
        named::{NamedUser, stand_in},
        outcome::{ChallengeRequest, Outcome},
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

/// A sign-in fails after this number of rounds, so that functions cannot continue it for ever.
const MAX_ROUNDS: usize = 20;

/// Begins a custom sign-in. With `public`, the client's number of SRP, the functions may ask for the password first.
pub(crate) async fn begin(
    pool: &Pool,
    client: &Client,
    name: &str,
    public: Option<&str>,
    metadata: &Metadata,
) -> Result<Outcome, Error> {
    let named = NamedUser::find(pool, client, name)?;
    // With a password, only a client that knows it learns why the user may not sign in.
    if let (Some(user), None) = (&named.user, public) {
        may_sign_in(user, pool.now())?;
    }
    let caller = Caller { client_id: &client.settings.client_id, metadata };
    pre_authentication(&pool.events(), &named.username, named.user.as_deref(), caller).await?;
    // The client's metadata of this request is for the trigger before the sign-in only.
    let sign_in = begun(client, Metadata::NONE);
    let rounds: Vec<_> = public.iter().map(|_| round("SRP_A", true)).collect();
    match define(pool, &sign_in, &named, &rounds).await? {
        CustomAuthStep::PasswordVerifier => match public {
            Some(public) => srp::ask(pool, client, &named, public, Follows::CustomChallenges).await,
            None => Err(Error::invalid_parameter("Missing required parameter SRP_A")),
        },
        next => follow(pool, &sign_in, named, rounds, next).await,
    }
}

/// Continues after the right password.
pub(crate) async fn after_password(
    pool: &Pool,
    sign_in: &SignIn<'_>,
    user: Arc<User>,
) -> Result<Outcome, Error> {
    let named = NamedUser { username: user.username.clone(), user: Some(user) };
    let rounds = vec![round("SRP_A", true), round("PASSWORD_VERIFIER", true)];
    let next = define(pool, sign_in, &named, &rounds).await?;
    follow(pool, sign_in, named, rounds, next).await
}

/// Checks the answer to a challenge. Each is answered once, right or wrong.
pub(crate) async fn answer(
    pool: &Pool,
    client: &Client,
    handle: &Handle<'_>,
    answer: &str,
    metadata: &Metadata,
) -> Result<Outcome, Error> {
    let Taken { named, private, mut rounds } =
        pool.store.write(|data| take(pool, data, handle)).await??;
    let sign_in = begun(client, metadata);
    let user = custom_auth_user(&sign_in, &named);
    let is_right = verify_auth_challenge_response(&pool.events(), user, &private, answer).await?;
    if let Some(round) = rounds.last_mut() {
        round.challenge_result = is_right;
    }
    let next = define(pool, &sign_in, &named, &rounds).await?;
    follow(pool, &sign_in, named, rounds, next).await
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

async fn follow(
    pool: &Pool,
    sign_in: &SignIn<'_>,
    named: NamedUser,
    rounds: Vec<CustomRound>,
    next: CustomAuthStep,
) -> Result<Outcome, Error> {
    match (next, &named.user) {
        (CustomAuthStep::IssueTokens, Some(user)) => {
            go_on(pool, sign_in, user, NextStep::Done).await
        }
        (CustomAuthStep::CustomChallenge, _) if rounds.len() < MAX_ROUNDS => {
            ask(pool, sign_in, &named, rounds).await
        }
        // Whatever the functions respond, a user who does not exist gets no tokens.
        (CustomAuthStep::IssueTokens, None)
        | (
            CustomAuthStep::Fail
            | CustomAuthStep::PasswordVerifier
            | CustomAuthStep::CustomChallenge,
            _,
        ) => Err(Error::wrong_password()),
    }
}

async fn ask(
    pool: &Pool,
    sign_in: &SignIn<'_>,
    named: &NamedUser,
    mut rounds: Vec<CustomRound>,
) -> Result<Outcome, Error> {
    let made =
        create_auth_challenge(&pool.events(), custom_auth_user(sign_in, named), &rounds).await?;
    let made = made.ok_or_else(not_configured)?;
    rounds.push(CustomRound {
        challenge_metadata: made.challenge_metadata.clone(),
        ..round("CUSTOM_CHALLENGE", false)
    });
    let kind = ChallengeKind::Custom { private: made.private(), rounds };
    let proven = named.user.as_deref().map(User::proof).unwrap_or_default();
    let now = pool.now();
    let session = pool
        .store
        .write(|data| {
            let present =
                data.exact_user(&named.username).map(|user| user.proof()).unwrap_or_default();
            if named.user.is_some() && present != proven {
                return Err(Error::unknown_session());
            }
            Ok(open_for(data, sign_in.client, (&named.username, proven), kind, now))
        })
        .await??;
    let mut parameters = made.public();
    parameters.insert("USERNAME".to_owned(), named.username.clone());
    let name = "CUSTOM_CHALLENGE";
    Ok(Outcome::Challenge(ChallengeRequest { name, session: Some(session), parameters }))
}

/// A challenge that was removed from the store because it is answered.
struct Taken {
    named: NamedUser,
    private: BTreeMap<String, String>,
    /// The last of them is this one.
    rounds: Vec<CustomRound>,
}

fn take(pool: &Pool, data: &mut Data, handle: &Handle<'_>) -> Result<Taken, Error> {
    let key = digest_of(handle.session);
    let challenge = data.challenges.get(&key).filter(|one| handle.now < one.expires_at);
    let challenge = challenge.ok_or_else(Error::unknown_session)?;
    let ChallengeKind::Custom { private, rounds } = &challenge.kind else {
        return Err(Error::unknown_session());
    };
    let (client_id, name) = handle.client_and_name.ok_or_else(Error::unknown_session)?;
    let user = if challenge.proof.is_empty() {
        None
    } else {
        let user = data.exact_user(&challenge.username);
        let user = user.filter(|user| user.proof() == challenge.proof && user.enabled);
        Some(user.ok_or_else(Error::unknown_session)?.clone())
    };
    let is_name = match &user {
        Some(user) => is_named(data, user, name),
        None => challenge.username == name || challenge.username == stand_in(pool, data, name),
    };
    if challenge.client_id != client_id || !is_name {
        return Err(Error::unknown_session());
    }
    let named = NamedUser { username: challenge.username.clone(), user };
    let taken = Taken { named, private: private.clone(), rounds: rounds.clone() };
    data.challenges.remove(&key);
    Ok(taken)
}

fn custom_auth_user<'a>(sign_in: &SignIn<'a>, named: &'a NamedUser) -> CustomAuthUser<'a> {
    let caller =
        Caller { client_id: &sign_in.client.settings.client_id, metadata: sign_in.metadata };
    CustomAuthUser { username: &named.username, user: named.user.as_deref(), caller }
}

fn begun<'a>(client: &'a Client, metadata: &'a Metadata) -> SignIn<'a> {
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
