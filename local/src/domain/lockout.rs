//! Temporary lockout of an account after consecutive wrong passwords or second-factor codes, in any operation.

use crate::{
    error::Error,
    model::{Failures, UnknownName},
    store::Data,
};

/// The number of consecutive mistakes that locks the account.
const LOCKING_MISTAKES: u32 = 5;

/// The maximum lockout, in milliseconds: fifteen minutes. Mistakes no longer count if none follows for this time.
const LONGEST_LOCKOUT: u64 = 15 * 60 * 1000;

/// Rejects an attempt to sign in while the account is locked.
pub(crate) fn check(failures: &Failures, now: u64) -> Result<(), Error> {
    if is_locked(failures, now) {
        return Err(Error::not_authorized("Password attempts exceeded"));
    }
    Ok(())
}

/// Returns whether the account is locked. Passwords and codes are then rejected without a check.
pub(crate) fn is_locked(failures: &Failures, now: u64) -> bool {
    failures.locked_until.is_some_and(|until| now < until)
}

/// Returns whether earlier mistakes still count.
fn has_recent_mistakes(failures: &Failures, now: u64) -> bool {
    failures.locked_until.is_some_and(|until| now < until.saturating_add(LONGEST_LOCKOUT))
}

/// Changes the failures and codes of a name that no user has. Also removes other names whose failures no longer count
/// and whose codes have expired.
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

/// Counts a mistake. The fifth consecutive mistake locks the account for one second, and each further mistake doubles
/// the time.
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
