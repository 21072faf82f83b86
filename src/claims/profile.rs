use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use crate::claims::verified::{MAX_NUMERIC_DATE, Verified};

/// The standard attributes (OpenID Connect Core, section 5.1).
///
/// An ID token has the attributes that the app client may read; an access token has none. A claim of the wrong type is
/// treated as absent: the methods return `None` or `false`.
impl Verified {
    /// Returns claim `email`. Check [`email_verified`](Self::email_verified) before you trust it.
    pub fn email(&self) -> Option<&str> {
        self.string_claim("email")
    }

    /// Returns whether the pool verified the e-mail address. Claim `email_verified`, a boolean or a string; false if it
    /// is absent.
    pub fn email_verified(&self) -> bool {
        self.bool_claim("email_verified")
    }

    /// Returns claim `phone_number`, in E.164 form.
    pub fn phone_number(&self) -> Option<&str> {
        self.string_claim("phone_number")
    }

    /// Returns whether the pool verified the phone number. Claim `phone_number_verified`, a boolean or a string; false
    /// if it is absent.
    pub fn phone_number_verified(&self) -> bool {
        self.bool_claim("phone_number_verified")
    }

    /// Returns claim `name`.
    pub fn name(&self) -> Option<&str> {
        self.string_claim("name")
    }

    /// Returns claim `given_name`.
    pub fn given_name(&self) -> Option<&str> {
        self.string_claim("given_name")
    }

    /// Returns claim `family_name`.
    pub fn family_name(&self) -> Option<&str> {
        self.string_claim("family_name")
    }

    /// Returns claim `middle_name`.
    pub fn middle_name(&self) -> Option<&str> {
        self.string_claim("middle_name")
    }

    /// Returns claim `nickname`.
    pub fn nickname(&self) -> Option<&str> {
        self.string_claim("nickname")
    }

    /// Returns claim `preferred_username`.
    pub fn preferred_username(&self) -> Option<&str> {
        self.string_claim("preferred_username")
    }

    /// Returns claim `profile`: a URL of the user's choice.
    pub fn profile(&self) -> Option<&str> {
        self.string_claim("profile")
    }

    /// Returns claim `picture`: a URL of the user's choice.
    pub fn picture(&self) -> Option<&str> {
        self.string_claim("picture")
    }

    /// Returns claim `website`: a URL of the user's choice.
    pub fn website(&self) -> Option<&str> {
        self.string_claim("website")
    }

    /// Returns claim `gender`.
    pub fn gender(&self) -> Option<&str> {
        self.string_claim("gender")
    }

    /// Returns claim `birthdate`, as `YYYY-MM-DD`.
    pub fn birthdate(&self) -> Option<&str> {
        self.string_claim("birthdate")
    }

    /// Returns claim `zoneinfo`, such as `Europe/Paris`.
    pub fn zoneinfo(&self) -> Option<&str> {
        self.string_claim("zoneinfo")
    }

    /// Returns claim `locale`, such as `fr-CA`.
    pub fn locale(&self) -> Option<&str> {
        self.string_claim("locale")
    }

    /// Returns the postal address for display. Claim `address`: a string, or an object whose member `formatted` is
    /// returned.
    pub fn address(&self) -> Option<&str> {
        match self.claim("address")? {
            Value::Object(parts) => parts.get("formatted").and_then(Value::as_str),
            address => address.as_str(),
        }
    }

    /// Returns when the attributes last changed. Claim `updated_at`: seconds since the Unix epoch, a number or a
    /// string.
    pub fn updated_at(&self) -> Option<SystemTime> {
        let seconds = match self.claim("updated_at")? {
            Value::String(digits) => digits.parse().ok()?,
            number => number.as_u64()?,
        };
        (seconds <= MAX_NUMERIC_DATE).then(|| UNIX_EPOCH + Duration::from_secs(seconds))
    }

    fn bool_claim(&self, name: &str) -> bool {
        match self.claim(name) {
            Some(Value::Bool(flag)) => *flag,
            Some(Value::String(text)) => text == "true",
            _ => false,
        }
    }
}
