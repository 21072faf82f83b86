//! The rules of a user pool: typed functions over a [`Pool`](crate::pool::Pool), with Cognito's errors.
//!
//! Whoever calls them has authenticated the app client or the administrator. They know no HTTP and no JSON of the API.

pub(crate) mod attribute_change;
pub(crate) mod attributes;
pub(crate) mod codes;
mod find;
mod lockout;
pub(crate) mod messages;
mod migration;
pub(crate) mod new_password;
pub(crate) mod passwords;
pub(crate) mod sessions;
pub(crate) mod sign_in;
pub(crate) mod sign_up;
pub(crate) mod software_token;
pub(crate) mod temporary_password;
pub(crate) mod user_names;

pub(crate) use self::find::{named_user, named_user_mut, still_as, still_there};
