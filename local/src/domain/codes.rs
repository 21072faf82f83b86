//! Codes that are sent to users: how they are created, sent and checked.

use std::collections::BTreeMap;

use crate::{
    crypto::secret::{self, digest_of, same},
    domain::{
        lockout,
        messages::{self, CodeDelivery},
    },
    error::Error,
    model::{
        Code, CodePurpose, MessageText, User,
        settings::{Contact, PoolSettings},
    },
    pool::Pool,
    store::Data,
    triggers::{Caller, Reason, custom_text},
};

/// A code is invalid after this number of wrong attempts.
const MAX_MISTAKES: u32 = 5;

/// After this number of wrong attempts at a code and the codes that it replaced, new codes are invalid too. Otherwise
/// an attacker could request new codes and guess without limit. The count restarts if a code expires before the next
/// one is sent.
const MAX_MISTAKES_IN_ALL: u32 = 20;

const HOUR: u64 = 60 * 60 * 1000;

/// A message with a code that is not sent yet. It is composed before the store is locked, because a trigger may change
/// the text. The code itself is created when the message is sent.
pub(crate) struct CodeMessage {
    username: String,
    sub: String,
    destination: String,
    purpose: CodePurpose,
    contact: Contact,
    text: MessageText,
    /// The address of a link without the code at its end.
    link: Option<String>,
}

impl CodeMessage {
    /// Checks that the message was composed for this user and contact. The name in the request can have become another
    /// user's alias since.
    ///
    /// # Errors
    /// The user or the contact changed since the message was composed.
    pub(crate) fn check_recipient(&self, user: &User, contact: Contact) -> Result<(), Error> {
        let is_same = self.sub == user.sub && self.contact == contact;
        if is_same { Ok(()) } else { Err(Error::overtaken()) }
    }
}

/// Composes a message with a code. `user` is the user as it will be stored when the message is sent.
pub(crate) async fn compose(
    pool: &Pool,
    user: &User,
    purpose: CodePurpose,
    contact: Contact,
    reason: Reason,
    caller: Caller<'_>,
) -> Result<CodeMessage, Error> {
    let settings = pool.store.read(Data::settings);
    let text = messages::code_text(&settings, purpose, contact);
    let has_link = purpose == CodePurpose::SignUp && settings.verifies_by_link(contact);
    let link = has_link.then(|| link_without_code(pool, caller.client_id, &user.username));
    let text = custom_text(&pool.events(), user, reason, contact, text, caller).await?;
    let destination = user.attribute(contact.attribute()).unwrap_or_default().to_owned();
    let (username, sub) = (user.username.clone(), user.sub.clone());
    Ok(CodeMessage { username, sub, destination, purpose, contact, text, link })
}

/// Sends a user a new code, which replaces an earlier one, and returns where it was sent.
///
/// # Errors
/// Returns an error if the user changed since the message was composed.
pub(crate) fn send(
    data: &mut Data,
    message: &CodeMessage,
    now: u64,
) -> Result<CodeDelivery, Error> {
    let CodeMessage { username, sub, destination, purpose, contact, text, link } = message;
    let user = data.exact_user_mut(username).filter(|user| user.sub == *sub);
    let user = user.ok_or_else(Error::overtaken)?;
    if user.attribute(contact.attribute()) != Some(destination) {
        return Err(Error::overtaken());
    }
    let code = replace_code(&mut user.codes, *purpose, *contact, now);
    let user = data.exact_user(username).cloned().ok_or_else(Error::overtaken)?;
    let link = link.as_ref().map(|address| format!("{address}{code}"));
    let draft = messages::Draft {
        contact: *contact,
        subject: text.subject.as_deref(),
        body: &text.body,
        code: Some(&code),
        link: link.as_deref(),
    };
    Ok(messages::send(data, &user, &draft, now))
}

/// Returns the address that confirms a user, up to the code at its end.
fn link_without_code(pool: &Pool, client_id: &str, username: &str) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("client_id", client_id).append_pair("user_name", username);
    let query = query.append_pair("confirmation_code", "").finish();
    format!("{}{}?{query}", pool.endpoint(), messages::CONFIRM_USER_PATH)
}

fn lifetime(purpose: CodePurpose) -> u64 {
    match purpose {
        CodePurpose::Forgot => HOUR,
        CodePurpose::SignUp | CodePurpose::Email | CodePurpose::PhoneNumber => 24 * HOUR,
    }
}

/// Stores a new code in place of an earlier one, and returns it.
fn replace_code(
    codes: &mut BTreeMap<CodePurpose, Code>,
    purpose: CodePurpose,
    contact: Contact,
    now: u64,
) -> String {
    let earlier = codes.get(&purpose).filter(|code| now < code.expires_at);
    let code = Code {
        code: secret::code(),
        expires_at: now.saturating_add(lifetime(purpose)),
        attribute: contact.attribute().to_owned(),
        mistakes: 0,
        earlier_mistakes: earlier.map_or(0, mistakes_in_all),
    };
    let text = code.code.clone();
    codes.insert(purpose, code);
    text
}

fn mistakes_in_all(code: &Code) -> u32 {
    code.earlier_mistakes.saturating_add(code.mistakes)
}

/// Checks that a code is the one that was sent, and returns the contact to which it was sent. The code stays valid: the
/// caller removes it from [`User::codes`] under the same lock once it is used.
pub(crate) fn check(
    codes: &mut BTreeMap<CodePurpose, Code>,
    purpose: CodePurpose,
    given: &str,
    now: u64,
) -> Result<Option<Contact>, Error> {
    let Some(code) = codes.get_mut(&purpose) else {
        return Err(Error::expired_code());
    };
    if code.mistakes >= MAX_MISTAKES || mistakes_in_all(code) >= MAX_MISTAKES_IN_ALL {
        return Err(Error::attempt_limit());
    }
    if now >= code.expires_at {
        return Err(Error::expired_code());
    }
    if !same(&code.code, given) {
        code.mistakes += 1;
        return Err(Error::wrong_code());
    }
    Ok(Contact::of_attribute(&code.attribute))
}

/// Stores a code to reset a password for a name that no user has, without sending it. Wrong attempts are then counted
/// as they are for a user.
pub(crate) fn simulate(data: &mut Data, name: &str, now: u64) {
    let key = digest_of(&data.user_key(name));
    lockout::update_unknown_name(data, key, now, |name| {
        replace_code(&mut name.codes, CodePurpose::Forgot, Contact::Email, now);
    });
}

/// Counts a wrong attempt at a code that was not sent, and returns the error for it.
pub(crate) fn reject_simulated(data: &mut Data, name: &str, given: &str, now: u64) -> Error {
    let key = digest_of(&data.user_key(name));
    let Some(name) = data.unknown_names.get_mut(&key) else {
        return Error::expired_code();
    };
    let checked = check(&mut name.codes, CodePurpose::Forgot, given, now);
    checked.err().unwrap_or_else(Error::wrong_code)
}

/// Returns the contact to which the code of a sign-up is sent. A phone number is preferred to an e-mail address.
pub(crate) fn sign_up_contact(settings: &PoolSettings, user: &User) -> Option<Contact> {
    [Contact::PhoneNumber, Contact::Email].into_iter().find(|contact| {
        settings.auto_verified_attributes.contains(contact)
            && user.attribute(contact.attribute()).is_some()
    })
}

/// Returns the contact to which a code to reset the password is sent. The contact must be verified.
pub(crate) fn recovery_contact(user: &User) -> Option<Contact> {
    [Contact::PhoneNumber, Contact::Email].into_iter().find(|contact| user.has_verified(*contact))
}
