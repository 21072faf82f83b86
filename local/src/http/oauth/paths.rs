//! The paths of the endpoints and of the hosted pages. The router, the discovery document, and redirects and links use
//! them.

pub(crate) const AUTHORIZE: &str = "/oauth2/authorize";
pub(crate) const IDP_RESPONSE: &str = "/oauth2/idpresponse";
pub(crate) const LOGOUT: &str = "/logout";
pub(crate) const REVOKE: &str = "/oauth2/revoke";
pub(crate) const TOKEN: &str = "/oauth2/token";
pub(crate) const USER_INFO: &str = "/oauth2/userInfo";

pub(crate) const CONFIRM: &str = "/confirm";
pub(crate) const CONFIRM_RESEND: &str = "/confirm/resend";
pub(crate) const ERROR: &str = "/error";
pub(crate) const FORGOT: &str = "/forgot";
pub(crate) const FORGOT_RESET: &str = "/forgot/reset";
pub(crate) const LOGIN: &str = "/login";
pub(crate) const LOGIN_CONTINUE: &str = "/login/continue";
pub(crate) const LOGIN_STEP: &str = "/login/step";
pub(crate) const SIGN_UP: &str = "/signup";
