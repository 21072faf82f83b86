use std::{fmt, ops::RangeInclusive};

use serde::{
    Deserialize, Serialize,
    de::{self, Unexpected, Visitor},
};

use crate::model::settings::violation::{Violation, check_range};

/// An attribute that users of a pool can have.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "AttributeInput")]
pub(crate) struct AttributeSchema {
    /// The name. A custom attribute has the prefix `custom:` here only if a standard attribute has the same name.
    pub(crate) name: String,
    pub(crate) attribute_data_type: AttributeType,
    pub(crate) mutable: bool,
    pub(crate) required: bool,
    pub(crate) developer_only_attribute: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) string_attribute_constraints: Option<StringConstraints>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) number_attribute_constraints: Option<NumberConstraints>,
}

/// An attribute that is added to a pool. It is always a custom attribute, also if a standard attribute has its name.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(from = "AttributeInput")]
pub(crate) struct CustomAttribute(pub(crate) AttributeSchema);

/// An attribute in a configuration or a request. The defaults depend on the name: a standard attribute has a fixed type.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AttributeInput {
    name: String,
    attribute_data_type: Option<AttributeType>,
    mutable: Option<bool>,
    #[serde(default)]
    required: bool,
    #[serde(default)]
    developer_only_attribute: bool,
    string_attribute_constraints: Option<StringConstraints>,
    number_attribute_constraints: Option<NumberConstraints>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum AttributeType {
    #[default]
    String,
    Number,
    DateTime,
    Boolean,
}

/// The bounds of a string. The API and Terraform write bounds as texts, but numbers are also accepted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct StringConstraints {
    pub(crate) min_length: Option<Bound>,
    pub(crate) max_length: Option<Bound>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct NumberConstraints {
    pub(crate) min_value: Option<Bound>,
    pub(crate) max_value: Option<Bound>,
}

/// A bound. It is serialized as a text, as in the API.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Bound(pub(crate) f64);

/// The standard attributes (OpenID Connect Core 1.0, section 5.1), and whether they can change.
pub(crate) const STANDARD_ATTRIBUTES: [(&str, bool); 20] = [
    ("sub", false),
    ("name", true),
    ("given_name", true),
    ("family_name", true),
    ("middle_name", true),
    ("nickname", true),
    ("preferred_username", true),
    ("profile", true),
    ("picture", true),
    ("website", true),
    ("email", true),
    ("email_verified", true),
    ("gender", true),
    ("birthdate", true),
    ("zoneinfo", true),
    ("locale", true),
    ("phone_number", true),
    ("phone_number_verified", true),
    ("address", true),
    ("updated_at", true),
];

/// The longest value of an attribute.
const MAX_VALUE: usize = 2048;

/// The longest name of an attribute.
const MAX_NAME: usize = 20;

/// The prefix of the full names of custom attributes.
const PREFIX: &str = "custom:";

impl AttributeSchema {
    /// Returns the default schema of a standard attribute.
    pub(crate) fn standard(name: &str) -> Option<Self> {
        let (name, mutable) = STANDARD_ATTRIBUTES.iter().find(|(known, _)| *known == name)?;
        let attribute_data_type = match *name {
            "email_verified" | "phone_number_verified" => AttributeType::Boolean,
            "updated_at" => AttributeType::Number,
            _ => AttributeType::String,
        };
        Some(Self {
            name: (*name).to_owned(),
            attribute_data_type,
            mutable: *mutable,
            required: false,
            developer_only_attribute: false,
            string_attribute_constraints: None,
            number_attribute_constraints: None,
        })
    }

    /// Returns whether every pool has the attribute.
    pub(crate) fn is_standard(&self) -> bool {
        STANDARD_ATTRIBUTES.iter().any(|(name, _)| *name == self.name)
    }

    /// Returns the name without the prefix `custom:`.
    fn bare_name(&self) -> &str {
        self.name.strip_prefix(PREFIX).unwrap_or(&self.name)
    }

    /// Checks Cognito's rules for attributes.
    pub(crate) fn validate(&self) -> Result<(), Violation> {
        let name = self.bare_name();
        let fits = |c: char| !c.is_whitespace() && !c.is_control() && c != ':';
        if !(1..=MAX_NAME).contains(&name.chars().count()) || !name.chars().all(fits) {
            let message = format!("expected 1 to {MAX_NAME} characters without spaces and colons");
            return Err(Violation::new("name", message));
        }
        let standard = Self::standard(&self.name);
        if standard.is_some_and(|one| one.attribute_data_type != self.attribute_data_type) {
            let message = format!("You can not change AttributeDataType of {name}");
            return Err(Violation::new("attribute_data_type", message));
        }
        if self.required && !self.is_standard() {
            return Err(Violation::new(
                "required",
                "Required custom attributes are not supported currently.",
            ));
        }
        if let Some(StringConstraints { min_length, max_length }) =
            self.string_attribute_constraints
        {
            let path = "string_attribute_constraints";
            self.check_type(path, AttributeType::String)?;
            let bounds = [("min_length", min_length), ("max_length", max_length)];
            check_bounds(bounds, &(0..=2048)).map_err(|violation| violation.within(path))?;
        }
        if let Some(NumberConstraints { min_value, max_value }) = self.number_attribute_constraints
        {
            let path = "number_attribute_constraints";
            self.check_type(path, AttributeType::Number)?;
            let bounds = [("min_value", min_value), ("max_value", max_value)];
            check_bounds(bounds, &(i64::MIN..=i64::MAX))
                .map_err(|violation| violation.within(path))?;
        }
        Ok(())
    }

    fn check_type(&self, path: &str, expected: AttributeType) -> Result<(), Violation> {
        if self.attribute_data_type == expected {
            return Ok(());
        }
        Err(Violation::new(path, format!("allowed for attributes of the type {expected:?} only")))
    }

