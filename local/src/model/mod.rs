//! The data that a pool stores, and the rules for its settings.

mod claims;
mod federation;
mod message_text;
mod records;
mod scopes;
pub(crate) mod settings;
mod trigger;
mod user;

pub use self::trigger::Trigger;
pub(crate) use self::{
    claims::{Claims, preferred_role, roles},
    federation::{ExternalSignIn, IdentityProvider},
    message_text::{
        MessageText, PLACE_OF_CODE, PLACE_OF_LINK, PLACE_OF_NAME, has_link, with_links,
    },
    records::{
        BrowserSession, Challenge, ChallengeKind, Client, CustomRound, Grant, Group, Message,
        OtherSettings, PoolRecord, RefreshToken, ResourceServer, Session, StoredKey,
    },
    scopes::{API_SCOPE, ATTRIBUTE_SCOPES, released_attributes},
    user::{
        Code, CodePurpose, Factor, Failures, Identity, MfaPreference, SoftwareToken, UnknownName,
        User, UserStatus,
    },
};
