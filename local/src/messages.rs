//! What would have been sent: nothing leaves the machine, unless a mail catcher elsewhere is set.

use crate::{
    model::{
        CodePurpose, Message, User,
        settings::{Contact, PoolSettings},
    },
    store::Data,
};

/// The text of a message in which the code has yet to be put.
pub(crate) const PLACE_OF_CODE: &str = "{####}";

/// The text of an invitation in which the user name has yet to be put.
pub(crate) const PLACE_OF_NAME: &str = "{username}";

/// A pool that runs for long forgets its oldest messages.
const MAX_MESSAGES: usize = 2000;

/// A message in the making.
pub(crate) struct Draft<'a> {
    pub(crate) contact: Contact,
    pub(crate) subject: Option<&'a str>,
    /// With `{####}` where the code goes.
    pub(crate) body: &'a str,
    pub(crate) code: Option<&'a str>,
}

/// What a message says.
pub(crate) struct Text {
    pub(crate) subject: Option<String>,
    pub(crate) body: String,
}

/// The text around a code: the pool's own, or Cognito's.
pub(crate) fn code_text(settings: &PoolSettings, purpose: CodePurpose, contact: Contact) -> Text {
    let (subject, body) = match purpose {
        CodePurpose::SignUp => ("Your verification code", "Your confirmation code is {####}"),
        CodePurpose::Forgot => ("Your password reset code", "Your password reset code is {####}"),
        CodePurpose::Email | CodePurpose::PhoneNumber => {
            ("Your verification code", "Your verification code is {####}")
        }
    };
    let (own_subject, own_body) = match contact {
        Contact::Email => {
            (&settings.email_verification_subject, &settings.email_verification_message)
        }
        Contact::PhoneNumber => (&None, &settings.sms_verification_message),
    };
    let or = |own: &Option<String>, default: &str| own.clone().unwrap_or_else(|| default.into());
    Text {
        subject: (contact == Contact::Email).then(|| or(own_subject, subject)),
        body: or(own_body, body),
    }
}

/// The text of an invitation, with the places of name and first password.
pub(crate) fn invitation(settings: &PoolSettings, contact: Contact) -> Text {
    let own = &settings.admin_create_user_config.invite_message_template;
    let body = match contact {
        Contact::Email => &own.email_message,
        Contact::PhoneNumber => &own.sms_message,
    };
    let body =
        body.as_deref().unwrap_or("Your username is {username} and temporary password is {####}.");
    let subject = own.email_subject.as_deref().unwrap_or("Your temporary password");
    Text { subject: (contact == Contact::Email).then(|| subject.to_owned()), body: body.to_owned() }
}

/// The text around the code of a sign-in's second step.
pub(crate) fn sign_in_text(contact: Contact) -> Text {
    Text {
        subject: (contact == Contact::Email).then(|| "Your authentication code".to_owned()),
        body: "Your authentication code is {####}.".to_owned(),
    }
}

/// Puts a message for a user into the list, and gives its `CodeDeliveryDetails`.
pub(crate) fn send(data: &mut Data, user: &User, draft: &Draft<'_>, now: u64) -> serde_json::Value {
    let attribute = draft.contact.attribute();
    let destination = user.attribute(attribute).unwrap_or_default();
    let number = data.messages.iter().next_back().and_then(|(key, _)| key.parse::<u64>().ok());
    let key = format!("{:012}", number.map_or(0, |number| number + 1));
    data.messages.insert(
        key,
        Message {
            username: user.username.clone(),
            medium: draft.contact.medium().to_owned(),
            destination: destination.to_owned(),
            subject: draft.subject.map(str::to_owned),
            body: draft.body.replace(PLACE_OF_CODE, draft.code.unwrap_or_default()),
            code: draft.code.map(str::to_owned),
            at: now,
        },
    );
    let oldest = data.messages.iter().next().map(|(key, _)| key.to_owned());
    if let (Some(oldest), true) = (oldest, data.messages.len() > MAX_MESSAGES) {
        data.messages.remove(&oldest);
    }
    delivery(draft.contact, destination)
}

/// How the API tells where a code went.
pub(crate) fn delivery(contact: Contact, destination: &str) -> serde_json::Value {
    serde_json::json!({
        "AttributeName": contact.attribute(),
        "DeliveryMedium": contact.medium(),
        "Destination": masked(contact, destination),
    })
}

/// `j***@e***`, and `+*******9934`.
fn masked(contact: Contact, destination: &str) -> String {
    match contact {
        Contact::Email => {
            let (user, host) = destination.split_once('@').unwrap_or((destination, ""));
            let first = |text: &str| text.chars().take(1).collect::<String>();
            format!("{}***@{}***", first(user), first(host))
        }
        Contact::PhoneNumber => {
            let end: String =
                destination.chars().skip(destination.chars().count().saturating_sub(4)).collect();
            format!("+*******{end}")
        }
    }
}
