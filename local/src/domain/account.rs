//! Operations of signed-in users on their own accounts.

use std::sync::Arc;

use crate::{
    domain::{
        attribute_change::{change, plan},
        attributes::{self, AttributeInput, Writer},
        codes,
        find::{present_user, present_user_mut},
        messages::CodeDelivery,
    },
    error::Error,
    model::{Client, CodePurpose, User, settings::Contact},
    pool::Pool,
    store::Data,
    triggers::{Caller, Metadata, Reason},
};

/// Returns the app client for which a token was issued.
pub(crate) fn client_of_token(pool: &Pool, client_id: &str) -> Result<Arc<Client>, Error> {
    let client = pool.store.read(|data| data.clients.get(client_id).cloned());
    client.ok_or_else(|| Error::not_authorized("Invalid Access Token"))
}

/// Writes attributes, and sends codes to the new contacts that must be verified.
pub(crate) async fn update_attributes(
    pool: &Pool,
    user: &User,
    client_id: &str,
    list: Vec<AttributeInput>,
    metadata: &Metadata,
) -> Result<Vec<CodeDelivery>, Error> {
    let client = client_of_token(pool, client_id)?;
    let settings = pool.store.read(Data::settings);
    let changes = attributes::check_change(&settings, Writer::User(&client.settings), list)?;
    let caller = Caller::of(&client, metadata);
    change(pool, |data| present_user(data, user), &changes, caller).await
}

/// Removes attributes.
pub(crate) async fn delete_attributes(
    pool: &Pool,
    user: &User,
    client_id: &str,
    names: Vec<String>,
) -> Result<(), Error> {
    let client = client_of_token(pool, client_id)?;
    let settings = pool.store.read(Data::settings);
    let changes = attributes::check_removal(&settings, Writer::User(&client.settings), names)?;
    let now = pool.now();
    pool.store
        .write(|data| {
            plan(data, present_user(data, user)?, &changes, now)?.write(data);
            Ok(())
        })
        .await?
}

/// Sends a code to verify a contact.
pub(crate) async fn send_verification_code(
    pool: &Pool,
    user: &User,
    client_id: &str,
    contact: Contact,
    metadata: &Metadata,
) -> Result<CodeDelivery, Error> {
    if user.attribute(contact.attribute()).is_none() {
        return Err(Error::invalid_parameter(format!(
            "user.{}: The user has no such attribute",
            contact.attribute()
        )));
    }
    let client = client_of_token(pool, client_id)?;
    let caller = Caller::of(&client, metadata);
    let (purpose, reason) = (CodePurpose::verification_of(contact), Reason::VerifyUserAttribute);
    let message = codes::compose(pool, user, purpose, contact, reason, caller).await?;
    let now = pool.now();
    pool.store
        .write(|data| {
            present_user_mut(data, user)?;
            codes::send(data, &message, now)
        })
        .await?
}

/// Verifies a contact with the code that was sent.
pub(crate) async fn verify_contact(
    pool: &Pool,
    user: &User,
    contact: Contact,
    code: &str,
) -> Result<(), Error> {
    let now = pool.now();
    let purpose = CodePurpose::verification_of(contact);
    // The count of wrong codes is saved even though the request fails. Nothing else changes before all checks have
    // passed.
    pool.store
        .write_always(|data| {
            let user = present_user_mut(data, user)?;
            codes::check(&mut user.codes, purpose, code, now)?;
            let mut verified = user.clone();
            verified.codes.remove(&purpose);
            verified.attributes.insert(contact.verified_attribute().to_owned(), "true".to_owned());
            verified.modified_at = now;
            if let Some(clash) = attributes::alias_clash(data, &verified) {
                return Err(clash);
            }
            let key = data.user_key(&verified.username);
            data.users.insert(key, verified);
            Ok(())
        })
        .await?
}

/// Deletes the user.
pub(crate) async fn delete(pool: &Pool, user: &User) -> Result<(), Error> {
    pool.store
        .write(|data| {
            present_user_mut(data, user)?;
            data.remove_user(&user.username);
            Ok(())
        })
        .await?
}
