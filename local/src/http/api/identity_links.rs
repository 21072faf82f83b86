//! `AdminLinkProviderForUser` and `AdminDisableProviderForUser`.

use serde::Deserialize;
use serde_json::Value;

use crate::{
    domain::identity_links,
    error::Error,
    http::api::{Output, empty_output, input, required},
    pool::site::Site,
};

/// Cognito's name for the ID of an account at a provider.
const SUBJECT: &str = "Cognito_Subject";

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

impl Account {
    fn read(self) -> Result<identity_links::Account, Error> {
        let provider = required(self.provider_name, "ProviderName")?;
        let id = required(self.provider_attribute_value, "ProviderAttributeValue")?;
        match self.provider_attribute_name.as_deref() {
            Some(SUBJECT) => Ok(identity_links::Account { provider, id }),
            _ => Err(Error::invalid_parameter(format!(
                "The local pool supports only {SUBJECT} as ProviderAttributeName."
            ))),
        }
    }
}

pub(crate) async fn link(site: &Site, value: Value) -> Output {
    let Input { user_pool_id, destination_user, source_user, .. } = input(value)?;
    let pool = site.named_pool(user_pool_id)?;
    let destination = required(destination_user, "DestinationUser")?;
    let name = required(destination.provider_attribute_value, "ProviderAttributeValue")?;
    let account = required(source_user, "SourceUser")?.read()?;
    identity_links::link(&pool, &name, account).await?;
    empty_output()
}

pub(crate) async fn unlink(site: &Site, value: Value) -> Output {
    let Input { user_pool_id, user, .. } = input(value)?;
    let pool = site.named_pool(user_pool_id)?;
    let account = required(user, "User")?.read()?;
    identity_links::unlink(&pool, account).await?;
    empty_output()
}
