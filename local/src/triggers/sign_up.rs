//! Triggers before a user is created, and after they are confirmed.

use serde::{Deserialize, de::IgnoredAny};
use serde_json::json;

use crate::{
    error::Error,
    model::{User, UserStatus, settings::Contact},
    triggers::{
        Caller, Event, EventContext, Metadata, Trigger, event::attribute_map,
        failure::unrecognizable, user_attributes,
    },
};

/// How a user gets into the pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arrival {
    SignUp,
    AdminCreateUser,
    ExternalProvider,
}

/// After what a user is confirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Confirmation {
    SignUp,
    ForgotPassword,
}

/// What the function made of a new user.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Verdict {
    auto_confirm_user: Option<bool>,
    auto_verify_email: Option<bool>,
    auto_verify_phone: Option<bool>,
}

/// Runs before a user is created.
pub(crate) async fn pre_sign_up(
    context: &EventContext<'_>,
    user: &User,
    arrival: Arrival,
    validation: &Metadata,
    caller: Caller<'_>,
) -> Result<Verdict, Error> {
    let event = Event {
        trigger: Trigger::PreSignUp,
        source: arrival.source(),
        username: &user.username,
        caller,
        // There is no user yet, so that all there is are the attributes.
        request: json!({
            "userAttributes": attribute_map(user),
            "validationData": validation.to_value(),
            "clientMetadata": caller.metadata.to_value(),
        }),
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
    confirmation: Confirmation,
    caller: Caller<'_>,
) -> Result<(), Error> {
    let event = Event {
        trigger: Trigger::PostConfirmation,
        source: confirmation.source(),
        username: &user.username,
        caller,
        request: json!({
            "userAttributes": user_attributes(user),
            "clientMetadata": caller.metadata.to_value(),
        }),
        response: json!({}),
    };
    context.fire::<IgnoredAny>(event).await.map(drop)
}

impl Verdict {
    pub(crate) fn confirms(&self) -> bool {
        self.auto_confirm_user.unwrap_or_default()
    }

    /// Has the verdict come true.
    ///
    /// # Errors
    /// A contact is to count as verified that the user does not have.
    pub(crate) fn apply(&self, user: &mut User) -> Result<(), Error> {
        if self.confirms() {
            user.status = UserStatus::Confirmed;
        }
        self.verify(user)
    }

    /// Has the verdict on contacts come true.
    ///
    /// # Errors
    /// A contact is to count as verified that the user does not have.
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

impl Arrival {
    fn source(self) -> &'static str {
        match self {
            Self::SignUp => "SignUp",
            Self::AdminCreateUser => "AdminCreateUser",
            Self::ExternalProvider => "ExternalProvider",
        }
    }
}

impl Confirmation {
    fn source(self) -> &'static str {
        match self {
            Self::SignUp => "ConfirmSignUp",
            Self::ForgotPassword => "ConfirmForgotPassword",
        }
    }
}
