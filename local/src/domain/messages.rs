//! Messages to users. The pool stores them, and also sends them to a mail catcher if one is configured.

use crate::{
    model::{
        CodePurpose, Message, MessageText, PLACE_OF_CODE, User,
        settings::{Contact, PoolSettings},
        with_links,
    },
    store::Data,
};

/// The maximum number of stored messages. The oldest are removed first.
const MAX_MESSAGES: usize = 2000;

/// A message that has not been sent yet.
pub(crate) struct Draft<'a> {
    pub(crate) contact: Contact,
    pub(crate) subject: Option<&'a str>,
    /// Contains `{####}` in place of the code.
    pub(crate) body: &'a str,
    pub(crate) code: Option<&'a str>,
    /// The address for placeholders of links in the body.
    pub(crate) link: Option<&'a str>,
}

/// The path of the page that confirms a user who opens the link in a message.
pub(crate) const CONFIRM_USER_PATH: &str = "/confirmUser";

/// Where a code was sent.
pub(crate) struct CodeDelivery {
    pub(crate) contact: Contact,
    /// The masked e-mail address or phone number.
    pub(crate) destination: String,
}

/// Returns the text of a message with a code: the text in the pool's settings, or else Cognito's default.
pub(crate) fn code_text(
    settings: &PoolSettings,
    purpose: CodePurpose,
    contact: Contact,
) -> MessageText {
    if purpose == CodePurpose::SignUp && settings.verifies_by_link(contact) {
        return link_text(settings);
    }
    let (subject, body) = match purpose {
        CodePurpose::SignUp => ("Your verification code", "Your confirmation code is {####}"),
        CodePurpose::Forgot => ("Your password reset code", "Your password reset code is {####}"),
        CodePurpose::Email | CodePurpose::PhoneNumber => {
            ("Your verification code", "Your verification code is {####}")
        }
    };
    let (pool_subject, pool_body) = match contact {
        Contact::Email => {
            (&settings.email_verification_subject, &settings.email_verification_message)
        }
        Contact::PhoneNumber => (&None, &settings.sms_verification_message),
    };
    let or = |text: &Option<String>, default: &str| text.clone().unwrap_or_else(|| default.into());
    MessageText {
        subject: (contact == Contact::Email).then(|| or(pool_subject, subject)),
        body: or(pool_body, body),
    }
}

/// Returns the text of a message with a link.
fn link_text(settings: &PoolSettings) -> MessageText {
    let template = &settings.verification_message_template;
    let (subject, body) = (&template.email_subject_by_link, &template.email_message_by_link);
    let default = "Please click the link below to verify your email address. {##Verify Email##}";
    MessageText {
        subject: Some(subject.as_deref().unwrap_or("Your verification link").to_owned()),
        body: body.as_deref().unwrap_or(default).to_owned(),
    }
}

/// Returns the text of an invitation, with placeholders for the user name and the temporary password.
pub(crate) fn invitation(settings: &PoolSettings, contact: Contact) -> MessageText {
    let template = &settings.admin_create_user_config.invite_message_template;
    let body = match contact {
        Contact::Email => &template.email_message,
        Contact::PhoneNumber => &template.sms_message,
    };
    let body =
        body.as_deref().unwrap_or("Your username is {username} and temporary password is {####}.");
    let subject = template.email_subject.as_deref().unwrap_or("Your temporary password");
    MessageText {
        subject: (contact == Contact::Email).then(|| subject.to_owned()),
        body: body.to_owned(),
    }
}

/// Returns the text of a message with a code that is a second factor.
pub(crate) fn sign_in_text(contact: Contact) -> MessageText {
    MessageText {
        subject: (contact == Contact::Email).then(|| "Your authentication code".to_owned()),
        body: "Your authentication code is {####}.".to_owned(),
    }
}

/// Adds a message for a user to the list, and returns where it was sent.
pub(crate) fn send(data: &mut Data, user: &User, draft: &Draft<'_>, now: u64) -> CodeDelivery {
    let attribute = draft.contact.attribute();
    let destination = user.attribute(attribute).unwrap_or_default();
    let number = data.messages.iter().next_back().and_then(|(key, _)| key.parse::<u64>().ok());
    let key = format!("{:012}", number.map_or(0, |number| number + 1));
    let body = match draft.link {
        Some(address) => with_links(draft.body, address),
        None => draft.body.to_owned(),
    };
    data.messages.insert(
        key,
        Message {
            username: user.username.clone(),
            medium: draft.contact.medium().to_owned(),
            destination: destination.to_owned(),
            subject: draft.subject.map(str::to_owned),
            body: body.replace(PLACE_OF_CODE, draft.code.unwrap_or_default()),
            code: draft.code.map(str::to_owned),
            link: draft.link.map(str::to_owned),
            at: now,
        },
    );
    let oldest = data.messages.iter().next().map(|(key, _)| key.to_owned());
    if let (Some(oldest), true) = (oldest, data.messages.len() > MAX_MESSAGES) {
        data.messages.remove(&oldest);
    }
    CodeDelivery::new(draft.contact, destination)
}

impl CodeDelivery {
    /// Creates a delivery, and masks its destination.
    pub(crate) fn new(contact: Contact, destination: &str) -> Self {
        Self { contact, destination: masked(contact, destination) }
    }
}

/// Masks a destination, for example as `j***@e***` or `+*******9934`.
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
