//! Changes to attributes. New contacts are verified with codes.

use std::sync::Arc;

use crate::{
    domain::{
        attributes::{self, Attributes},
        codes::{self, CodeMessage},
        messages::CodeDelivery,
    },
    error::Error,
    model::{CodePurpose, User, settings::Contact},
    pool::Pool,
    store::Data,
    triggers::{Caller, Reason},
};

/// A change that passed all checks.
pub(crate) struct Change {
    /// The user after the change.
    after: User,
    /// The contacts that are new.
    contacts: Vec<Contact>,
}

/// Applies checked attributes to a copy of a user.
///
/// # Errors
/// Returns an error if another user already has one of the user's aliases.
pub(crate) fn plan(
    data: &Data,
    before: &User,
    changes: &Attributes,
    now: u64,
) -> Result<Change, Error> {
    let mut after = User::clone(before);
    attributes::write(&mut after, changes);
    after.modified_at = now;
    if let Some(clash) = attributes::alias_clash(data, &after) {
        return Err(clash);
    }
    let is_new = |contact: &Contact| {
        let value = after.attribute(contact.attribute());
        value.is_some() && value != before.attribute(contact.attribute())
    };
    let contacts = [Contact::Email, Contact::PhoneNumber].into_iter().filter(is_new).collect();
    Ok(Change { after, contacts })
}

/// Writes checked attributes, and sends codes to the new contacts that must be verified. `find` returns the user. It is
/// called before and after the trigger runs.
pub(crate) async fn change(
    pool: &Pool,
    find: impl Fn(&Data) -> Result<&Arc<User>, Error> + Sync,
    changes: &Attributes,
    caller: Caller<'_>,
) -> Result<Vec<CodeDelivery>, Error> {
    let now = pool.now();
    let planned = pool.store.read(|data| plan(data, find(data)?, changes, now))?;
    let unverified = pool.store.read(|data| planned.unverified(data));
    let mut messages: Vec<CodeMessage> = Vec::new();
    for contact in &unverified {
        let (purpose, reason) =
            (CodePurpose::verification_of(*contact), Reason::UpdateUserAttribute);
        let message = codes::compose(pool, &planned.after, purpose, *contact, reason, caller);
        messages.push(message.await?);
    }
    pool.store
        .write(|data| {
            let change = plan(data, find(data)?, changes, now)?;
            if change.after.sub != planned.after.sub || change.unverified(data) != unverified {
                return Err(Error::overtaken());
            }
            change.write(data);
            messages.iter().map(|message| codes::send(data, message, now)).collect()
        })
        .await?
}

impl Change {
    pub(crate) fn write(self, data: &mut Data) {
        let key = data.user_key(&self.after.username);
        data.users.insert(key, self.after);
    }

    /// Returns the new contacts that a code must verify. Contacts that an administrator marked as verified need no
    /// code.
    fn unverified(&self, data: &Data) -> Vec<Contact> {
        let settings = data.settings();
        let verified = &settings.auto_verified_attributes;
        let contacts = self.contacts.iter().copied();
        contacts
            .filter(|contact| verified.contains(contact) && !self.after.has_verified(*contact))
            .collect()
    }
}
