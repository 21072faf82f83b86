//! Simulated responses for names that no user has. They do not reveal which users exist.
//!
//! They are derived from the name and a secret of the pool. A name always gets the same response, as a user does.
//! Without the secret, a client cannot compute the response to detect that it is simulated.

use crate::{
    crypto::srp::Password, domain::messages::CodeDelivery, ids::uuid_of, model::settings::Contact,
    pool::Pool, store::Data, text::base64url,
};

/// Returns a simulated user name for a name that no user has. It has the form of the pool's user names, and is never a
/// contact.
pub(crate) fn user_name(pool: &Pool, data: &Data, name: &str) -> String {
    let (key, settings) = (data.user_key(name), data.settings());
    let is_contact = settings.signs_in_with_contacts() || settings.alias_of_name(name).is_some();
    if is_contact {
        uuid_of(&base64url::encode(pool.simulated_bytes("user name", &key)))
    } else {
        key
    }
}

/// Returns a password that never matches. It is for names that no user has, and for users without a password.
pub(crate) fn password(pool: &Pool, user_name: &str) -> Password {
    let mut salt = [0; 16];
    let bytes = pool.simulated_bytes("salt", user_name);
    salt.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
    Password::unknown(salt)
}

/// Returns a simulated delivery, for a code that is not sent.
pub(crate) fn delivery(pool: &Pool, data: &Data, name: &str) -> CodeDelivery {
    let (name, settings) = (data.user_key(name), data.settings());
    if let Some(contact) = settings.contact_of_name(&name) {
        return CodeDelivery::new(contact, &name);
    }
    let [medium, user, host, digits @ ..] = pool.simulated_bytes("delivery", &name);
    let contact = match settings.auto_verified_attributes[..] {
        [contact] => contact,
        [_, ..] if medium % 2 == 0 => Contact::PhoneNumber,
        _ => Contact::Email,
    };
    let letter = |byte: u8| char::from(b'a' + byte % 26);
    let digit = |byte: &u8| char::from(b'0' + byte % 10);
    let destination = match contact {
        Contact::Email => format!("{}@{}", letter(user), letter(host)),
        Contact::PhoneNumber => digits.iter().take(4).map(digit).collect(),
    };
    CodeDelivery::new(contact, &destination)
}
