//! The trigger that changes the text of messages.

use serde::Deserialize;
use serde_json::json;

use crate::{
    error::Error,
    model::{
        MessageText, PLACE_OF_CODE, PLACE_OF_LINK, PLACE_OF_NAME, User, has_link, settings::Contact,
    },
    triggers::{Caller, Event, EventContext, Trigger},
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
/// and so is an invitation without the placeholder for the user name. If the default text has a link, the function's
/// text may have one in place of the code.
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
        request: caller.metadata.add_to(json!({
            "userAttributes": context.user_attributes(user),
            "codeParameter": PLACE_OF_CODE,
            "linkParameter": PLACE_OF_LINK,
            "usernameParameter": is_invitation.then_some(PLACE_OF_NAME),
        })),
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
        let has_place = body.contains(PLACE_OF_CODE) || (default.has_link() && has_link(body));
        let is_complete = has_place && (!is_invitation || body.contains(PLACE_OF_NAME));
        if !is_complete {
            let source = reason.source();
            tracing::warn!(
                source,
                "the custom message function returned a text without the required placeholders; it is not used"
            );
        }
        is_complete
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
