use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{
    crypto::{
        srp::Password,
        totp::{self, CodeCheck},
    },
    model::settings::Contact,
};

/// A user. `username` is the key. In a pool where users sign in with a contact it is the same as `sub`.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct User {
    pub(crate) username: String,
    pub(crate) sub: String,
    pub(crate) status: UserStatus,
    pub(crate) enabled: bool,
    /// In milliseconds since the Unix epoch, like all times in this module.
    pub(crate) created_at: u64,
    pub(crate) modified_at: u64,
    /// All attributes except `sub`, as the API writes them.
    pub(crate) attributes: BTreeMap<String, String>,
    pub(crate) password: Option<Password>,
    pub(crate) earlier_passwords: Vec<Password>,
    /// By purpose.
    pub(crate) codes: BTreeMap<CodePurpose, Code>,
    pub(crate) software_token: Option<SoftwareToken>,
    /// The secret of a software token that is not verified yet.
    pub(crate) new_software_token: Option<String>,
    pub(crate) mfa: MfaPreference,
    pub(crate) groups: BTreeSet<String>,
    pub(crate) failures: Failures,
    pub(crate) identities: Vec<Identity>,
    /// Sessions that began at this time or earlier are invalid.
    pub(crate) signed_out_at: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum UserStatus {
    Unconfirmed,
    Confirmed,
    ResetRequired,
    ForceChangePassword,
    ExternalProvider,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CodePurpose {
    SignUp,
    Forgot,
    Email,
    PhoneNumber,
}

/// A code that was sent.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Code {
    pub(crate) code: String,
    pub(crate) expires_at: u64,
    /// The attribute with the address to which the code was sent.
    pub(crate) attribute: String,
    /// The number of wrong attempts.
    pub(crate) mistakes: u32,
    /// The number of wrong attempts at the codes that this one replaced.
    #[serde(default)]
    pub(crate) earlier_mistakes: u32,
}

/// An authenticator app (RFC 6238).
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct SoftwareToken {
    /// In base32.
    pub(crate) secret: String,
    pub(crate) name: Option<String>,
    /// The last time step whose code was used.
    pub(crate) last_step: Option<u64>,
}

/// The second factors that a user has enabled.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MfaPreference {
    pub(crate) software_token: bool,
    pub(crate) sms: bool,
    pub(crate) email: bool,
    pub(crate) preferred: Option<Factor>,
}

/// A second factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Factor {
    #[serde(rename = "SMS_MFA")]
    Sms,
    #[serde(rename = "SOFTWARE_TOKEN_MFA")]
    SoftwareToken,
    #[serde(rename = "EMAIL_OTP")]
    Email,
}

/// Wrong passwords and wrong codes in a row.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Failures {
    pub(crate) count: u32,
    /// When the lock after the last failure ends. `None` without a failure.
    pub(crate) locked_until: Option<u64>,
}

/// Failures and codes of a name that no user has. They make responses the same as for an existing user.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct UnknownName {
    pub(crate) failures: Failures,
    /// Simulated codes, which are not sent.
    pub(crate) codes: BTreeMap<CodePurpose, Code>,
}

/// An account at another provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Identity {
    pub(crate) user_id: String,
    pub(crate) provider_name: String,
    pub(crate) provider_type: String,
    pub(crate) issuer: Option<String>,
    pub(crate) primary: String,
    pub(crate) date_created: String,
}

impl Identity {
    /// Returns a new identity. `primary` is true for the account with which the user was created.
    pub(crate) fn new(provider_name: String, user_id: String, primary: bool, now: u64) -> Self {
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
    pub(crate) fn new(username: String, sub: String, now: u64) -> Self {
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

    /// Returns an attribute by its full name, also `sub`.
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        if name == "sub" {
            return Some(&self.sub);
        }
        self.attributes.get(name).map(String::as_str)
    }

    /// Returns a value that identifies the user and the password. A sign-in that began with another value is invalid.
    pub(crate) fn proof(&self) -> String {
        format!("{} {}", self.sub, self.password.as_ref().map_or("", Password::salt))
    }

    /// Returns whether the user only signs in at a provider. The attributes of such a user are never aliases.
    pub(crate) fn is_external(&self) -> bool {
        self.status == UserStatus::ExternalProvider
    }

    /// Returns whether the user has a contact and it is verified.
    pub(crate) fn has_verified(&self, contact: Contact) -> bool {
        self.attribute(contact.attribute()).is_some()
            && self.attribute(contact.verified_attribute()) == Some("true")
    }
}

impl CodePurpose {
    /// Returns the purpose of a code that verifies a contact of an existing user.
    pub(crate) fn verification_of(contact: Contact) -> Self {
        match contact {
            Contact::Email => Self::Email,
            Contact::PhoneNumber => Self::PhoneNumber,
        }
    }
}

impl Factor {
    pub(crate) const ALL: [Self; 3] = [Self::Sms, Self::SoftwareToken, Self::Email];

    /// Returns the name of the factor in a user's preferences, which is also the name of its challenge.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sms => "SMS_MFA",
            Self::SoftwareToken => "SOFTWARE_TOKEN_MFA",
            Self::Email => "EMAIL_OTP",
        }
    }

    /// Returns the factor with the given API name.
    pub(crate) fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|factor| factor.name() == name)
    }

    /// Returns the contact to which the factor's codes are sent, or `None` for a software token.
    pub(crate) fn contact(self) -> Option<Contact> {
        match self {
            Self::Sms => Some(Contact::PhoneNumber),
            Self::SoftwareToken => None,
            Self::Email => Some(Contact::Email),
        }
    }
}

impl SoftwareToken {
    /// Checks a code of this token.
    pub(crate) fn check(&self, code: &str, now: u64) -> CodeCheck {
        totp::check(&self.secret, self.last_step, code, now)
    }
}

impl UserStatus {
    /// Returns the status as the API writes it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Unconfirmed => "UNCONFIRMED",
            Self::Confirmed => "CONFIRMED",
            Self::ResetRequired => "RESET_REQUIRED",
            Self::ForceChangePassword => "FORCE_CHANGE_PASSWORD",
            Self::ExternalProvider => "EXTERNAL_PROVIDER",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_factors_have_the_names_of_the_api() {
        for factor in Factor::ALL {
            assert_eq!(serde_json::to_value(factor).unwrap(), factor.name());
        }
    }
}
