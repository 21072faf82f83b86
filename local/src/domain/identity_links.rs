//! Accounts at identity providers that are linked to users.

use crate::{
    domain::sessions::sign_out_everywhere,
    error::{Error, ErrorKind},
    model::{Identity, User},
    pool::Pool,
    store::Data,
};

/// The number of accounts that can be linked to one user.
const MAX_LINKS: usize = 5;

/// An account at an identity provider.
pub(crate) struct Account {
    pub(crate) provider: String,
    /// The `sub` of the account.
    pub(crate) id: String,
}

/// Links an account to the user with the given name.
pub(crate) async fn link(pool: &Pool, name: &str, account: Account) -> Result<(), Error> {
    let Account { provider, id } = account;
    let now = pool.now();
    pool.store
        .write(|data| {
            check_provider(data, &provider)?;
            if let Some(owner) = data.user_of_account(&provider, &id) {
                return Err(Error::invalid_parameter(if owner.is_external() {
                    "Merging is not currently supported, provide a SourceUser that has not been signed up in \
                     order to link"
                } else {
                    "SourceUser is already linked to DestinationUser"
                }));
            }
            let user = data.find_user_mut(name).ok_or_else(Error::user_not_found)?;
            if user.identities.len() >= MAX_LINKS {
                return Err(Error::new(
                    ErrorKind::LimitExceeded,
                    "Too many identities are linked to the user.",
                ));
            }
            user.identities.push(Identity::new(provider, id, false, now));
            user.modified_at = now;
            Ok(())
        })
        .await?
}

/// Removes the link of an account. A user who was created for this account is disabled, and signed out.
pub(crate) async fn unlink(pool: &Pool, account: Account) -> Result<(), Error> {
    let Account { provider, id } = account;
    let now = pool.now();
    pool.store
        .write(|data| {
            check_provider(data, &provider)?;
            let owner = data.user_of_account(&provider, &id).ok_or_else(Error::user_not_found)?;
            let username = owner.username.clone();
            let owner = User::clone(owner);
            data.end_sign_ins(&username);
            if owner.is_external() {
                sign_out_everywhere(data, &owner, now);
            }
            let user = data.exact_user_mut(&username).ok_or_else(Error::user_not_found)?;
            if user.is_external() {
                user.enabled = false;
            } else {
                user.identities
                    .retain(|known| known.provider_name != provider || known.user_id != id);
            }
            user.modified_at = now;
            Ok(())
        })
        .await?
}

fn check_provider(data: &Data, name: &str) -> Result<(), Error> {
    if data.identity_providers.contains(name) {
        return Ok(());
    }
    Err(Error::not_found(format!("Identity provider {name} does not exist.")))
}
