//! Functions for serde's `deserialize_with` attribute on the fields of your own claims type.
//!
//! Cognito writes every custom attribute as a string, whatever its type, and triggers often write JSON into a string.
//! These functions parse the string. For a list of names, choose the function of its [form](crate::claims::ListForm):
//!
//! ```
//! use serde::Deserialize;
//! use tower_cognito::claims::de;
//!
//! #[derive(Deserialize)]
//! struct Tenant {
//!     #[serde(rename = "custom:tenant_id")]
//!     tenant_id: String,
//!     #[serde(rename = "custom:seats", deserialize_with = "de::json")]
//!     seats: u32,
//!     #[serde(rename = "custom:trial", default, deserialize_with = "de::json")]
//!     trial: bool,
//!     #[serde(rename = "custom:permissions", default, deserialize_with = "de::permissions")]
//!     permissions: Vec<String>,
//! }
//!
//! let payload = r#"{
//!     "custom:tenant_id": "acme",
//!     "custom:seats": "12",
//!     "custom:permissions": "[\"orders:read\",\"orders:write\"]"
//! }"#;
//! let tenant: Tenant = serde_json::from_str(payload)?;
//! assert_eq!((tenant.tenant_id.as_str(), tenant.seats, tenant.trial), ("acme", 12, false));
//! assert_eq!(tenant.permissions, ["orders:read", "orders:write"]);
//! # Ok::<(), serde_json::Error>(())
//! ```

use std::borrow::Cow;

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error, Unexpected},
};
use serde_json::Value;

use crate::claims::list_form::ListForm;

/// Deserializes a value that is either plain, or JSON inside a string.
///
/// Use it for numbers and booleans that are written as strings, for `Option`s of them, and for objects and arrays
/// inside a string. A field of type `String` does not need it.
///
/// # Errors
/// Neither the value itself nor the JSON inside the string fits the field's type.
pub fn json<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    let value = Value::deserialize(deserializer)?;
    if let Value::String(text) = &value
        && let Ok(inner) = serde_json::from_str(text)
    {
        return Ok(inner);
    }
    T::deserialize(value).map_err(|_| {
        D::Error::invalid_value(OTHER, &"a value of the field's type, plain or as JSON in a string")
    })
}

/// Deserializes a list of names in the form [`ListForm::JsonOrSpaces`]: an array of strings, a string that contains such
/// an array as JSON, or names separated by spaces.
///
/// # Errors
/// The value does not have this form.
pub fn permissions<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    names(ListForm::JsonOrSpaces, deserializer)
}

/// Deserializes a list of names in the form [`ListForm::Bracketed`], such as `[a, b]`. Cognito writes a SAML or OIDC
/// attribute with several values in this form.
///
/// # Errors
/// The value does not have this form.
pub fn bracketed<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    names(ListForm::Bracketed, deserializer)
}

/// Deserializes a list of names in the form [`ListForm::CommaSeparated`], such as `a,b`.
///
/// # Errors
/// The value does not have this form.
pub fn comma_separated<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<String>, D::Error> {
    names(ListForm::CommaSeparated, deserializer)
}

/// Deserializes a list of names in the form [`ListForm::SpaceSeparated`], such as `a b`.
///
/// # Errors
/// The value does not have this form.
pub fn space_separated<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<String>, D::Error> {
    names(ListForm::SpaceSeparated, deserializer)
}

/// Deserializes a list of names in the form [`ListForm::UrlEncoded`], such as `a%3Ab,c+d`.
///
/// # Errors
/// The value does not have this form.
pub fn url_encoded<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    names(ListForm::UrlEncoded, deserializer)
}

/// The value in errors, which must not quote the token.
const OTHER: Unexpected<'static> = Unexpected::Other("a value of another form");

fn names<'de, D: Deserializer<'de>>(
    form: ListForm,
    deserializer: D,
) -> Result<Vec<String>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    let names = form.names(&value).map(|names| names.into_iter().map(Cow::into_owned).collect());
    names.ok_or_else(|| D::Error::invalid_value(OTHER, &form.expected()))
}
