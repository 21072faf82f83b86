//! The paths of the endpoints and of the hosted pages. The router, the discovery document, and redirects and links use
//! them.

pub(crate) use crate::domain::messages::CONFIRM_USER_PATH as CONFIRM_USER;

pub(crate) const AUTHORIZE: &str = "/oauth2/authorize";
pub(crate) const IDP_RESPONSE: &str = "/oauth2/idpresponse";
pub(crate) const LOGOUT: &str = "/logout";
pub(crate) const REVOKE: &str = "/oauth2/revoke";
pub(crate) const TOKEN: &str = "/oauth2/token";
pub(crate) const USER_INFO: &str = "/oauth2/userInfo";

// The pages have Cognito's names. The two below `/login` exist only here.
pub(crate) const CONFIRM: &str = "/confirm";
pub(crate) const ERROR: &str = "/error";
pub(crate) const FORGOT_PASSWORD: &str = "/forgotPassword";
pub(crate) const CONFIRM_FORGOT_PASSWORD: &str = "/confirmForgotPassword";
/// Another spelling of [`CONFIRM_FORGOT_PASSWORD`], which Cognito's developer guide has.
pub(crate) const CONFIRM_FORGOT_PASSWORD_IN_GUIDE: &str = "/confirmforgotPassword";
pub(crate) const LOGIN: &str = "/login";
pub(crate) const LOGIN_CONTINUE: &str = "/login/continue";
pub(crate) const LOGIN_STEP: &str = "/login/step";
pub(crate) const RESEND_CODE: &str = "/resendcode";
pub(crate) const SIGN_UP: &str = "/signup";

/// The path of the console, which shows users and messages.
pub(crate) const CONSOLE: &str = "/_local/";
