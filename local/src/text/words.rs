//! Converts member names between Cognito's API (`AllowedOAuthFlows`) and Terraform (`allowed_oauth_flows`).

use serde_json::{Map, Value};

/// Renames all members to the form of configuration files. The API's members begin with an uppercase letter. Other
/// members are removed, because they could change settings that an operation must not change.
pub(crate) fn to_file(value: Value) -> Value {
    let is_member = |name: &str| name.starts_with(|first: char| first.is_ascii_uppercase());
    renamed(value, &|name| is_member(name).then(|| file_word(name)))
}

/// Renames all members to the form of the API.
pub(crate) fn to_api(value: Value) -> Value {
    renamed(value, &|name| Some(api_word(name)))
}

/// Names that the general rule converts incorrectly.
const IRREGULAR: [(&str, &str); 7] = [
    ("CallbackURLs", "callback_urls"),
    ("LogoutURLs", "logout_urls"),
    ("DefaultRedirectURI", "default_redirect_uri"),
    ("AllowedOAuthFlows", "allowed_oauth_flows"),
    ("AllowedOAuthScopes", "allowed_oauth_scopes"),
    ("AllowedOAuthFlowsUserPoolClient", "allowed_oauth_flows_user_pool_client"),
    ("SMSMfaSettings", "sms_mfa_settings"),
];

fn file_word(word: &str) -> String {
    // Only invitations write `SMSMessage`; other messages write `SmsMessage`.
    if word == "SMSMessage" {
        return "sms_message".to_owned();
    }
    if let Some((_, file)) = IRREGULAR.iter().find(|(api, _)| *api == word) {
        return (*file).to_owned();
    }
    let mut written = String::with_capacity(word.len() + 4);
    for character in word.chars() {
        if character.is_ascii_uppercase() && !written.is_empty() {
            written.push('_');
        }
        written.push(character.to_ascii_lowercase());
    }
    written
}

/// Returns the API's name of a member.
pub(crate) fn api_word(word: &str) -> String {
    if let Some((api, _)) = IRREGULAR.iter().find(|(_, file)| *file == word) {
        return (*api).to_owned();
    }
    word.split('_')
        .map(|part| {
            let (first, rest) = part.split_at(part.len().min(1));
            first.to_ascii_uppercase() + rest
        })
        .collect()
}

/// Renames members at every depth. Removes those for which `word` returns `None`.
fn renamed(value: Value, word: &dyn Fn(&str) -> Option<String>) -> Value {
    match value {
        Value::Object(members) => Value::Object(
            members
                .into_iter()
                .filter_map(|(name, value)| Some((word(&name)?, renamed(value, word))))
                .collect::<Map<_, _>>(),
        ),
        Value::Array(values) => {
            Value::Array(values.into_iter().map(|value| renamed(value, word)).collect())
        }
        scalar => scalar,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_survive_a_round_trip() {
        let api = json!({
            "CallbackURLs": ["https://a"],
            "AllowedOAuthFlowsUserPoolClient": true,
            "TokenValidityUnits": { "AccessToken": "minutes" },
            "PasswordPolicy": { "MinimumLength": 8 },
        });
        let file = to_file(api.clone());
        assert_eq!(file["token_validity_units"]["access_token"], "minutes");
        assert_eq!(file["allowed_oauth_flows_user_pool_client"], true);
        assert_eq!(to_api(file), api);
    }

    #[test]
    fn names_of_configuration_files_are_removed_from_requests() {
        let api = json!({ "ClientName": "a", "client_id": "b", "TokenValidityUnits": { "id_token": "days" } });
        assert_eq!(to_file(api), json!({ "client_name": "a", "token_validity_units": {} }));
    }
}
