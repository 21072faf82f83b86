//! The scopes that decide which attributes of a user an app gets.

use crate::model::{User, settings::ClientSettings};

/// The scope of access tokens from a sign-in through the API. It allows the app to call the API for the user.
pub(crate) const API_SCOPE: &str = "aws.cognito.signin.user.admin";

const EMAIL: &str = "email";
const PHONE: &str = "phone";
const PROFILE: &str = "profile";

/// Scopes that select attributes. They require `openid`.
pub(crate) const ATTRIBUTE_SCOPES: [&str; 3] = [EMAIL, PHONE, PROFILE];

/// Returns the attributes that an ID token and the user info endpoint contain: those that the app client may read and that
/// the scopes of the sign-in include. `scopes` is `None` for a sign-in through the API, which includes all attributes.
pub(crate) fn released_attributes<'a>(
    user: &'a User,
    client: &ClientSettings,
    scopes: Option<&[String]>,
) -> impl Iterator<Item = (&'a str, &'a str)> {
    user.attributes
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .filter(move |(name, _)| client.may_read(name) && is_in_scope(name, scopes))
}

/// Returns whether scopes include an attribute (OpenID Connect Core 1.0, section 5.4). As in Cognito, `openid` alone
/// includes all attributes.
fn is_in_scope(attribute: &str, scopes: Option<&[String]>) -> bool {
    let Some(scopes) = scopes else {
        return true;
    };
    let has = |scope: &str| scopes.iter().any(|granted| granted == scope);
    let is_limited = ATTRIBUTE_SCOPES.into_iter().any(has) && !has(API_SCOPE);
    !is_limited || has(scope_of(attribute))
}

/// Returns the scope that selects an attribute.
fn scope_of(attribute: &str) -> &'static str {
    match attribute {
        "email" | "email_verified" => EMAIL,
        "phone_number" | "phone_number_verified" => PHONE,
        _ => PROFILE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [&str; 6] = [
        "custom:tenant",
        "email",
        "email_verified",
        "name",
        "phone_number",
        "phone_number_verified",
    ];

    fn released(read_attributes: Option<&[&str]>, scopes: Option<&[&str]>) -> Vec<String> {
        let owned = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let mut user = User::new("jane".to_owned(), "sub".to_owned(), 0);
        user.attributes = ALL.map(|name| (name.to_owned(), String::new())).into();
        let client = ClientSettings {
            read_attributes: read_attributes.map(|list| owned(list).into_iter().collect()),
            ..ClientSettings::default()
        };
        let scopes = scopes.map(owned);
        let released = released_attributes(&user, &client, scopes.as_deref());
        released.map(|(name, _)| name.to_owned()).collect()
    }

    #[test]
    fn scopes_select_the_attributes_that_are_released() {
        let emails = ["email", "email_verified"];
        let phones = ["phone_number", "phone_number_verified"];
        for (scopes, expected) in [
            (None, &ALL[..]),
            (Some(&["openid"][..]), &ALL),
            (Some(&["openid", "orders/read"]), &ALL),
            (Some(&["openid", "email"]), &emails),
            (Some(&["openid", "phone"]), &phones),
            (Some(&["openid", "profile"]), &["custom:tenant", "name"]),
            (Some(&["openid", "email", "phone"]), &[emails, phones].concat()),
            (Some(&["openid", "email", API_SCOPE]), &ALL),
        ] {
            assert_eq!(released(None, scopes), expected, "{scopes:?}");
        }
    }

    #[test]
    fn attributes_that_the_client_may_not_read_are_not_released() {
        let readable = Some(&["email", "name"][..]);
        assert_eq!(released(readable, None), ["email", "name"]);
        assert_eq!(released(readable, Some(&["openid", API_SCOPE])), ["email", "name"]);
        assert_eq!(released(readable, Some(&["openid", "profile"])), ["name"]);
    }
}
