//! Wrong passwords and wrong codes in a row lock an account for a while, wherever they are typed.

use super::super::store::{Failures, User};

/// How many mistakes in a row are free.
const FREE_MISTAKES: u32 = 5;

/// The longest that an account is locked, in milliseconds: fifteen minutes. After as long without a try, mistakes
/// of before do not count any more.
const LONGEST_LOCK: u64 = 15 * 60 * 1000;

/// Whether neither right nor wrong passwords are looked at.
pub(super) fn is_locked(user: &User, now: u64) -> bool {
    user.failures.locked_until.is_some_and(|until| now < until)
}

/// Counts a mistake. From the fifth in a row on, each locks the account for twice as long as the one before.
pub(super) fn count_mistake(user: &mut User, now: u64) {
    let failures = &mut user.failures;
    if failures.locked_until.is_some_and(|until| now >= until.saturating_add(LONGEST_LOCK)) {
        *failures = Failures::default();
    }
    failures.count = failures.count.saturating_add(1);
    if failures.count >= FREE_MISTAKES {
        let doublings = failures.count.saturating_sub(FREE_MISTAKES).min(20);
        let lock = LONGEST_LOCK.min(1000 << doublings);
        failures.locked_until = Some(now.saturating_add(lock));
    }
}
