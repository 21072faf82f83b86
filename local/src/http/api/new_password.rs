//! A password that takes the place of another.

use crate::{
    crypto::srp::Password,
    error::ApiError,
    model::{CodePurpose, Failures, User, settings::PoolSettings},
    pool::Shared,
};

/// Makes a password if the pool's policy takes it and the user has not had it lately.
pub(crate) async fn new_password(
    pool: &Shared,
    settings: &PoolSettings,
    user: &User,
    text: &str,
) -> Result<Password, ApiError> {
    if let Some(violation) = settings.password_policy.violation(text) {
        return Err(ApiError::invalid_password(violation));
    }
    let lately = user.password.iter().chain(&user.earlier_passwords);
    for earlier in lately.take(settings.password_policy.password_history_size) {
        if earlier.is(pool.short_name(), &user.username, text).await {
            return Err(ApiError::new(
                "PasswordHistoryPolicyViolationException",
                "Password has previously been used.",
            ));
        }
    }
    Ok(Password::new(pool.short_name(), &user.username, text).await)
}

/// Gives a user a password for good. A code that could set another is worth nothing from then on, and wrong
/// passwords of before do not count.
pub(crate) fn set_password(user: &mut User, settings: &PoolSettings, password: Password) {
    if let Some(before) = user.password.replace(password) {
        user.earlier_passwords.insert(0, before);
    }
    // The present one is the first of those that may not come again.
    let kept = settings.password_policy.password_history_size.saturating_sub(1);
    user.earlier_passwords.truncate(kept);
    user.codes.remove(&CodePurpose::Forgot);
    user.failures = Failures::default();
}
