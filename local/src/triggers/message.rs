//! The trigger that changes the text of messages.

use serde::Deserialize;
use serde_json::json;

use crate::{
    error::Error,
    model::{MessageText, PLACE_OF_CODE, PLACE_OF_NAME, User, settings::Contact},
    triggers::{Caller, Event, EventContext, Trigger, user_attributes},
};

/// Why a message is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    SignUp,
    ResendCode,
    ForgotPassword,
    UpdateUserAttribute,
    VerifyUserAttribute,
    Authentication,
    AdminCreateUser,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Response {
    sms_message: Option<String>,
    email_message: Option<String>,
    email_subject: Option<String>,
}

/// Returns the text of a message: the function's, or `default`. A text without the placeholder for the code is ignored,
/// and so is an invitation without the placeholder for the user name.
pub(crate) async fn custom_text(
    context: &EventContext<'_>,
    user: &User,
    reason: Reason,
    contact: Contact,
    default: MessageText,
    caller: Caller<'_>,
) -> Result<MessageText, Error> {
    let is_invitation = reason == Reason::AdminCreateUser;
    let event = Event {
        trigger: Trigger::CustomMessage,
        source: reason.source(),
        username: &user.username,
        caller,
        request: json!({
            "userAttributes": user_attributes(user),
            "codeParameter": PLACE_OF_CODE,
            "linkParameter": "{##Click Here##}",
            "usernameParameter": is_invitation.then_some(PLACE_OF_NAME),
            "clientMetadata": caller.metadata.to_value(),
        }),
        response: json!({ "smsMessage": null, "emailMessage": null, "emailSubject": null }),
    };
    let Some(response) = context.fire::<Response>(event).await? else {
        return Ok(default);
    };
    let (body, subject) = match contact {
        Contact::Email => (response.email_message, response.email_subject),
        Contact::PhoneNumber => (response.sms_message, None),
    };
    let is_complete = |body: &String| {
        body.contains(PLACE_OF_CODE) && (!is_invitation || body.contains(PLACE_OF_NAME))
    };
    Ok(MessageText {
        body: body.filter(is_complete).unwrap_or(default.body),
        subject: subject.or(default.subject),
    })
}

impl Reason {
    fn source(self) -> &'static str {
        match self {
            Self::SignUp => "SignUp",
            Self::ResendCode => "ResendCode",
            Self::ForgotPassword => "ForgotPassword",
            Self::UpdateUserAttribute => "UpdateUserAttribute",
            Self::VerifyUserAttribute => "VerifyUserAttribute",
            Self::Authentication => "Authentication",
            Self::AdminCreateUser => "AdminCreateUser",
        }
    }
}
