use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::super::srp::Password;

/// A user. `username` is the key: with sign-in by contact it is the same as `sub`.
#[derive(Clone, Serialize, Deserialize)]
pub(in crate::local) struct User {
    pub(in crate::local) username: String,
    pub(in crate::local) sub: String,
    pub(in crate::local) status: UserStatus,
    pub(in crate::local) enabled: bool,
    /// Milliseconds of the Unix epoch, as all times here.
    pub(in crate::local) created_at: u64,
    pub(in crate::local) modified_at: u64,
    /// All but `sub`, in texts as the API writes them.
    pub(in crate::local) attributes: BTreeMap<String, String>,
    pub(in crate::local) password: Option<Password>,
    pub(in crate::local) earlier_passwords: Vec<Password>,
    /// By what they are for.
    pub(in crate::local) codes: BTreeMap<CodePurpose, Code>,
    pub(in crate::local) software_token: Option<SoftwareToken>,
    /// A software token that was asked for and not verified yet.
    pub(in crate::local) new_software_token: Option<String>,
    pub(in crate::local) mfa: MfaPreference,
    pub(in crate::local) groups: BTreeSet<String>,
    pub(in crate::local) failures: Failures,
    pub(in crate::local) identities: Vec<Identity>,
    /// Tokens of sign-ins before this are worth nothing.
    pub(in crate::local) signed_out_at: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(in crate::local) enum UserStatus {
    Unconfirmed,
    Confirmed,
    ResetRequired,
    ForceChangePassword,
    ExternalProvider,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::local) enum CodePurpose {
    SignUp,
    Forgot,
    Email,
    PhoneNumber,
}

/// A code that was sent.
#[derive(Clone, Serialize, Deserialize)]
pub(in crate::local) struct Code {
    pub(in crate::local) code: String,
    pub(in crate::local) expires_at: u64,
    /// The attribute that it was sent to.
    pub(in crate::local) attribute: String,
    /// How often something else was typed.
    pub(in crate::local) mistakes: u32,
}

/// A verified source of one-time passwords (RFC 6238).
#[derive(Clone, Serialize, Deserialize)]
pub(in crate::local) struct SoftwareToken {
    /// In base32.
    pub(in crate::local) secret: String,
    pub(in crate::local) name: Option<String>,
    /// The last step of time whose password was used.
    pub(in crate::local) last_step: Option<u64>,
}

/// Which second factors a user wants.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::local) struct MfaPreference {
    pub(in crate::local) software_token: bool,
    pub(in crate::local) sms: bool,
    pub(in crate::local) email: bool,
    /// `SOFTWARE_TOKEN_MFA`, `SMS_MFA` or `EMAIL_OTP`.
    pub(in crate::local) preferred: Option<String>,
}

/// Wrong passwords and wrong codes in a row.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::local) struct Failures {
    pub(in crate::local) count: u32,
    /// When the last mistake's lock ends, be it none. Nothing, if there was no mistake.
    pub(in crate::local) locked_until: Option<u64>,
}

/// What is remembered of a name that is nobody's, so that it is answered as a user's is.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::local) struct Stranger {
    pub(in crate::local) failures: Failures,
    /// As if they had been sent.
    pub(in crate::local) codes: BTreeMap<CodePurpose, Code>,
}

/// An account at another provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::local) struct Identity {
    pub(in crate::local) user_id: String,
    pub(in crate::local) provider_name: String,
    pub(in crate::local) provider_type: String,
    pub(in crate::local) issuer: Option<String>,
    pub(in crate::local) primary: String,
    pub(in crate::local) date_created: String,
}

impl Identity {
    /// An account that is the user's first, or was tied to them.
    pub(in crate::local) fn new(
        provider_name: String,
        user_id: String,
        primary: bool,
        now: u64,
    ) -> Self {
        Self {
            user_id,
            provider_name,
            provider_type: "OIDC".to_owned(),
            issuer: None,
            primary: primary.to_string(),
            date_created: now.to_string(),
        }
    }
}

impl User {
    pub(in crate::local) fn new(username: String, sub: String, now: u64) -> Self {
        Self {
            username,
            sub,
            status: UserStatus::Unconfirmed,
            enabled: true,
            created_at: now,
            modified_at: now,
            attributes: BTreeMap::new(),
            password: None,
            earlier_passwords: Vec::new(),
            codes: BTreeMap::new(),
            software_token: None,
            new_software_token: None,
            mfa: MfaPreference::default(),
            groups: BTreeSet::new(),
            failures: Failures::default(),
            identities: Vec::new(),
            signed_out_at: None,
        }
    }

    pub(in crate::local) fn attribute(&self, name: &str) -> Option<&str> {
        if name == "sub" {
            return Some(&self.sub);
        }
        self.attributes.get(name).map(String::as_str)
    }

    /// Whether the user signs in at a provider alone. What a provider says of them never stands for a user name
    /// here.
    pub(in crate::local) fn is_external(&self) -> bool {
        self.status == UserStatus::ExternalProvider
    }

    /// Whether a contact is proven to be the user's.
    pub(in crate::local) fn has_verified(&self, contact: super::super::settings::Contact) -> bool {
        self.attribute(contact.attribute()).is_some()
            && self.attribute(contact.verified_attribute()) == Some("true")
    }
}

impl UserStatus {
    /// As the API writes it.
    pub(in crate::local) fn as_str(self) -> &'static str {
        match self {
            Self::Unconfirmed => "UNCONFIRMED",
            Self::Confirmed => "CONFIRMED",
            Self::ResetRequired => "RESET_REQUIRED",
            Self::ForceChangePassword => "FORCE_CHANGE_PASSWORD",
            Self::ExternalProvider => "EXTERNAL_PROVIDER",
        }
    }
}
