//! New passwords: the check against the policy and the history, and the change.

use crate::{
    crypto::srp::Password,
    error::{Error, ErrorKind},
    model::{CodePurpose, Failures, User, settings::PoolSettings},
    pool::Pool,
};

/// Creates a password, if it conforms to the pool's policy and is not in the user's history.
pub(crate) async fn new_password(
    pool: &Pool,
    settings: &PoolSettings,
    user: &User,
    text: &str,
) -> Result<Password, Error> {
    if let Some(violation) = settings.password_policy.violation(text) {
        return Err(Error::invalid_password(violation));
    }
    let recent = user.password.iter().chain(&user.earlier_passwords);
    for earlier in recent.take(settings.password_policy.password_history_size) {
        if earlier.is(pool.short_name(), &user.username, text).await {
            return Err(Error::new(
                ErrorKind::PasswordHistoryPolicyViolation,
                "Password has previously been used.",
            ));
        }
    }
    Ok(Password::new(pool.short_name(), &user.username, text).await)
}

/// Sets a user's password. A code to reset the password becomes invalid, and earlier mistakes no longer count.
pub(crate) fn set_password(user: &mut User, settings: &PoolSettings, password: Password) {
    if let Some(previous) = user.password.replace(password) {
        user.earlier_passwords.insert(0, previous);
    }
    // The current password counts as the first entry of the history.
    let kept = settings.password_policy.password_history_size.saturating_sub(1);
    user.earlier_passwords.truncate(kept);
    user.codes.remove(&CodePurpose::Forgot);
    user.failures = Failures::default();
}
