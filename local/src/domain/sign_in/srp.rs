//! `USER_SRP_AUTH` and its challenge `PASSWORD_VERIFIER`.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine, engine::general_purpose::STANDARD};

use crate::{
    crypto::{
        secret::{digest_of, random_octets},
        srp::{Claim, Exchange, Password},
    },
    domain::{
        lockout,
        sign_in::{
            challenges::{expiry, is_named, prune},
            named::NamedUser,
            outcome::{ChallengeRequest, Outcome},
            password::judge,
            unknown_user,
        },
    },
    error::Error,
    model::{Challenge, ChallengeKind, Client, User},
    pool::Pool,
    store::Data,
    triggers::{Caller, Metadata, pre_authentication},
};

/// More digits than any number of the group has.
const MAX_DIGITS: usize = 1024;

/// The client's proof that it knows the password.
pub(crate) struct Proof<'a> {
    pub(crate) secret_block: &'a str,
    pub(crate) signature: &'a str,
    pub(crate) timestamp: &'a str,
}

/// What comes after the password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Follows {
    Tokens,
    CustomChallenges,
}

/// Begins a sign-in by SRP.
pub(crate) async fn begin(
    pool: &Pool,
    client: &Client,
    name: &str,
    public: &str,
    metadata: &Metadata,
) -> Result<Outcome, Error> {
    let named = NamedUser::find(pool, client, name)?;
    let user = named.user.as_deref();
    match user {
        Some(user) => lockout::check(&user.failures, pool.now())?,
        None => unknown_user::check(pool, &named.username)?,
    }
    let caller = Caller { client_id: &client.settings.client_id, metadata };
    pre_authentication(&pool.events(), &named.username, user, caller).await?;
    ask(pool, client, &named, public, Follows::Tokens).await
}

/// Asks a client for the proof that it knows the password.
pub(crate) async fn ask(
    pool: &Pool,
    client: &Client,
    named: &NamedUser,
    public: &str,
    follows: Follows,
) -> Result<Outcome, Error> {
    let NamedUser { username: user_id, user } = named;
    let now = pool.now();
    // A name without a user, or a user without a password, gets a challenge that nobody can answer.
    let unknown = || {
        let seed = digest(&SHA256, format!("{} {user_id}", pool.id()).as_bytes());
        Password::unknown(seed.as_ref())
    };
    let password = user.as_ref().and_then(|user| user.password.clone()).unwrap_or_else(unknown);
    let invalid = || Error::invalid_parameter("Invalid SRP_A.");
    if public.len() > MAX_DIGITS {
        return Err(invalid());
    }
    let exchange = Exchange::begin(&password, public).await.map_err(|_| invalid())?;

    let secret_block = STANDARD.encode(random_octets::<768>());
    let parameters = [
        ("SALT", exchange.salt()),
        ("SECRET_BLOCK", &secret_block),
        ("SRP_B", exchange.public()),
        ("USERNAME", user_id),
        ("USER_ID_FOR_SRP", user_id),
    ];
    let request = ChallengeRequest {
        name: "PASSWORD_VERIFIER",
        session: None,
        parameters: parameters.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
    };
    let challenge = Challenge {
        username: user_id.clone(),
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

/// Checks the answer to `PASSWORD_VERIFIER`, and returns the user and what comes next.
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
    let now = pool.now();
    let taken = pool.store.write(|data| take(data, client, name, secret_block, now)).await??;
    let claim = Claim {
        pool_name: pool.short_name(),
        user_id: &taken.user_id,
        secret_block: &STANDARD.decode(secret_block).unwrap_or_default(),
        timestamp,
        signature,
    };
    let proves = taken.exchange.proves(&claim).await;
    let Some(user) = taken.user else {
        return Err(unknown_user::mistake(pool, &taken.user_id).await?);
    };
    let user = judge(pool, &user, proves).await?;
    Ok((user, taken.follows))
}

/// An exchange that was removed from the store because it is answered.
struct Taken {
    user_id: String,
    /// `None` if no user has the name, or the password changed since the exchange began.
    user: Option<Arc<User>>,
    exchange: Exchange,
    follows: Follows,
}

fn take(
    data: &mut Data,
    client: &Client,
    name: &str,
    secret_block: &str,
    now: u64,
) -> Result<Taken, Error> {
    let key = digest_of(secret_block);
    let challenge = data.challenges.get(&key).filter(|challenge| now < challenge.expires_at);
    let challenge = challenge.ok_or_else(Error::unknown_session)?;
    let user = data
        .exact_user(&challenge.username)
        .filter(|user| challenge.proof == user.proof())
        .cloned();
    let is_theirs = challenge.client_id == client.settings.client_id
        && user.as_ref().is_none_or(|user| is_named(data, user, name));
    let ChallengeKind::PasswordVerifier { exchange, custom } = &challenge.kind else {
        return Err(Error::unknown_session());
    };
    if !is_theirs {
        return Err(Error::unknown_session());
    }
    let follows = if *custom { Follows::CustomChallenges } else { Follows::Tokens };
    let (user_id, exchange) = (challenge.username.clone(), exchange.clone());
    let taken = Taken { user_id, user, exchange, follows };
    data.challenges.remove(&key);
    Ok(taken)
}

/// `Mon Nov 3 15:13:13 UTC 2026`.
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
    fn timestamps_have_javas_form() {
        for right in ["Mon Nov 3 15:13:13 UTC 2026", "Tue Feb 29 00:00:00 UTC 2028"] {
            assert!(is_timestamp(right), "{right}");
        }
        for wrong in [
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
            assert!(!is_timestamp(wrong), "{wrong}");
        }
    }
}
