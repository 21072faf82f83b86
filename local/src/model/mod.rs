//! The data that a pool stores, and the rules for its settings.

mod claims;
mod federation;
mod records;
mod scopes;
pub(crate) mod settings;
mod trigger;
mod user;

pub use self::trigger::Trigger;
pub(crate) use self::{
    claims::{Claims, preferred_role, roles},
    federation::{ExternalSignIn, IdentityProvider},
    records::{
        BrowserSession, Challenge, ChallengeKind, Client, CustomRound, Grant, Group, Message,
        MessageText, OtherSettings, PLACE_OF_CODE, PLACE_OF_NAME, PoolRecord, RefreshToken,
        ResourceServer, Session, StoredKey,
    },
    scopes::{API_SCOPE, ATTRIBUTE_SCOPES, released_attributes},
    user::{
        Code, CodePurpose, Factor, Failures, Identity, MfaPreference, SoftwareToken, UnknownName,
        User, UserStatus,
    },
};
