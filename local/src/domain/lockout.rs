//! Wrong passwords and wrong codes of second factors, in a row and in any operation, lock an account temporarily.

use crate::{
    error::Error,
    model::{Failures, UnknownName},
    store::Data,
};

/// The number of mistakes in a row that lock the account.
const LOCKING_MISTAKES: u32 = 5;

/// The longest lockout, in milliseconds: fifteen minutes. Mistakes no longer count after the same time without one.
const LONGEST_LOCKOUT: u64 = 15 * 60 * 1000;

/// Rejects an attempt to sign in while the account is locked.
pub(crate) fn check(failures: &Failures, now: u64) -> Result<(), Error> {
    if is_locked(failures, now) {
        return Err(Error::not_authorized("Password attempts exceeded"));
    }
    Ok(())
}

/// Returns whether passwords and codes are rejected unchecked.
pub(crate) fn is_locked(failures: &Failures, now: u64) -> bool {
    failures.locked_until.is_some_and(|until| now < until)
}

/// Returns whether earlier mistakes still count.
fn has_recent_mistakes(failures: &Failures, now: u64) -> bool {
    failures.locked_until.is_some_and(|until| now < until.saturating_add(LONGEST_LOCKOUT))
}

/// Changes the failures and codes of a name that no user has, and removes other names without failures that count and
/// without valid codes.
pub(crate) fn update_unknown_name(
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
    let is_needed = |name: &UnknownName| {
        has_recent_mistakes(&name.failures, now)
            || name.codes.values().any(|code| now < code.expires_at)
    };
    data.unknown_names.prune(|_, name| is_needed(name));
    data.unknown_names.insert(key, name);
}

/// Counts a mistake. From the fifth in a row on, each locks the account for twice as long as the previous one.
pub(crate) fn count_mistake(failures: &mut Failures, now: u64) {
    if !has_recent_mistakes(failures, now) {
        *failures = Failures::default();
    }
    failures.count = failures.count.saturating_add(1);
    let lock = match failures.count.checked_sub(LOCKING_MISTAKES) {
        Some(doublings) => LONGEST_LOCKOUT.min(1000 << doublings.min(20)),
        None => 0,
    };
    failures.locked_until = Some(now.saturating_add(lock));
}
