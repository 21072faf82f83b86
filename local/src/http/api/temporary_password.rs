//! First passwords that an administrator gives, and that the user has to change.

use crate::{
    crypto::{secret::random_octets, srp::Password},
    error::ApiError,
    http::api::new_password::new_password,
    model::{
        User,
        settings::{PasswordPolicy, PoolSettings},
    },
    pool::Shared,
};

/// Without those that look like others: these are typed by hand.
const SIGNS: [&str; 4] =
    ["ABCDEFGHJKLMNPQRSTUVWXYZ", "abcdefghijkmnopqrstuvwxyz", "23456789", "!@#%^*_+=-"];

const LENGTH: usize = 16;

/// A first password: as the user has to type it, and as the pool keeps it.
pub(crate) struct TemporaryPassword {
    pub(crate) text: String,
    pub(crate) kept: Password,
}

/// Takes the password that the administrator gives, or makes one.
pub(crate) async fn temporary_password(
    pool: &Shared,
    settings: &PoolSettings,
    user: &User,
    given: Option<String>,
) -> Result<TemporaryPassword, ApiError> {
    let text = given.unwrap_or_else(|| made(&settings.password_policy));
    let ends = pool.now().saturating_add(settings.password_policy.temporary_lifetime());
    let kept = new_password(pool, settings, user, &text).await?.expiring(ends);
    Ok(TemporaryPassword { text, kept })
}

/// A password that has each kind of sign, by turns, so that it conforms to any policy.
fn made(policy: &PasswordPolicy) -> String {
    let length = LENGTH.max(policy.minimum_length);
    SIGNS.iter().cycle().take(length).filter_map(|signs| one_of(signs)).collect()
}

fn one_of(signs: &str) -> Option<char> {
    let [octet] = random_octets();
    signs.chars().cycle().nth(usize::from(octet))
}
