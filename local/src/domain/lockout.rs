//! Wrong passwords and wrong codes in a row lock an account for a while, wherever they are typed.

use crate::{
    error::Error,
    model::{Failures, UnknownName},
    store::Data,
};

/// The number of mistakes in a row that lock the account.
const LOCKING_MISTAKES: u32 = 5;

/// The longest lock, in milliseconds: fifteen minutes. Mistakes are forgotten after as long without an attempt.
const LONGEST_LOCK: u64 = 15 * 60 * 1000;

/// Rejects an attempt to sign in while the account is locked.
pub(crate) fn check(failures: &Failures, now: u64) -> Result<(), Error> {
    if is_locked(failures, now) {
        return Err(Error::not_authorized("Password attempts exceeded"));
    }
    Ok(())
}

/// Whether passwords and codes are rejected without a look at them.
pub(crate) fn is_locked(failures: &Failures, now: u64) -> bool {
    failures.locked_until.is_some_and(|until| now < until)
}

/// Whether earlier mistakes still count.
fn is_remembered(failures: &Failures, now: u64) -> bool {
    failures.locked_until.is_some_and(|until| now < until.saturating_add(LONGEST_LOCK))
}

/// Changes what is remembered of a name that no user has, and forgets other names of which nothing counts any more.
pub(crate) fn remember(
    data: &mut Data,
    key: String,
    now: u64,
    change: impl FnOnce(&mut UnknownName),
) {
    let mut name = data
        .unknown_names
        .get(&key)
        .map_or_else(UnknownName::default, |known| UnknownName::clone(known));
    change(&mut name);
    let counts = |name: &UnknownName| {
        is_remembered(&name.failures, now) || name.codes.values().any(|code| now < code.expires_at)
    };
    data.unknown_names.prune(|_, name| counts(name));
    data.unknown_names.insert(key, name);
}

/// Counts a mistake. From the fifth in a row on, each locks the account for twice as long as the one before.
pub(crate) fn count_mistake(failures: &mut Failures, now: u64) {
    if !is_remembered(failures, now) {
        *failures = Failures::default();
    }
    failures.count = failures.count.saturating_add(1);
    let lock = match failures.count.checked_sub(LOCKING_MISTAKES) {
        Some(doublings) => LONGEST_LOCK.min(1000 << doublings.min(20)),
        None => 0,
    };
    failures.locked_until = Some(now.saturating_add(lock));
}
