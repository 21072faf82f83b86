//! Wrong passwords and wrong codes in a row lock an account for a while, wherever they are typed.

use crate::model::{Failures, Stranger};

/// How many mistakes in a row are free.
const FREE_MISTAKES: u32 = 5;

/// The longest that an account is locked, in milliseconds: fifteen minutes. After as long without a try, mistakes
/// of before do not count any more.
const LONGEST_LOCK: u64 = 15 * 60 * 1000;

/// Whether neither right nor wrong passwords are looked at.
pub(crate) fn is_locked(failures: &Failures, now: u64) -> bool {
    failures.locked_until.is_some_and(|until| now < until)
}

/// Whether mistakes of before count still.
fn is_remembered(failures: &Failures, now: u64) -> bool {
    failures.locked_until.is_some_and(|until| now < until.saturating_add(LONGEST_LOCK))
}

/// Whether there is anything to remember of a name that is nobody's.
pub(crate) fn knows(stranger: &Stranger, now: u64) -> bool {
    is_remembered(&stranger.failures, now)
        || stranger.codes.values().any(|code| now < code.expires_at)
}

/// Counts a mistake. From the fifth in a row on, each locks the account for twice as long as the one before; those
/// before lock it for no time.
pub(crate) fn count_mistake(failures: &mut Failures, now: u64) {
    if !is_remembered(failures, now) {
        *failures = Failures::default();
    }
    failures.count = failures.count.saturating_add(1);
    let lock = match failures.count.checked_sub(FREE_MISTAKES) {
        Some(doublings) => LONGEST_LOCK.min(1000 << doublings.min(20)),
        None => 0,
    };
    failures.locked_until = Some(now.saturating_add(lock));
}
