//! The triggers before a user is created and after a user is confirmed.

use std::collections::BTreeMap;

use serde::{Deserialize, de::IgnoredAny};
use serde_json::{Value, json};

use crate::{
    error::Error,
    model::{User, UserStatus, settings::Contact},
    triggers::{
        Caller, Event, EventContext, Metadata, Trigger, event::ALIASES, failure::unrecognizable,
    },
};

/// How a user is created.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SignUpSource {
    SignUp,
    AdminCreateUser,
    ExternalProvider,
}

/// Why a user is confirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ConfirmationSource {
    SignUp,
    ForgotPassword,
}

/// The response of the function to a new user.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct PreSignUpResponse {
    auto_confirm_user: Option<bool>,
    auto_verify_email: Option<bool>,
    auto_verify_phone: Option<bool>,
}

/// A user who does not exist yet.
#[derive(Clone, Copy)]
pub(crate) struct ProspectiveUser<'a> {
    pub(crate) username: &'a str,
    /// The attributes from the request or from the identity provider.
    pub(crate) attributes: &'a BTreeMap<String, String>,
    pub(crate) validation: &'a Metadata,
}

/// Runs before a user is created.
pub(crate) async fn pre_sign_up(
    context: &EventContext<'_>,
    user: ProspectiveUser<'_>,
    source: SignUpSource,
    caller: Caller<'_>,
) -> Result<PreSignUpResponse, Error> {
    let mut attributes = json!(user.attributes);
    let mut validation = user.validation.to_value();
    // For an account at a provider, Cognito sends empty aliases and empty validation data in place of null.
    if let (SignUpSource::ExternalProvider, Value::Object(attributes)) = (source, &mut attributes) {
        attributes.extend(ALIASES.map(|(_, name)| (name.to_owned(), json!(""))));
        validation = json!({});
    }
    let event = Event {
        trigger: Trigger::PreSignUp,
        source: source.as_str(),
        username: user.username,
        caller,
        request: caller.metadata.add_to(json!({
            "userAttributes": attributes,
            "validationData": validation,
        })),
        response: json!({
            "autoConfirmUser": false,
            "autoVerifyEmail": false,
            "autoVerifyPhone": false,
        }),
    };
    Ok(context.fire(event).await?.unwrap_or_default())
}

/// Runs after a user was confirmed.
pub(crate) async fn post_confirmation(
    context: &EventContext<'_>,
    user: &User,
    source: ConfirmationSource,
    caller: Caller<'_>,
) -> Result<(), Error> {
    let event = Event {
        trigger: Trigger::PostConfirmation,
        source: source.as_str(),
        username: &user.username,
        caller,
        request: caller.metadata.add_to(json!({
            "userAttributes": context.user_attributes(user),
        })),
        response: json!({}),
    };
    context.fire::<IgnoredAny>(event).await.map(drop)
}

impl PreSignUpResponse {
    /// Returns whether the function confirmed the user.
    pub(crate) fn confirms(&self) -> bool {
        self.auto_confirm_user.unwrap_or_default()
    }

    /// Confirms the user and verifies contacts as the function decided.
    ///
    /// # Errors
    /// The function verified a contact that the user does not have.
    pub(crate) fn apply(&self, user: &mut User) -> Result<(), Error> {
        if self.confirms() {
            user.status = UserStatus::Confirmed;
        }
        self.verify(user)
    }

    /// Verifies contacts as the function decided.
    ///
    /// # Errors
    /// The function verified a contact that the user does not have.
    pub(crate) fn verify(&self, user: &mut User) -> Result<(), Error> {
        for (contact, verifies) in [
            (Contact::Email, self.auto_verify_email),
            (Contact::PhoneNumber, self.auto_verify_phone),
        ] {
            if !verifies.unwrap_or_default() {
                continue;
            }
            if user.attribute(contact.attribute()).is_none() {
                return Err(unrecognizable());
            }
            user.attributes.insert(contact.verified_attribute().to_owned(), "true".to_owned());
        }
        Ok(())
    }
}

impl SignUpSource {
    fn as_str(self) -> &'static str {
        match self {
            Self::SignUp => "SignUp",
            Self::AdminCreateUser => "AdminCreateUser",
            Self::ExternalProvider => "ExternalProvider",
        }
    }
}

impl ConfirmationSource {
    fn as_str(self) -> &'static str {
        match self {
            Self::SignUp => "ConfirmSignUp",
            Self::ForgotPassword => "ConfirmForgotPassword",
        }
    }
}
