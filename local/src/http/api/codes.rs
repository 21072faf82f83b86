//! Codes that are sent to users, and how often one may mistype them.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{
    crypto::secret::{self, same},
    error::ApiError,
    http::api::{lockout, user_names::contact_of_name},
    messages::{self, Text},
    model::{
        Code, CodePurpose, User,
        settings::{Contact, PoolSettings},
    },
    pool::{Shared, issue::digest_of, keys::uuid_of},
    store::Data,
    triggers::{Caller, Reason, custom_text},
};

/// After so many wrong tries a code is worth nothing.
const MAX_MISTAKES: u32 = 5;

const HOUR: u64 = 60 * 60 * 1000;

impl CodePurpose {
    /// What proves a contact of a user who is there already.
    pub(crate) fn proof_of(contact: Contact) -> Self {
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

/// A code that is not sent yet. It is written before the store is locked, since a trigger may have a say.
pub(crate) struct Letter {
    username: String,
    sub: String,
    destination: String,
    purpose: CodePurpose,
    contact: Contact,
    text: Text,
}

/// Writes a message to a user as they are to be when it is sent.
pub(crate) async fn letter(
    pool: &Shared,
    user: &User,
    purpose: CodePurpose,
    contact: Contact,
    reason: Reason,
    caller: Caller<'_>,
) -> Result<Letter, ApiError> {
    let text = messages::code_text(&pool.store.read(Data::settings), purpose, contact);
    let text = custom_text(pool, user, reason, contact, text, caller).await?;
    let destination = user.attribute(contact.attribute()).unwrap_or_default().to_owned();
    let (username, sub) = (user.username.clone(), user.sub.clone());
    Ok(Letter { username, sub, destination, purpose, contact, text })
}

/// Sends a user a new code, in place of the one before, and gives its `CodeDeliveryDetails`.
pub(crate) fn send(data: &mut Data, letter: &Letter, now: u64) -> Result<Value, ApiError> {
    let Letter { username, sub, destination, purpose, contact, text } = letter;
    let user = data.exact_user_mut(username).filter(|user| user.sub == *sub);
    let user = user.ok_or_else(ApiError::overtaken)?;
    if user.attribute(contact.attribute()) != Some(destination) {
        return Err(ApiError::overtaken());
    }
    let row = new_code(*purpose, *contact, now);
    let code = row.code.clone();
    user.codes.insert(*purpose, row);
    let user = user.clone();
    let draft = messages::Draft {
        contact: *contact,
        subject: text.subject.as_deref(),
        body: &text.body,
        code: Some(&code),
    };
    Ok(messages::send(data, &user, &draft, now))
}

fn new_code(purpose: CodePurpose, contact: Contact, now: u64) -> Code {
    Code {
        code: secret::code(),
        expires_at: now.saturating_add(purpose.lifetime()),
        attribute: contact.attribute().to_owned(),
        mistakes: 0,
    }
}

/// Whether a code is the one that was sent, and the contact that it went to. The code stays good until
/// [`User::codes`] loses it, which the caller sees to under the same lock.
pub(crate) fn check(
    codes: &mut BTreeMap<CodePurpose, Code>,
    purpose: CodePurpose,
    typed: &str,
    now: u64,
) -> Result<Option<Contact>, ApiError> {
    let Some(code) = codes.get_mut(&purpose) else {
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

/// Remembers a code that nobody is sent, in place of one that resets a password.
pub(crate) fn pretend(data: &mut Data, name: &str, now: u64) {
    let key = digest_of(&data.user_key(name));
    let mut stranger = data.strangers.get(&key).cloned().unwrap_or_default();
    stranger.codes.insert(CodePurpose::Forgot, new_code(CodePurpose::Forgot, Contact::Email, now));
    data.strangers.prune(|_, stranger| lockout::knows(stranger, now));
    data.strangers.insert(key, stranger);
}

/// What is said to a code that resets a password and cannot be right, since nobody was sent one.
pub(crate) fn refuse(data: &mut Data, name: &str, typed: &str, now: u64) -> ApiError {
    let key = digest_of(&data.user_key(name));
    let Some(stranger) = data.strangers.get_mut(&key) else {
        return ApiError::expired_code();
    };
    let guessed = check(&mut stranger.codes, CodePurpose::Forgot, typed, now);
    guessed.err().unwrap_or_else(ApiError::wrong_code)
}

/// Where a sign-up's code goes: a phone comes before an e-mail address.
pub(crate) fn sign_up_contact(settings: &PoolSettings, user: &User) -> Option<Contact> {
    [Contact::PhoneNumber, Contact::Email].into_iter().find(|contact| {
        settings.auto_verified_attributes.contains(contact)
            && user.attribute(contact.attribute()).is_some()
    })
}

/// Where a code that resets the password goes: it has to be proven.
pub(crate) fn recovery_contact(user: &User) -> Option<Contact> {
    [Contact::PhoneNumber, Contact::Email].into_iter().find(|contact| user.has_verified(*contact))
}

/// The user has no password that is theirs to reset.
pub(crate) fn cannot_reset() -> ApiError {
    ApiError::not_authorized("User password cannot be reset in the current state.")
}

/// There is nowhere that a code could go.
pub(crate) fn no_way_to_reset() -> ApiError {
    ApiError::invalid_parameter(
        "Cannot reset password for the user as there is no registered/verified email or phone_number",
    )
}

/// The answer for a code that is not sent, since there is nobody to send it to: the same each time, as it would
/// be for a user who is there.
pub(crate) fn simulated_delivery(settings: &PoolSettings, name: &str) -> Value {
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
