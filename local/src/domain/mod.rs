//! The rules of a user pool: typed functions over a [`Pool`](crate::pool::Pool), with Cognito's errors.
//!
//! The caller must have authenticated the app client or the administrator. The functions do not depend on HTTP or on
//! the JSON of the API.

pub(crate) mod access_tokens;
pub(crate) mod account;
mod attribute_change;
pub(crate) mod attributes;
pub(crate) mod authorization;
pub(crate) mod browser_sessions;
pub(crate) mod client_auth;
pub(crate) mod clients;
mod codes;
pub(crate) mod custom_attributes;
pub(crate) mod federation;
pub(crate) mod filter;
mod find;
pub(crate) mod grants;
pub(crate) mod groups;
pub(crate) mod identity_links;
pub(crate) mod identity_providers;
pub(crate) mod invitations;
mod lockout;
pub(crate) mod messages;
mod migration;
mod new_password;
pub(crate) mod paging;
pub(crate) mod passwords;
mod pkce;
pub(crate) mod pool_domains;
pub(crate) mod pool_mfa;
pub(crate) mod pools;
mod resource;
pub(crate) mod resource_servers;
pub(crate) mod scopes;
pub(crate) mod sessions;
pub(crate) mod sign_in;
pub(crate) mod sign_up;
mod simulation;
pub(crate) mod software_token;
mod temporary_password;
pub(crate) mod user_names;
pub(crate) mod users;
pub(crate) mod violations;
