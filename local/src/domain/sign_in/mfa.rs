//! Codes of second factors: from a software token, by SMS or by e-mail.

use std::sync::Arc;

use crate::{
    crypto::{secret::same, totp::CodeCheck},
    domain::{
        lockout::{self, count_mistake},
        sign_in::challenges::{ChallengeRef, OpenChallenge, find_challenge},
    },
    error::{Error, ErrorKind},
    model::{ChallengeKind, Factor, User},
    pool::Pool,
    store::Data,
};

/// Checks the response to `SOFTWARE_TOKEN_MFA`, `SMS_MFA` or `EMAIL_OTP`. After a wrong code the client can try again.
pub(crate) async fn answer(
    pool: &Pool,
    reference: &ChallengeRef<'_>,
    factor: Factor,
    code: &str,
) -> Result<Arc<User>, Error> {
    let now = reference.now;
    pool.store
        .write_always(|data| {
            let OpenChallenge { key, challenge, user } = find_challenge(data, reference)?;
            match (factor, &challenge.kind) {
                (Factor::SoftwareToken, ChallengeKind::SoftwareTokenMfa) => {
                    use_software_token(data, &user.username, code, now)?;
                }
                (Factor::Sms, ChallengeKind::SmsMfa { code: sent })
                | (Factor::Email, ChallengeKind::EmailOtp { code: sent }) => {
                    lockout::check(&user.failures, now)?;
                    if !same(sent, code) {
                        return Err(mistake(data, &user.username, now));
                    }
                }
                _ => return Err(Error::unknown_session()),
            }
            data.challenges.remove(&key);
            Ok::<_, Error>(user)
        })
        .await?
}

/// Checks the user's current one-time password. It cannot be used again.
fn use_software_token(data: &mut Data, username: &str, code: &str, now: u64) -> Result<(), Error> {
    let user = data.exact_user(username).ok_or_else(Error::user_not_found)?;
    lockout::check(&user.failures, now)?;
    let token = user.software_token.as_ref().ok_or_else(Error::software_token_missing)?;
    match token.check(code, now) {
        CodeCheck::Valid(step) => {
            let token = data.exact_user_mut(username).and_then(|user| user.software_token.as_mut());
            if let Some(token) = token {
                token.last_step = Some(step);
            }
            Ok(())
        }
        CodeCheck::Reused => Err(Error::new(
            ErrorKind::ExpiredCode,
            "Your software token has already been used once.",
        )),
        CodeCheck::Invalid => Err(mistake(data, username, now)),
    }
}

/// Counts a wrong code like a wrong password, so that codes cannot be guessed.
fn mistake(data: &mut Data, username: &str, now: u64) -> Error {
    if let Some(user) = data.exact_user_mut(username) {
        count_mistake(&mut user.failures, now);
    }
    Error::new(ErrorKind::CodeMismatch, "Invalid code received for user")
}
