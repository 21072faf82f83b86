//! Codes that are sent to users, and how often one may mistype them.

use serde_json::Value;

use super::{
    super::{
        keys::uuid_of,
        messages,
        secret::{self, same},
        settings::{Contact, PoolSettings},
        store::{Code, CodePurpose, Data, User},
    },
    ApiError,
    user_names::contact_of_name,
};

/// After so many wrong tries a code is worth nothing.
const MAX_MISTAKES: u32 = 5;

const HOUR: u64 = 60 * 60 * 1000;

impl CodePurpose {
    /// What proves a contact of a user who is there already.
    pub(in crate::local) fn proof_of(contact: Contact) -> Self {
        match contact {
            Contact::Email => Self::Email,
            Contact::PhoneNumber => Self::PhoneNumber,
        }
    }

    fn lifetime(self) -> u64 {
        match self {
            Self::Forgot => HOUR,
            Self::SignUp | Self::Email | Self::PhoneNumber => 24 * HOUR,
        }
    }
}

/// Sends a user a new code, in place of the one before, and gives its `CodeDeliveryDetails`.
pub(in crate::local) fn send(
    data: &mut Data,
    user: &User,
    purpose: CodePurpose,
    contact: Contact,
    now: u64,
) -> Result<Value, ApiError> {
    let settings = data.settings();
    let key = data.user_key(&user.username);
    let user = data.users.get_mut(&key).ok_or_else(ApiError::user_not_found)?;
    let code = secret::code();
    let row = Code {
        code: code.clone(),
        expires_at: now.saturating_add(purpose.lifetime()),
        attribute: contact.attribute().to_owned(),
        mistakes: 0,
    };
    user.codes.insert(purpose, row);
    let user = user.clone();
    let text = messages::code_text(&settings, purpose, contact);
    let draft = messages::Draft {
        contact,
        subject: text.subject.as_deref(),
        body: &text.body,
        code: Some(&code),
    };
    Ok(messages::send(data, &user, &draft, now))
}

/// Whether a code is the one that was sent, and the contact that it went to. The code stays good until
/// [`User::codes`] loses it, which the caller sees to under the same lock.
pub(in crate::local) fn check(
    user: &mut User,
    purpose: CodePurpose,
    typed: &str,
    now: u64,
) -> Result<Option<Contact>, ApiError> {
    let Some(code) = user.codes.get_mut(&purpose) else {
        return Err(ApiError::expired_code());
    };
    if code.mistakes >= MAX_MISTAKES {
        return Err(ApiError::attempt_limit());
    }
    if now >= code.expires_at {
        return Err(ApiError::expired_code());
    }
    if !same(&code.code, typed) {
        code.mistakes += 1;
        return Err(ApiError::wrong_code());
    }
    Ok(Contact::of_attribute(&code.attribute))
}

/// Where a sign-up's code goes: a phone comes before an e-mail address.
pub(in crate::local) fn sign_up_contact(settings: &PoolSettings, user: &User) -> Option<Contact> {
    [Contact::PhoneNumber, Contact::Email].into_iter().find(|contact| {
        settings.auto_verified_attributes.contains(contact)
            && user.attribute(contact.attribute()).is_some()
    })
}

/// Where a code that resets the password goes: it has to be proven.
pub(in crate::local) fn recovery_contact(user: &User) -> Option<Contact> {
    [Contact::PhoneNumber, Contact::Email].into_iter().find(|contact| user.has_verified(*contact))
}

/// The user has no password that is theirs to reset.
pub(in crate::local) fn cannot_reset() -> ApiError {
    ApiError::not_authorized("User password cannot be reset in the current state.")
}

/// There is nowhere that a code could go.
pub(in crate::local) fn no_way_to_reset() -> ApiError {
    ApiError::invalid_parameter(
        "Cannot reset password for the user as there is no registered/verified email or phone_number",
    )
}

/// The answer for a code that is not sent, since there is nobody to send it to: the same each time, as it would
/// be for a user who is there.
pub(in crate::local) fn simulated_delivery(settings: &PoolSettings, name: &str) -> Value {
    if let Some(contact) = contact_of_name(settings, name) {
        return messages::delivery(contact, name);
    }
    let noise = uuid_of(&format!("{} {name}", settings.name));
    let is_sms = settings.auto_verified_attributes == [Contact::PhoneNumber];
    if is_sms {
        let digits: String =
            noise.chars().filter(char::is_ascii_digit).chain("0000".chars()).collect();
        let end: String = digits.chars().take(4).collect();
        messages::delivery(Contact::PhoneNumber, &format!("+{end}"))
    } else {
        let mut letters = noise.chars().filter(char::is_ascii_lowercase).chain("me".chars());
        let [user, host] = [letters.next(), letters.next()].map(Option::unwrap_or_default);
        messages::delivery(Contact::Email, &format!("{user}@{host}"))
    }
}
