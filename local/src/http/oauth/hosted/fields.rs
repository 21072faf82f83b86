//! Form fields: their labels, hints and input types.

use std::borrow::Cow;

use maud::{Markup, html};

use crate::{
    http::oauth::{hosted::password_rules::password_rules, parameters::Parameters},
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
    /// What is shown below the input: an element with the ID [`Self::hint_id`].
    hint: Option<Markup>,
    /// A link beside the label.
    link: Option<Markup>,
}

impl<'a> Field<'a> {
    fn new(
        name: impl Into<Cow<'a, str>>,
        label: impl Into<Cow<'a, str>>,
        input_type: &'static str,
        autocomplete: &'static str,
    ) -> Self {
        let (name, label) = (name.into(), label.into());
        Self { name, label, input_type, autocomplete, value: "", hint: None, link: None }
    }

    /// Returns the field for a code of six digits.
    pub(crate) fn code() -> Self {
        Self::new("code", "Code", "text", "one-time-code").text_hint("Six digits")
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

    /// Returns the field for the password, with a link for users who forgot it.
    pub(crate) fn password(link: Markup) -> Self {
        let field = Self::new("password", "Password", "password", "current-password");
        Self { link: Some(link), ..field }
    }

    /// Returns the field for a new password, with the rules of the pool.
    pub(crate) fn new_password(label: &'a str, settings: &PoolSettings) -> Self {
        let field = Self::new("password", label, "password", "new-password");
        let rules = password_rules(&settings.password_policy, &field.name, &field.hint_id());
        Self { hint: Some(rules), ..field }
    }

    /// Returns the field for a user attribute.
    pub(crate) fn attribute(attribute: &str, value: &'a str) -> Self {
        let (input_type, autocomplete) = attribute_input(attribute);
        let (name, label) = (attribute_field_name(attribute), attribute_label(attribute));
        let field = Self::new(name, label, input_type, autocomplete).value(value);
        if input_type == "tel" {
            return field.text_hint("Include the country code, for example +14155550100");
        }
        field
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    fn hint_id(&self) -> String {
        format!("{}-hint", self.name)
    }

    fn text_hint(self, text: &str) -> Self {
        let hint = html! { p class="hint" id=(self.hint_id()) { (text) } };
        Self { hint: Some(hint), ..self }
    }

    fn value(self, value: &'a str) -> Self {
        Self { value, ..self }
    }

    /// Returns the label, the input and the hint. With `has_problem` the input is marked as invalid and has the focus.
    pub(crate) fn render(&self, has_problem: bool) -> Markup {
        let hint_id = self.hint.as_ref().map(|_| self.hint_id());
        let described_by: Vec<_> =
            [has_problem.then_some("problem"), hint_id.as_deref()].into_iter().flatten().collect();
        let described_by = (!described_by.is_empty()).then(|| described_by.join(" "));
        let is_code = self.autocomplete == "one-time-code";
        let is_text = self.input_type == "text" && !is_code;
        html! {
            div class="field" {
                label for=(self.name) { (self.label) }
                input id=(self.name) name=(self.name) type=(self.input_type) autocomplete=(self.autocomplete)
                    value=(self.value) required autofocus[has_problem]
                    class=[is_code.then_some("code")] inputmode=[is_code.then_some("numeric")]
                    autocapitalize=[is_text.then_some("none")] spellcheck=[is_text.then_some("false")]
                    aria-describedby=[described_by] aria-invalid=[has_problem.then_some("true")];
                // After the input, so that the keyboard reaches the input first. The style shows it beside the label.
                @if let Some(link) = &self.link { (link) }
            }
            @if let Some(hint) = &self.hint { (hint) }
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
