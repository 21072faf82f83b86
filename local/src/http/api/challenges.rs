//! The JSON of challenges: `ChallengeName` and `ChallengeParameters`.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{
    domain::sign_in::{ChallengeParameters, ChallengeRequest, Outcome},
    http::api::shapes,
    model::{Factor, settings::Contact},
};

/// Returns the JSON for the outcome of a sign-in step.
pub(crate) fn outcome(outcome: Outcome) -> Value {
    match outcome {
        Outcome::Tokens(tokens) => {
            json!({ "AuthenticationResult": shapes::tokens(tokens), "ChallengeParameters": {} })
        }
        Outcome::Challenge(request) => challenge(request),
    }
}

fn challenge(request: ChallengeRequest) -> Value {
    let ChallengeRequest { username, session, parameters } = request;
    let name = name(&parameters);
    let mut output = json!({
        "ChallengeName": name,
        "ChallengeParameters": challenge_parameters(username, parameters),
    });
    if let (Some(session), Value::Object(output)) = (session, &mut output) {
        output.insert("Session".to_owned(), Value::String(session));
    }
    output
}

/// Returns the `ChallengeName` of a challenge.
pub(crate) fn name(parameters: &ChallengeParameters) -> &'static str {
    match parameters {
        ChallengeParameters::PasswordVerifier { .. } => "PASSWORD_VERIFIER",
        ChallengeParameters::NewPassword { .. } => "NEW_PASSWORD_REQUIRED",
        ChallengeParameters::SoftwareToken { .. } => Factor::SoftwareToken.name(),
        ChallengeParameters::SentCode(delivery) => match delivery.contact {
            Contact::PhoneNumber => Factor::Sms.name(),
            Contact::Email => Factor::Email.name(),
        },
        ChallengeParameters::SelectFactor(_) => "SELECT_MFA_TYPE",
        ChallengeParameters::SetUpFactor(_) => "MFA_SETUP",
        ChallengeParameters::Custom(_) => "CUSTOM_CHALLENGE",
    }
}

/// Returns the `ChallengeParameters`, in which lists and maps are JSON in strings.
fn challenge_parameters(
    username: String,
    parameters: ChallengeParameters,
) -> BTreeMap<String, String> {
    let members = match parameters {
        ChallengeParameters::Custom(mut parameters) => {
            parameters.insert("USERNAME".to_owned(), username);
            return parameters;
        }
        ChallengeParameters::PasswordVerifier { salt, public_number, secret_block } => vec![
            ("SALT", salt),
            ("SECRET_BLOCK", secret_block),
            ("SRP_B", public_number),
            ("USERNAME", username.clone()),
        ],
        ChallengeParameters::NewPassword { attributes, missing } => {
            let missing: Vec<_> =
                missing.iter().map(|name| format!("userAttributes.{name}")).collect();
            vec![
                ("userAttributes", json!(attributes).to_string()),
                ("requiredAttributes", json!(missing).to_string()),
            ]
        }
        ChallengeParameters::SoftwareToken { device_name } => {
            vec![("FRIENDLY_DEVICE_NAME", device_name.unwrap_or_default())]
        }
        ChallengeParameters::SentCode(delivery) => vec![
            ("CODE_DELIVERY_DELIVERY_MEDIUM", delivery.contact.medium().to_owned()),
            ("CODE_DELIVERY_DESTINATION", delivery.destination),
        ],
        ChallengeParameters::SelectFactor(factors) => vec![("MFAS_CAN_CHOOSE", names(&factors))],
        ChallengeParameters::SetUpFactor(factors) => vec![("MFAS_CAN_SETUP", names(&factors))],
    };
    let user_id = ("USER_ID_FOR_SRP", username);
    members.into_iter().chain([user_id]).map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Returns the names of factors as a JSON array.
fn names(factors: &[Factor]) -> String {
    factors.iter().map(|factor| factor.name()).collect::<Value>().to_string()
}
