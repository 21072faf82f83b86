//! Second factors that are six digits: of a software token, by SMS, by e-mail.

use crate::{
    crypto::{secret::same, totp::Typed},
    error::ApiError,
    http::api::{
        auth::{
            challenges::{Handle, Open, open_step, session_is_over},
            input::Parameters,
            password::check_lock,
        },
        lockout::count_mistake,
    },
    model::{ChallengeKind, User},
    pool::Shared,
    store::Data,
};

/// Answers `SOFTWARE_TOKEN_MFA`, `SMS_MFA` and `EMAIL_OTP`. A wrong code can be followed by another try.
pub(crate) async fn answer(
    pool: &Shared,
    handle: &Handle<'_>,
    challenge: &str,
    answers: &Parameters,
) -> Result<User, ApiError> {
    let code = answers.get(&format!("{challenge}_CODE"))?;
    let now = handle.now;
    pool.store
        .write_always(|data| {
            let Open { key, challenge: step, user } = open_step(data, handle)?;
            match (challenge, &step.kind) {
                ("SOFTWARE_TOKEN_MFA", ChallengeKind::SoftwareTokenMfa) => {
                    use_software_token(data, &user.username, code, now)?;
                }
                ("SMS_MFA", ChallengeKind::SmsMfa { code: sent })
                | ("EMAIL_OTP", ChallengeKind::EmailOtp { code: sent }) => {
                    check_lock(&user.failures, now)?;
                    if !same(sent, code) {
                        return Err(mistake(data, &user.username, now));
                    }
                }
                _ => return Err(session_is_over()),
            }
            data.challenges.remove(&key);
            Ok::<User, ApiError>(user)
        })
        .await?
}

pub(crate) fn software_token_missing() -> ApiError {
    ApiError::new(
        "SoftwareTokenMFANotFoundException",
        "Software Token MFA has not been enabled by the userPool",
    )
}

/// Whether this is the user's one-time password of the moment. It counts as used from then on.
fn use_software_token(
    data: &mut Data,
    username: &str,
    code: &str,
    now: u64,
) -> Result<(), ApiError> {
    let user = data.exact_user(username).ok_or_else(ApiError::user_not_found)?;
    check_lock(&user.failures, now)?;
    let token = user.software_token.as_ref().ok_or_else(software_token_missing)?;
    match token.typed(code, now) {
        Typed::Right(step) => {
            let token = data.exact_user_mut(username).and_then(|user| user.software_token.as_mut());
            if let Some(token) = token {
                token.last_step = Some(step);
            }
            Ok(())
        }
        Typed::Used => Err(ApiError::new(
            "ExpiredCodeException",
            "Your software token has already been used once.",
        )),
        Typed::Wrong => Err(mistake(data, username, now)),
    }
}

/// Wrong codes count like wrong passwords, so that nobody can try them all.
fn mistake(data: &mut Data, username: &str, now: u64) -> ApiError {
    if let Some(user) = data.exact_user_mut(username) {
        count_mistake(&mut user.failures, now);
    }
    ApiError::new("CodeMismatchException", "Invalid code received for user")
}
