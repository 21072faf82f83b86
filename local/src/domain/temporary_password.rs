//! Temporary passwords, which the user must change at the first sign-in.

use crate::{
    crypto::{secret::random_octets, srp::Password},
    domain::new_password::new_password,
    error::Error,
    model::{
        User,
        settings::{PasswordPolicy, PoolSettings},
    },
    pool::Pool,
};

/// The characters of a temporary password. Characters that look alike are omitted, because users type the password.
const CHARACTERS: [&str; 4] =
    ["ABCDEFGHJKLMNPQRSTUVWXYZ", "abcdefghijkmnopqrstuvwxyz", "23456789", "!@#%^*_+=-"];

const LENGTH: usize = 16;

/// A temporary password, as text and in the form that the pool stores.
pub(crate) struct TemporaryPassword {
    pub(crate) text: String,
    pub(crate) stored: Password,
}

/// Checks the password that the administrator sent, or generates one.
pub(crate) async fn temporary_password(
    pool: &Pool,
    settings: &PoolSettings,
    user: &User,
    given: Option<String>,
) -> Result<TemporaryPassword, Error> {
    let text = given.unwrap_or_else(|| random(&settings.password_policy));
    let expires_at = pool.now().saturating_add(settings.password_policy.temporary_lifetime());
    let stored = new_password(pool, settings, user, &text).await?.expiring(expires_at);
    Ok(TemporaryPassword { text, stored })
}

/// Creates a password with characters of each kind, as the strictest policy requires.
fn random(policy: &PasswordPolicy) -> String {
    let length = LENGTH.max(policy.minimum_length);
    CHARACTERS.iter().cycle().take(length).filter_map(|kind| one_of(kind)).collect()
}

fn one_of(kind: &str) -> Option<char> {
    let [byte] = random_octets();
    kind.chars().cycle().nth(usize::from(byte))
}
