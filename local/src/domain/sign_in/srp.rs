//! `USER_SRP_AUTH` and its challenge `PASSWORD_VERIFIER`.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::STANDARD};

use crate::{
    crypto::{
        secret::{digest_of, random_octets},
        srp::{Claim, Exchange},
    },
    domain::{
        lockout,
        sign_in::{
            challenges::{expiry, prune},
            flows::AllowedFlow,
            named::NamedUser,
            outcome::{ChallengeParameters, ChallengeRequest, Outcome},
            password::{accept_password, reject_password},
            unknown_user,
        },
        simulation,
    },
    error::Error,
    model::{Challenge, ChallengeKind, Client, User},
    pool::Pool,
    store::Data,
    triggers::{Caller, Metadata, pre_authentication},
};

/// The maximum length of a public number, in digits. All numbers of the group are shorter.
const MAX_DIGITS: usize = 1024;

/// The client's proof that it knows the password.
pub(crate) struct Proof<'a> {
    pub(crate) secret_block: &'a str,
    pub(crate) signature: &'a str,
    pub(crate) timestamp: &'a str,
}

/// The step that follows the password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Follows {
    Tokens,
    CustomChallenges,
}

/// Begins a sign-in by SRP.
pub(crate) async fn begin(
    pool: &Pool,
    flow: &AllowedFlow<'_>,
    public: &str,
    metadata: &Metadata,
) -> Result<Outcome, Error> {
    let AllowedFlow { client, name } = *flow;
    let named = NamedUser::find(pool, client, name)?;
    let user = named.user.as_deref();
    match user {
        Some(user) => lockout::check(&user.failures, pool.now())?,
        None => unknown_user::check(pool, &named.username)?,
    }
    let caller = Caller::of(client, metadata);
    pre_authentication(&pool.events(), &named.username, user, caller).await?;
    request_proof(pool, client, &named, public, Follows::Tokens).await
}

/// Creates the challenge `PASSWORD_VERIFIER`. `public` is the client's public number.
pub(crate) async fn request_proof(
    pool: &Pool,
    client: &Client,
    named: &NamedUser,
    public: &str,
    follows: Follows,
) -> Result<Outcome, Error> {
    let NamedUser { username, user } = named;
    let now = pool.now();
    let exchange = begin_exchange(pool, named, public).await?;
    let secret_block = STANDARD.encode(random_octets::<768>());
    let request = ChallengeRequest {
        username: username.clone(),
        session: None,
        parameters: ChallengeParameters::PasswordVerifier {
            salt: exchange.salt().to_owned(),
            public_number: exchange.public().to_owned(),
            secret_block: secret_block.clone(),
        },
    };
    let challenge = Challenge {
        username: username.clone(),
        proof: user.as_deref().map(User::proof).unwrap_or_default(),
        client_id: client.settings.client_id.clone(),
        expires_at: expiry(client, now),
        kind: ChallengeKind::PasswordVerifier {
            exchange,
            custom: follows == Follows::CustomChallenges,
        },
    };
    pool.store
        .write(|data| {
            prune(data, now);
            data.challenges.insert(digest_of(&secret_block), challenge);
            Ok::<_, Error>(())
        })
        .await??;
    Ok(Outcome::Challenge(request))
}

/// Begins an exchange. A name without a user, or a user without a password, gets an exchange in which no proof is
/// valid.
async fn begin_exchange(pool: &Pool, named: &NamedUser, public: &str) -> Result<Exchange, Error> {
    let invalid = || Error::invalid_parameter("Invalid SRP_A.");
    if public.len() > MAX_DIGITS {
        return Err(invalid());
    }
    let known = named.user.as_ref().and_then(|user| user.password.clone());
    let password = known.unwrap_or_else(|| simulation::password(pool, &named.username));
    Exchange::begin(&password, public).await.map_err(|_| invalid())
}

