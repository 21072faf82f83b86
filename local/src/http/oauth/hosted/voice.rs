//! The pages speak to the pool as their app client does, so that every rule stands in one place: the API.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::{
    crypto::secret::secret_hash,
    error::ApiError,
    http::{
        api::{self, Answer},
        oauth::request::Asking,
    },
    model::settings::{Alias, Contact, ExistenceErrors, PoolSettings},
    pool::site::Site,
    store::Data,
};

/// Calls an operation for a user, as the app client with its secret.
pub(crate) async fn call(
    site: &Arc<Site>,
    asking: &Asking,
    operation: &str,
    username: &str,
    members: Value,
) -> Answer {
    let settings = &asking.client.settings;
    let mut input = Map::new();
    input.insert("ClientId".to_owned(), json!(settings.client_id));
    input.insert("Username".to_owned(), json!(username));
    if let Some(secret) = &settings.client_secret {
        let hash = secret_hash(secret, username, &settings.client_id);
        input.insert("SecretHash".to_owned(), json!(hash));
    }
    if let Value::Object(members) = members {
        input.extend(members);
    }
    api::call(site, operation, Value::Object(input)).await
}

/// Whether nobody is to learn here who has an account.
pub(crate) fn hides_users(asking: &Asking) -> bool {
    asking.client.settings.prevent_user_existence_errors == ExistenceErrors::Enabled
}

/// Whether an error may tell of a user what the client is not to be told.
pub(crate) fn tells_of_user(error: &ApiError) -> bool {
    matches!(
        error.name,
        "NotAuthorizedException" | "InvalidParameterException" | "UserNotFoundException"
    )
}

pub(crate) fn settings(asking: &Asking) -> Arc<PoolSettings> {
    asking.pool.store.read(Data::settings)
}

/// What users sign in with, in words.
pub(crate) fn name_label(settings: &PoolSettings) -> &'static str {
    match settings.username_attributes.as_slice() {
        [Contact::Email] => "Email",
        [Contact::PhoneNumber] => "Phone number",
        [] if settings.alias_attributes.contains(&Alias::Email) => "User name or email",
        [] => "User name",
        _ => "Email or phone number",
    }
}

/// The `type` of the field for what users sign in with.
pub(crate) fn name_input(settings: &PoolSettings) -> &'static str {
    match settings.username_attributes.as_slice() {
        [Contact::Email] => "email",
        [Contact::PhoneNumber] => "tel",
        _ => "text",
    }
}

/// An attribute in words.
pub(crate) fn attribute_label(name: &str) -> String {
    let words = name.strip_prefix("custom:").unwrap_or(name).replace('_', " ");
    let (first, rest) = words.split_at(words.chars().next().map_or(0, char::len_utf8));
    first.to_uppercase() + rest
}

/// How an attribute is typed: the input's `type`, and what a browser may fill in.
pub(crate) fn attribute_input(name: &str) -> (&'static str, &'static str) {
    match name {
        "email" => ("email", "email"),
        "phone_number" => ("tel", "tel"),
        "birthdate" => ("date", "bday"),
        "name" => ("text", "name"),
        "given_name" => ("text", "given-name"),
        "family_name" => ("text", "family-name"),
        "middle_name" => ("text", "additional-name"),
        "nickname" => ("text", "nickname"),
        "preferred_username" => ("text", "username"),
        "website" => ("url", "url"),
        "address" => ("text", "street-address"),
        _ => ("text", "off"),
    }
}

/// The password policy in words.
pub(crate) fn password_hint(settings: &PoolSettings) -> String {
    let policy = &settings.password_policy;
    let kinds: Vec<_> = [
        (policy.require_lowercase, "a small letter"),
        (policy.require_uppercase, "a capital letter"),
        (policy.require_numbers, "a digit"),
        (policy.require_symbols, "a symbol"),
    ]
    .into_iter()
    .filter_map(|(is_required, kind)| is_required.then_some(kind))
    .collect();
    let length = format!("At least {} characters", policy.minimum_length);
    if kinds.is_empty() { length } else { format!("{length}, with {}", kinds.join(", ")) }
}
