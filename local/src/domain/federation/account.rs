//! Finds or creates the user of an account at an identity provider.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::{
    domain::{
        attributes,
        federation::claim_mapping::{apply, check, from_claims},
    },
    error::Error,
    ids::random_uuid,
    model::{Client, Group, Identity, User, UserStatus, settings::ProviderSettings},
    pool::Pool,
    store::Data,
    triggers::{
        Caller, ConfirmationSource, Metadata, ProspectiveUser, SignUpSource, post_confirmation,
        pre_sign_up,
    },
};

/// Error returned when a user cannot sign in with an account.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AccountError {
    /// A rule of the pool or a trigger rejects the account or its attributes.
    #[error("{0}")]
    Rejected(String),
    /// The provider was deleted during the sign-in, or the app client no longer supports it.
    #[error("The identity provider no longer exists")]
    ProviderDeleted,
    #[error("User is disabled.")]
    UserDisabled,
    /// The user was deleted during the sign-in.
    #[error("The user was deleted")]
    UserDeleted,
    #[error("The data could not be saved")]
    NotSaved,
}

impl From<Error> for AccountError {
    fn from(error: Error) -> Self {
        Self::Rejected(error.message)
    }
}

/// The maximum length of a user name, in characters.
const MAX_NAME: usize = 128;

/// Returns the user of an account, and updates the attributes from the provider's claims. The user is created at the first
/// sign-in.
pub(crate) async fn find_or_create_user(
    pool: &Pool,
    client: &Client,
    provider: &ProviderSettings,
    claims: &Map<String, Value>,
) -> Result<Arc<User>, AccountError> {
    let sub = claims.get("sub").and_then(Value::as_str).unwrap_or_default();
    let settings = pool.store.read(Data::settings);
    let attributes = from_claims(provider, &settings, claims).map_err(AccountError::Rejected)?;
    let now = pool.now();
    let account = (provider.provider_name.as_str(), sub);
    let is_known = pool.store.read(|data| data.user_of_account(account.0, account.1).is_some());
    let caller = Caller::of(client, Metadata::NONE);
    let mut new_user = None;
    if !is_known {
        let mut user = user_of_account(account, now)?;
        apply(&mut user, provider, &attributes);
        check(&settings, None, &user).map_err(AccountError::Rejected)?;
        let prospective = ProspectiveUser {
            username: &user.username,
            attributes: &attributes,
            validation: Metadata::NONE,
        };
        let source = SignUpSource::ExternalProvider;
        let verdict = pre_sign_up(&pool.events(), prospective, source, caller).await;
        verdict.and_then(|verdict| verdict.verify(&mut user))?;
        new_user = Some(user);
    }
    let written = pool
        .store
        .write(|data| {
            // Since the reads above, another request may have deleted the provider, or created or deleted the user.
            if !data.has_provider(&provider.provider_name) {
                return Err(AccountError::ProviderDeleted);
            }
            let before = data.user_of_account(account.0, account.1).cloned();
            let mut user = match (&before, new_user) {
                (Some(before), _) => User::clone(before),
                (None, Some(new_user)) => new_user,
                (None, None) => return Err(AccountError::UserDeleted),
            };
            if before.is_none() {
                if data.exact_user(&user.username).is_some() {
                    return Err(rejected("User already exists"));
                }
                add_to_provider_group(data, pool, provider, &mut user, now);
            } else {
                apply(&mut user, provider, &attributes);
            }
            if !user.enabled {
                return Err(AccountError::UserDisabled);
            }
            check(&settings, before.as_deref(), &user).map_err(AccountError::Rejected)?;
            if !user.is_external()
                && let Some(clash) = attributes::alias_clash(data, &user)
            {
                return Err(clash.into());
            }
            user.modified_at = now;
            let key = data.user_key(&user.username);
            let user = Arc::new(user);
            data.users.insert(key, Arc::clone(&user));
            Ok((user, before.is_none()))
        })
        .await;
    let (user, is_new) = written.map_err(|_| AccountError::NotSaved)??;
    if is_new {
        post_confirmation(&pool.events(), &user, ConfirmationSource::SignUp, caller).await?;
    }
    Ok(user)
}

/// Returns a new user for an account, whose name is `Provider_sub`.
fn user_of_account((provider, sub): (&str, &str), now: u64) -> Result<User, AccountError> {
    let username = format!("{provider}_{sub}");
    let is_allowed = |character: char| !character.is_whitespace() && !character.is_control();
    if username.chars().count() > MAX_NAME || !username.chars().all(is_allowed) {
        return Err(rejected("The account's sub cannot be used in a user name"));
    }
    let mut user = User::new(username, random_uuid(), now);
    user.status = UserStatus::ExternalProvider;
    user.identities = vec![Identity::new(provider.to_owned(), sub.to_owned(), true, now)];
    Ok(user)
}

/// Adds a new user to the group of all users of the provider.
fn add_to_provider_group(
    data: &mut Data,
    pool: &Pool,
    provider: &ProviderSettings,
    user: &mut User,
    now: u64,
) {
    let name = format!("{}_{}", pool.id(), provider.provider_name);
    if !data.groups.contains(&name) {
        let description =
            format!("Autogenerated group for users who sign in using {}", provider.provider_name);
        let group = Group {
            name: name.clone(),
            description: Some(description),
            role_arn: None,
            precedence: None,
            created_at: now,
            modified_at: now,
        };
        data.groups.insert(name.clone(), group);
    }
    user.groups.insert(name);
}

fn rejected(description: &str) -> AccountError {
    AccountError::Rejected(description.to_owned())
}
