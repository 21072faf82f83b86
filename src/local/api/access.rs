//! Who may call which operations.

use axum::http::HeaderMap;

use super::{
    super::{origin::is_own_origin, site::Site},
    ApiError,
};

/// What apps do without AWS credentials, from pages of any origin. All else is for administrators.
const FOR_APPS: [&str; 21] = [
    "AssociateSoftwareToken",
    "ChangePassword",
    "ConfirmForgotPassword",
    "ConfirmSignUp",
    "DeleteUser",
    "DeleteUserAttributes",
    "ForgotPassword",
    "GetTokensFromRefreshToken",
    "GetUser",
    "GetUserAttributeVerificationCode",
    "GetUserAuthFactors",
    "GlobalSignOut",
    "InitiateAuth",
    "ResendConfirmationCode",
    "RespondToAuthChallenge",
    "RevokeToken",
    "SetUserMFAPreference",
    "SignUp",
    "UpdateUserAttributes",
    "VerifySoftwareToken",
    "VerifyUserAttribute",
];

/// Keeps pages of other sites from administering a pool. No credentials are asked for here, so that nothing else
/// stands between a running pool and whatever page its developer happens to read.
pub(super) fn check(site: &Site, operation: &str, headers: &HeaderMap) -> Result<(), ApiError> {
    if FOR_APPS.contains(&operation) || is_own_origin(headers, site.address.ip()) {
        return Ok(());
    }
    Err(ApiError::new(
        "AccessDeniedException",
        "Operations that need AWS credentials are not for pages of other sites.",
    ))
}
