//! Accounts at providers, tied to users and untied.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use crate::{
    error::Error,
    http::api::{Answer, input, nothing, required},
    model::{Identity, User, UserStatus},
    pool::site::Site,
    store::Data,
};

/// So many accounts can be tied to one user.
const MAX_LINKS: usize = 5;

/// What Cognito calls the `sub` of a provider's account.
const SUBJECT: &str = "Cognito_Subject";

/// The operations of this group; nothing for others.
pub(crate) async fn call(site: &Arc<Site>, operation: &str, input: Value) -> Option<Answer> {
    match operation {
        "AdminLinkProviderForUser" => Some(link(site, input).await),
        "AdminDisableProviderForUser" => Some(disable(site, input).await),
        _ => None,
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Input {
    user_pool_id: Option<String>,
    destination_user: Option<Account>,
    source_user: Option<Account>,
    user: Option<Account>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Account {
    provider_name: Option<String>,
    provider_attribute_name: Option<String>,
    provider_attribute_value: Option<String>,
}

async fn link(site: &Site, value: Value) -> Answer {
    let Input { user_pool_id, destination_user, source_user, .. } = input(value)?;
    let pool = site.named_pool(user_pool_id)?;
    let destination = required(destination_user, "DestinationUser")?;
    let name = required(destination.provider_attribute_value, "ProviderAttributeValue")?;
    let (provider, id) = account(required(source_user, "SourceUser")?)?;
    let now = pool.now();
    pool.store.write(|data| {
        check_provider(data, &provider)?;
        if let Some(holder) = data.user_of_account(&provider, &id) {
            return Err(Error::invalid_parameter(if is_its_own(holder) {
                "Merging is not currently supported, provide a SourceUser that has not been signed up in \
                 order to link"
            } else {
                "SourceUser is already linked to DestinationUser"
            }));
        }
        let user = data.find_user_mut(&name).ok_or_else(Error::user_not_found)?;
        if user.identities.len() >= MAX_LINKS {
            return Err(Error::new(
                "LimitExceededException",
                "Too many identities are linked to the user.",
            ));
        }
        user.identities.push(Identity::new(provider, id, false, now));
        user.modified_at = now;
        Ok(())
    }).await??;
    nothing()
}

/// An account that is tied to a user is so no more. Whoever is nobody without it cannot sign in.
async fn disable(site: &Site, value: Value) -> Answer {
    let Input { user_pool_id, user, .. } = input(value)?;
    let pool = site.named_pool(user_pool_id)?;
    let (provider, id) = account(required(user, "User")?)?;
    let now = pool.now();
    pool.store
        .write(|data| {
            check_provider(data, &provider)?;
            let holder = data.user_of_account(&provider, &id).ok_or_else(Error::user_not_found)?;
            let username = holder.username.clone();
            data.end_sign_ins(&username);
            let user = data.exact_user_mut(&username).ok_or_else(Error::user_not_found)?;
            if is_its_own(user) {
                user.enabled = false;
            } else {
                user.identities
                    .retain(|known| known.provider_name != provider || known.user_id != id);
            }
            user.modified_at = now;
            Ok::<_, Error>(())
        })
        .await??;
    nothing()
}

fn account(account: Account) -> Result<(String, String), Error> {
    let provider = required(account.provider_name, "ProviderName")?;
    let id = required(account.provider_attribute_value, "ProviderAttributeValue")?;
    match account.provider_attribute_name.as_deref() {
        Some(SUBJECT) => Ok((provider, id)),
        _ => Err(Error::invalid_parameter(format!(
            "The local pool knows accounts by {SUBJECT} alone."
        ))),
    }
}

fn check_provider(data: &Data, name: &str) -> Result<(), Error> {
    if data.identity_providers.contains(name) {
        return Ok(());
    }
    Err(Error::not_found(format!("Identity provider {name} does not exist.")))
}

/// Whether a user came by the provider, and is nobody without it.
fn is_its_own(user: &User) -> bool {
    user.status == UserStatus::ExternalProvider
}
