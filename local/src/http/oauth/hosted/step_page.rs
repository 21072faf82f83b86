//! How steps look.

use axum::response::Response;

use crate::http::{
    html::Escaped,
    oauth::hosted::{
        field::Field,
        page::{Desk, hidden},
        voice,
    },
};

/// The beginning of the names of fields that are attributes.
pub(crate) const ATTRIBUTE: &str = "attribute.";

/// A step as its form carries it.
pub(crate) struct Step<'a> {
    pub(crate) challenge: &'a str,
    pub(crate) session: &'a str,
    pub(crate) username: &'a str,
    /// What its page tells beside: a destination, a list, a secret.
    pub(crate) detail: &'a str,
}

pub(crate) fn page(desk: Desk<'_>, step: &Step<'_>) -> Response {
    let carried = [
        ("challenge", step.challenge),
        ("session", step.session),
        ("user", step.username),
        ("detail", step.detail),
    ]
    .map(|(name, value)| hidden(name, value))
    .concat();
    let code = desk.field(&Field::code());
    let (title, intro, fields, button) = match step.challenge {
        "NEW_PASSWORD_REQUIRED" => (
            "Choose a new password",
            "<p>Your password was a first one. Choose one of your own.</p>".to_owned(),
            new_password(&desk, step.detail),
            "Save and sign in",
        ),
        "SELECT_MFA_TYPE" => {
            ("Prove that it is you", String::new(), choices(step.detail), "Continue")
        }
        "MFA_SETUP" => ("Set up an authenticator app", set_up(&desk, step), code, "Confirm"),
        "SOFTWARE_TOKEN_MFA" => (
            "Enter your code",
            "<p>Your authenticator app shows a code for this account.</p>".to_owned(),
            code,
            "Sign in",
        ),
        _ => {
            let sent = format!("<p>A code was sent to {}.</p>", Escaped(step.detail));
            ("Enter your code", sent, code, "Sign in")
        }
    };
    let form = desk.form("/login/step", &format!("{carried}{fields}"), button);
    let again = desk.link("/login", "Start again");
    desk.page(title, &format!("{intro}{form}<p class=\"links\">{again}</p>"))
}

/// The field of an attribute.
pub(crate) fn attribute_field(desk: &Desk<'_>, name: &str, value: &str) -> String {
    let (kind, autocomplete) = voice::attribute_input(name);
    let (field, label) = (format!("{ATTRIBUTE}{name}"), voice::attribute_label(name));
    let field = Field::new(&field, &label, kind, autocomplete).value(value);
    desk.field(&match kind {
        "tel" => field.hint("With the country's code, as in +14155550100"),
        _ => field,
    })
}

fn new_password(desk: &Desk<'_>, required: &str) -> String {
    let names: Vec<String> = serde_json::from_str(required).unwrap_or_default();
    let hint = voice::password_hint(&voice::settings(desk.asking()));
    let mut fields = desk.field(&Field::new_password("New password", &hint));
    for name in names.iter().filter_map(|name| name.strip_prefix("userAttributes.")) {
        fields.push_str(&attribute_field(desk, name, ""));
    }
    fields
}

fn choices(factors: &str) -> String {
    let factors: Vec<String> = serde_json::from_str(factors).unwrap_or_default();
    let choices: String = [
        ("SOFTWARE_TOKEN_MFA", "Authenticator app"),
        ("SMS_MFA", "Text message"),
        ("EMAIL_OTP", "Email"),
    ]
    .into_iter()
    .filter(|(factor, _)| factors.iter().any(|name| name == factor))
    .map(|(factor, words)| {
        format!(
            "<label class=\"choice\"><input type=\"radio\" name=\"factor\" value=\"{factor}\" required>\
             {words}</label>"
        )
    })
    .collect();
    format!("<fieldset><legend>Get a code by</legend>{choices}</fieldset>")
}

fn set_up(desk: &Desk<'_>, step: &Step<'_>) -> String {
    let settings = voice::settings(desk.asking());
    let name = settings.name.as_str();
    let issuer = encoded(if name.is_empty() { "Local user pool" } else { name });
    let (user, secret) = (encoded(step.username), encoded(step.detail));
    let address = format!("otpauth://totp/{issuer}:{user}?secret={secret}&issuer={issuer}");
    format!(
        "<p>This pool asks for a second factor. Add this key to an authenticator app:</p>\
         <p><code id=\"secret\">{}</code></p>\
         <p>or <a href=\"{address}\">open it in an app on this device</a>:</p>\
         <p class=\"hint\"><code>{address}</code></p>\
         <p>Then enter the code that the app shows.</p>",
        Escaped(step.detail),
        address = Escaped(&address),
    )
}

/// A part of an address: spaces are not written as plus signs there.
fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}