/// Checks the response to `PASSWORD_VERIFIER`, and returns the user and what follows.
pub(crate) async fn verify(
    pool: &Pool,
    client: &Client,
    name: &str,
    proof: &Proof<'_>,
) -> Result<(Arc<User>, Follows), Error> {
    let Proof { secret_block, signature, timestamp } = *proof;
    if !is_timestamp(timestamp) {
        return Err(Error::invalid_parameter(
            "TIMESTAMP format should be EEE MMM d HH:mm:ss z yyyy in english.",
        ));
    }
    let removed = pool.store.write(|data| remove(pool, data, client, name, secret_block));
    let AnsweredExchange { named, exchange, follows } = removed.await??;
    let claim = Claim {
        pool_name: pool.short_name(),
        user_id: &named.username,
        secret_block: &STANDARD.decode(secret_block).unwrap_or_default(),
        timestamp,
        signature,
    };
    let is_valid = exchange.proves(&claim).await;
    match named.user {
        Some(user) if is_valid => Ok((accept_password(pool, &user)?, follows)),
        Some(user) => Err(reject_password(pool, &user).await?),
        None => Err(unknown_user::mistake(pool, &named.username).await?),
    }
}

/// An exchange to which the client responded, and which was removed from the store.
struct AnsweredExchange {
    /// It has no user if no user has the name, or if the password changed since the exchange began.
    named: NamedUser,
    exchange: Exchange,
    follows: Follows,
}

fn remove(
    pool: &Pool,
    data: &mut Data,
    client: &Client,
    name: &str,
    secret_block: &str,
) -> Result<AnsweredExchange, Error> {
    let key = digest_of(secret_block);
    let is_valid = |challenge: &&Arc<Challenge>| {
        pool.now() < challenge.expires_at && challenge.client_id == client.settings.client_id
    };
    let challenge =
        data.challenges.get(&key).filter(is_valid).ok_or_else(Error::unknown_session)?;
    let ChallengeKind::PasswordVerifier { exchange, custom } = &challenge.kind else {
        return Err(Error::unknown_session());
    };
    let user = data.exact_user(&challenge.username);
    let user = user.filter(|user| challenge.proof == user.proof()).cloned();
    let named = NamedUser { username: challenge.username.clone(), user };
    if !named.is_named(pool, data, name) {
        return Err(Error::unknown_session());
    }
    let follows = if *custom { Follows::CustomChallenges } else { Follows::Tokens };
    let answered = AnsweredExchange { named, exchange: exchange.clone(), follows };
    data.challenges.remove(&key);
    Ok(answered)
}

/// Returns whether a text has the form `Mon Nov 3 15:13:13 UTC 2026`.
fn is_timestamp(text: &str) -> bool {
    const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let is_number = |text: &str, below: u16| {
        text.bytes().all(|digit| digit.is_ascii_digit())
            && text.parse::<u16>().is_ok_and(|number| number < below)
    };
    let parts: Vec<_> = text.split(' ').collect();
    let [weekday, month, day, time, zone, year] = parts.as_slice() else {
        return false;
    };
    let time: Vec<_> = time.split(':').collect();
    let [hour, minute, second] = time.as_slice() else {
        return false;
    };
    DAYS.contains(weekday)
        && MONTHS.contains(month)
        && !day.starts_with('0')
        && is_number(day, 32)
        && [hour, minute, second].iter().all(|part| part.len() == 2)
        && is_number(hour, 24)
        && is_number(minute, 60)
        && is_number(second, 61)
        && *zone == "UTC"
        && year.len() == 4
        && is_number(year, 10_000)
}

#[cfg(test)]
mod tests {
    use super::is_timestamp;

    #[test]
    fn timestamp_has_the_form_of_java() {
        for valid in ["Mon Nov 3 15:13:13 UTC 2026", "Tue Feb 29 00:00:00 UTC 2028"] {
            assert!(is_timestamp(valid), "{valid}");
        }
        for invalid in [
            "",
            "now",
            "Mon Nov 03 15:13:13 UTC 2026",
            "Mon Nov 3 5:13:13 UTC 2026",
            "Mo Nov 3 15:13:13 UTC 2026",
            "Mon Nov 3 15:13:13 CET 2026",
            "Mon Nov 3 15:13 UTC 2026",
            "Mon Nov  3 15:13:13 UTC 2026",
            "Mon Nov 3 15:13:13 UTC 26",
        ] {
            assert!(!is_timestamp(invalid), "{invalid}");
        }
    }
}
