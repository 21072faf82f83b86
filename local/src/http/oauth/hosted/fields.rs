//! Form fields: their labels, hints and input types.

use std::borrow::Cow;

use maud::{Markup, html};

use crate::{
    http::oauth::parameters::Parameters,
    model::settings::{Alias, Contact, PoolSettings},
};

/// The prefix of the names of fields that are user attributes.
const ATTRIBUTE_PREFIX: &str = "attribute.";

/// A text field of a form.
pub(crate) struct Field<'a> {
    name: Cow<'a, str>,
    label: Cow<'a, str>,
    /// The attribute `type` of the input.
    input_type: &'static str,
    /// The attribute `autocomplete` of the input.
    autocomplete: &'static str,
    value: &'a str,
    hint: Option<&'a str>,
}

impl<'a> Field<'a> {
    fn new(
        name: impl Into<Cow<'a, str>>,
        label: impl Into<Cow<'a, str>>,
        input_type: &'static str,
        autocomplete: &'static str,
    ) -> Self {
        let (name, label) = (name.into(), label.into());
        Self { name, label, input_type, autocomplete, value: "", hint: None }
    }

    /// Returns the field for a code of six digits.
    pub(crate) fn code() -> Self {
        Self { hint: Some("Six digits"), ..Self::new("code", "Code", "text", "one-time-code") }
    }

    /// Returns the field for the name that users sign in with.
    pub(crate) fn sign_in_name(settings: &PoolSettings, value: &'a str) -> Self {
        let label = match settings.username_attributes.as_slice() {
            [] if settings.alias_attributes.contains(&Alias::Email) => "User name or email",
            _ => user_name_label(settings),
        };
        Self::new("username", label, user_name_type(settings), "username").value(value)
    }

    /// Returns the field for a new user's name.
    pub(crate) fn user_name(settings: &PoolSettings, value: &'a str) -> Self {
        let (label, input_type) = (user_name_label(settings), user_name_type(settings));
        Self::new("username", label, input_type, "username").value(value)
    }

    pub(crate) fn password() -> Self {
        Self::new("password", "Password", "password", "current-password")
    }

    pub(crate) fn new_password(label: &'a str, hint: &'a str) -> Self {
        Self { hint: Some(hint), ..Self::new("password", label, "password", "new-password") }
    }

    /// Returns the field for a user attribute.
    pub(crate) fn attribute(attribute: &str, value: &'a str) -> Self {
        let (input_type, autocomplete) = attribute_input(attribute);
        let hint =
            (input_type == "tel").then_some("Include the country code, for example +14155550100");
        let (name, label) = (attribute_field_name(attribute), attribute_label(attribute));
        Self { hint, value, ..Self::new(name, label, input_type, autocomplete) }
    }

    fn value(self, value: &'a str) -> Self {
        Self { value, ..self }
    }

    /// Returns the label, the input and the hint. With `has_problem` the input is marked as invalid.
    pub(crate) fn render(&self, has_problem: bool) -> Markup {
        let hint_id = self.hint.map(|_| format!("{}-hint", self.name));
        let described_by: Vec<_> =
            [has_problem.then_some("problem"), hint_id.as_deref()].into_iter().flatten().collect();
        let described_by = (!described_by.is_empty()).then(|| described_by.join(" "));
        let is_code = self.autocomplete == "one-time-code";
        let is_text = self.input_type == "text" && !is_code;
        html! {
            label for=(self.name) { (self.label) }
            input id=(self.name) name=(self.name) type=(self.input_type) autocomplete=(self.autocomplete)
                value=(self.value) required
                inputmode=[is_code.then_some("numeric")] maxlength=[is_code.then_some("6")]
                autocapitalize=[is_text.then_some("none")] spellcheck=[is_text.then_some("false")]
                aria-describedby=[described_by] aria-invalid=[has_problem.then_some("true")];
            @if let (Some(hint), Some(id)) = (self.hint, &hint_id) {
                p class="hint" id=(id) { (hint) }
            }
        }
    }
}

/// Returns a hidden field.
pub(crate) fn hidden(name: &str, value: &str) -> Markup {
    html! { input type="hidden" name=(name) value=(value); }
}

/// Returns the user attributes in a form, with their values.
pub(crate) fn attributes(fields: &Parameters) -> impl Iterator<Item = (&str, &str)> {
    fields.with_prefix(ATTRIBUTE_PREFIX).map(|(name, value)| (name, value.trim()))
}

pub(crate) fn attribute_field_name(attribute: &str) -> String {
    format!("{ATTRIBUTE_PREFIX}{attribute}")
}

/// Describes the password policy.
pub(crate) fn password_hint(settings: &PoolSettings) -> String {
    let policy = &settings.password_policy;
    let required: Vec<_> = [
        (policy.require_lowercase, "a lowercase letter"),
        (policy.require_uppercase, "an uppercase letter"),
        (policy.require_numbers, "a digit"),
        (policy.require_symbols, "a symbol"),
    ]
    .into_iter()
    .filter_map(|(is_required, kind)| is_required.then_some(kind))
    .collect();
    let length = format!("At least {} characters", policy.minimum_length);
    match required.as_slice() {
        [] => length,
        [only] => format!("{length}, with {only}"),
        [others @ .., last] => format!("{length}, with {} and {last}", others.join(", ")),
    }
}

fn user_name_label(settings: &PoolSettings) -> &'static str {
    match settings.username_attributes.as_slice() {
        [] => "User name",
        [Contact::Email] => "Email",
        [Contact::PhoneNumber] => "Phone number",
        _ => "Email or phone number",
    }
}

fn user_name_type(settings: &PoolSettings) -> &'static str {
    match settings.username_attributes.as_slice() {
        [Contact::Email] => "email",
        [Contact::PhoneNumber] => "tel",
        _ => "text",
    }
}

fn attribute_label(attribute: &str) -> String {
    let words = attribute.strip_prefix("custom:").unwrap_or(attribute).replace('_', " ");
    let (first, rest) = words.split_at(words.chars().next().map_or(0, char::len_utf8));
    first.to_uppercase() + rest
}

/// Returns the `type` and `autocomplete` of an attribute's input.
fn attribute_input(attribute: &str) -> (&'static str, &'static str) {
    match attribute {
        "email" => ("email", "email"),
        "phone_number" => ("tel", "tel"),
        "birthdate" => ("date", "bday"),
        "name" => ("text", "name"),
        "given_name" => ("text", "given-name"),
        "family_name" => ("text", "family-name"),
        "middle_name" => ("text", "additional-name"),
        "nickname" => ("text", "nickname"),
        "preferred_username" => ("text", "username"),
        "website" => ("url", "url"),
        "address" => ("text", "street-address"),
        _ => ("text", "off"),
    }
}