    /// Returns the name that the API and tokens use. Custom attributes have the prefix `custom:`.
    pub(crate) fn full_name(&self) -> String {
        if self.is_standard() {
            self.name.clone()
        } else if self.developer_only_attribute {
            format!("dev:{PREFIX}{}", self.bare_name())
        } else {
            format!("{PREFIX}{}", self.bare_name())
        }
    }

    /// Returns Cognito's message for an invalid value, to be written after the attribute's name, or `None`.
    pub(crate) fn violation(&self, value: &str) -> Option<String> {
        let length = value.chars().count();
        match self.attribute_data_type {
            AttributeType::String => {
                let bounds = self.string_attribute_constraints.unwrap_or_default();
                let [min, max] = [bounds.min_length, bounds.max_length]
                    .map(|bound| bound.and_then(Bound::as_length));
                if min.is_some_and(|min| length < min) {
                    return Some(
                        "String must be longer than or equal to its minimum length".into(),
                    );
                }
                if length > max.unwrap_or(MAX_VALUE) {
                    return Some(
                        "String must be shorter than or equal to its maximum length".into(),
                    );
                }
                self.format_violation(value)
            }
            AttributeType::Number => {
                let bounds = self.number_attribute_constraints.unwrap_or_default();
                // Rust also parses `NaN`, `inf` and `1e5`, which Cognito rejects.
                let is_plain =
                    value.bytes().all(|byte| byte.is_ascii_digit() || b"+-.".contains(&byte));
                let Some(number) = value.parse::<f64>().ok().filter(|_| is_plain) else {
                    return Some("Attribute value must be a number".into());
                };
                let below = bounds.min_value.is_some_and(|Bound(min)| number < min);
                let above = bounds.max_value.is_some_and(|Bound(max)| number > max);
                (below || above).then(|| "Attribute value is out of range".into())
            }
            AttributeType::Boolean => (!matches!(value, "true" | "false"))
                .then(|| "Attribute value must be true or false".into()),
            AttributeType::DateTime => {
                (length > MAX_VALUE).then(|| "Attribute value is too long".into())
            }
        }
    }

    fn format_violation(&self, value: &str) -> Option<String> {
        let wrong = match self.name.as_str() {
            "email" => !is_email(value),
            "phone_number" => {
                return (!is_phone_number(value)).then(|| "Invalid phone number format.".into());
            }
            "birthdate" => value.len() != 10,
            _ => false,
        };
        wrong.then(|| {
            format!(
                "Invalid {} format.",
                if self.name == "email" { "email address" } else { &self.name }
            )
        })
    }
}

impl From<AttributeInput> for AttributeSchema {
    fn from(input: AttributeInput) -> Self {
        let name = match input.name.strip_prefix(PREFIX) {
            Some(name) if Self::standard(name).is_none() => name.to_owned(),
            _ => input.name,
        };
        let standard = Self::standard(&name);
        let (data_type, mutable) = standard
            .map_or((AttributeType::String, true), |one| (one.attribute_data_type, one.mutable));
        Self {
            name,
            attribute_data_type: input.attribute_data_type.unwrap_or(data_type),
            mutable: input.mutable.unwrap_or(mutable),
            required: input.required,
            developer_only_attribute: input.developer_only_attribute,
            string_attribute_constraints: input.string_attribute_constraints,
            number_attribute_constraints: input.number_attribute_constraints,
        }
    }
}

impl From<AttributeInput> for CustomAttribute {
    fn from(mut input: AttributeInput) -> Self {
        if !input.name.starts_with(PREFIX) {
            input.name.insert_str(0, PREFIX);
        }
        Self(input.into())
    }
}

impl Bound {
    fn as_length(self) -> Option<usize> {
        format!("{:.0}", self.0).parse().ok()
    }
}

impl Serialize for Bound {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Bound {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(BoundVisitor)
    }
}

struct BoundVisitor;

impl Visitor<'_> for BoundVisitor {
    type Value = Bound;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number")
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Bound, E> {
        self.visit_string(number.to_string())
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Bound, E> {
        self.visit_string(number.to_string())
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Bound, E> {
        Ok(Bound(number))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Bound, E> {
        let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
        number.map(Bound).ok_or_else(|| E::invalid_type(Unexpected::Str(text), &self))
    }
}

/// Checks the lower and the upper bound of a constraint.
fn check_bounds(
    bounds: [(&str, Option<Bound>); 2],
    allowed: &RangeInclusive<i64>,
) -> Result<(), Violation> {
    for (name, bound) in bounds {
        if let Some(Bound(number)) = bound {
            let Ok(number) = format!("{number}").parse::<i64>() else {
                return Err(Violation::new(name, format!("expected an integer, found {number}")));
            };
            check_range(name, number, allowed.clone())?;
        }
    }
    let [(low_name, low), (high_name, high)] = bounds;
    match (low, high) {
        (Some(Bound(low)), Some(Bound(high))) if low > high => {
            let message = format!("expected at least {low}, the value of {low_name}, found {high}");
            Err(Violation::new(high_name, message))
        }
        _ => Ok(()),
    }
}

fn is_email(text: &str) -> bool {
    let Some((user, host)) = text.rsplit_once('@') else {
        return false;
    };
    !user.is_empty()
        && !host.is_empty()
        && !text.contains(char::is_whitespace)
        && !host.starts_with('.')
        && !host.ends_with('.')
}

/// Returns whether a text has the format of E.164: a plus sign and up to 15 digits.
fn is_phone_number(text: &str) -> bool {
    text.strip_prefix('+').is_some_and(|digits| {
        (2..=15).contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_digit())
    })
}
