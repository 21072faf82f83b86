use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use crate::claims::verified::{MAX_NUMERIC_DATE, Verified};

/// The standard attributes (OpenID Connect Core, section 5.1).
///
/// An ID token carries those that the app client may read; an access token carries none. A claim
/// of the wrong type reads as absent here, which grants nothing.
impl Verified {
    /// Claim `email`. See [`email_verified`](Self::email_verified) before you trust it.
    pub fn email(&self) -> Option<&str> {
        self.text("email")
    }

    /// Whether the pool checked the e-mail address: a JSON boolean, or `"true"` or `"false"`.
    /// Claim `email_verified`; absent counts as not checked.
    pub fn email_verified(&self) -> bool {
        self.flag("email_verified")
    }

    /// Claim `phone_number`, in E.164 form.
    pub fn phone_number(&self) -> Option<&str> {
        self.text("phone_number")
    }

    /// Whether the pool checked the telephone number: a JSON boolean, or `"true"` or `"false"`.
    /// Claim `phone_number_verified`; absent counts as not checked.
    pub fn phone_number_verified(&self) -> bool {
        self.flag("phone_number_verified")
    }

    /// Claim `name`.
    pub fn name(&self) -> Option<&str> {
        self.text("name")
    }

    /// Claim `given_name`.
    pub fn given_name(&self) -> Option<&str> {
        self.text("given_name")
    }

    /// Claim `family_name`.
    pub fn family_name(&self) -> Option<&str> {
        self.text("family_name")
    }

    /// Claim `middle_name`.
    pub fn middle_name(&self) -> Option<&str> {
        self.text("middle_name")
    }

    /// Claim `nickname`.
    pub fn nickname(&self) -> Option<&str> {
        self.text("nickname")
    }

    /// Claim `preferred_username`.
    pub fn preferred_username(&self) -> Option<&str> {
        self.text("preferred_username")
    }

    /// Claim `profile`: a URL of the user's choice.
    pub fn profile(&self) -> Option<&str> {
        self.text("profile")
    }

    /// Claim `picture`: a URL of the user's choice.
    pub fn picture(&self) -> Option<&str> {
        self.text("picture")
    }

    /// Claim `website`: a URL of the user's choice.
    pub fn website(&self) -> Option<&str> {
        self.text("website")
    }

    /// Claim `gender`.
    pub fn gender(&self) -> Option<&str> {
        self.text("gender")
    }

    /// Claim `birthdate`, as `YYYY-MM-DD`.
    pub fn birthdate(&self) -> Option<&str> {
        self.text("birthdate")
    }

    /// Claim `zoneinfo`, such as `Europe/Paris`.
    pub fn zoneinfo(&self) -> Option<&str> {
        self.text("zoneinfo")
    }

    /// Claim `locale`, such as `fr-CA`.
    pub fn locale(&self) -> Option<&str> {
        self.text("locale")
    }

    /// The postal address for display. Claim `address`: a string, or the member `formatted` of
    /// an object.
    pub fn address(&self) -> Option<&str> {
        match self.claim("address")? {
            Value::Object(parts) => parts.get("formatted").and_then(Value::as_str),
            address => address.as_str(),
        }
    }

    /// When the attributes last changed. Claim `updated_at`: seconds of the Unix epoch, as a
    /// number or a string of digits.
    pub fn updated_at(&self) -> Option<SystemTime> {
        let seconds = match self.claim("updated_at")? {
            Value::String(digits) => digits.parse().ok()?,
            number => number.as_u64()?,
        };
        (seconds <= MAX_NUMERIC_DATE).then(|| UNIX_EPOCH + Duration::from_secs(seconds))
    }

    fn flag(&self, name: &str) -> bool {
        match self.claim(name) {
            Some(Value::Bool(flag)) => *flag,
            Some(Value::String(text)) => text == "true",
            _ => false,
        }
    }
}
