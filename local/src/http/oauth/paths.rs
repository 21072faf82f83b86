//! The paths of the endpoints that apps and providers know. The router and the discovery document both use them.

pub(crate) const AUTHORIZE: &str = "/oauth2/authorize";
pub(crate) const IDP_RESPONSE: &str = "/oauth2/idpresponse";
pub(crate) const LOGOUT: &str = "/logout";
pub(crate) const REVOKE: &str = "/oauth2/revoke";
pub(crate) const TOKEN: &str = "/oauth2/token";
pub(crate) const USER_INFO: &str = "/oauth2/userInfo";
