//! Changes of attributes, and codes to the contacts that are new.

use serde_json::Value;

use crate::{
    error::ApiError,
    http::api::{
        attributes::{self, Attributes},
        codes,
    },
    model::{CodePurpose, User, settings::Contact},
    pool::Shared,
    store::Data,
    triggers::{Caller, Reason},
};

/// A user as they are to be.
pub(crate) struct Change {
    after: User,
    /// The contacts that are new.
    contacts: Vec<Contact>,
}

/// What checked attributes make of a user, if they can be written.
pub(crate) fn plan(
    data: &Data,
    before: &User,
    changes: &Attributes,
    now: u64,
) -> Result<Change, ApiError> {
    let mut after = before.clone();
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

/// Writes checked attributes, and sends codes to the contacts that are new and have to be proven. `find` gives the
/// user, before and after a trigger ran.
pub(crate) async fn change(
    pool: &Shared,
    find: impl Fn(&Data) -> Result<&User, ApiError> + Sync,
    changes: &Attributes,
    caller: Caller<'_>,
) -> Result<Vec<Value>, ApiError> {
    let now = pool.now();
    let planned = pool.store.read(|data| plan(data, find(data)?, changes, now))?;
    let unproven = pool.store.read(|data| planned.unproven(data));
    let mut letters = Vec::new();
    for contact in &unproven {
        let (purpose, reason) = (CodePurpose::proof_of(*contact), Reason::UpdateUserAttribute);
        let letter = codes::letter(pool, &planned.after, purpose, *contact, reason, caller);
        letters.push(letter.await?);
    }
    pool.store
        .write(|data| {
            let change = plan(data, find(data)?, changes, now)?;
            if change.after.sub != planned.after.sub || change.unproven(data) != unproven {
                return Err(ApiError::overtaken());
            }
            change.make(data);
            letters.iter().map(|letter| codes::send(data, letter, now)).collect()
        })
        .await?
}

impl Change {
    pub(crate) fn make(self, data: &mut Data) {
        let key = data.user_key(&self.after.username);
        data.users.insert(key, self.after);
    }

    /// The contacts that a code has to prove. What an administrator says is proven needs none.
    fn unproven(&self, data: &Data) -> Vec<Contact> {
        let proves = data.settings().auto_verified_attributes;
        let contacts = self.contacts.iter().copied();
        contacts
            .filter(|contact| proves.contains(contact) && !self.after.has_verified(*contact))
            .collect()
    }
}
