use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// An attribute that users of a pool can have.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AttributeSchema {
    /// Without the prefix `custom:`.
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) attribute_data_type: AttributeType,
    #[serde(default = "yes")]
    pub(crate) mutable: bool,
    #[serde(default)]
    pub(crate) required: bool,
    #[serde(default)]
    pub(crate) developer_only_attribute: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) string_attribute_constraints: Option<StringConstraints>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) number_attribute_constraints: Option<NumberConstraints>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum AttributeType {
    #[default]
    String,
    Number,
    DateTime,
    Boolean,
}

/// Bounds are numbers or, as the API and Terraform write them, texts of numbers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct StringConstraints {
    pub(crate) min_length: Option<Bound>,
    pub(crate) max_length: Option<Bound>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct NumberConstraints {
    pub(crate) min_value: Option<Bound>,
    pub(crate) max_value: Option<Bound>,
}

/// A bound, written as a text as the API does.
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

impl AttributeSchema {
    /// A standard attribute that the pool says nothing of.
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

    /// The name that the API and tokens use: custom attributes have the prefix `custom:`.
    pub(crate) fn full_name(&self) -> String {
        let is_standard = STANDARD_ATTRIBUTES.iter().any(|(name, _)| *name == self.name);
        if is_standard || self.name.starts_with("custom:") {
            self.name.clone()
        } else if self.developer_only_attribute {
            format!("dev:custom:{}", self.name)
        } else {
            format!("custom:{}", self.name)
        }
    }

    /// As the API tells it.
    pub(crate) fn described(&self) -> Value {
        let mut written = json!({
            "Name": self.full_name(),
            "AttributeDataType": self.attribute_data_type,
            "DeveloperOnlyAttribute": self.developer_only_attribute,
            "Mutable": self.mutable,
            "Required": self.required,
        });
        let text = |bound: Option<Bound>| json!(bound.map(|Bound(number)| number.to_string()));
        let (name, bounds) = match self.attribute_data_type {
            AttributeType::String => {
                let bounds = self.string_attribute_constraints.clone().unwrap_or_default();
                let bounds = [("MinLength", bounds.min_length), ("MaxLength", bounds.max_length)];
                ("StringAttributeConstraints", bounds)
            }
            AttributeType::Number => {
                let bounds = self.number_attribute_constraints.clone().unwrap_or_default();
                let bounds = [("MinValue", bounds.min_value), ("MaxValue", bounds.max_value)];
                ("NumberAttributeConstraints", bounds)
            }
            AttributeType::DateTime | AttributeType::Boolean => return written,
        };
        let set = bounds.into_iter().filter(|(_, bound)| bound.is_some());
        let bounds: Map<_, _> = set.map(|(name, bound)| (name.to_owned(), text(bound))).collect();
        if let Value::Object(written) = &mut written {
            written.insert(name.to_owned(), Value::Object(bounds));
        }
        written
    }

    /// Why a value cannot be this attribute's, in words after the attribute's name.
    pub(crate) fn violation(&self, value: &str) -> Option<String> {
        let length = value.chars().count();
        match self.attribute_data_type {
            AttributeType::String => {
                let bounds = self.string_attribute_constraints.clone().unwrap_or_default();
                let [least, most] = [bounds.min_length, bounds.max_length]
                    .map(|bound| bound.and_then(Bound::as_length));
                if least.is_some_and(|least| length < least) {
                    return Some(
                        "String must be longer than or equal to its minimum length".into(),
                    );
                }
                if length > most.unwrap_or(MAX_VALUE) {
                    return Some(
                        "String must be shorter than or equal to its maximum length".into(),
                    );
                }
                self.format_violation(value)
            }
            AttributeType::Number => {
                let bounds = self.number_attribute_constraints.clone().unwrap_or_default();
                let Ok(number) = value.parse::<f64>() else {
                    return Some("Attribute value must be a number".into());
                };
                let below = bounds.min_value.is_some_and(|Bound(least)| number < least);
                let above = bounds.max_value.is_some_and(|Bound(most)| number > most);
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

impl Bound {
    /// A whole number as a bound.
    pub(crate) fn of(number: i64) -> Option<Self> {
        number.to_string().parse().ok().map(Self)
    }

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
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Number(f64),
            Text(String),
        }
        match Written::deserialize(deserializer)? {
            Written::Number(number) => Ok(Self(number)),
            Written::Text(text) => text
                .parse()
                .map(Self)
                .map_err(|_| serde::de::Error::custom(format!("`{text}` is not a number"))),
        }
    }
}

fn yes() -> bool {
    true
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

/// E.164: a plus sign and up to fifteen digits.
fn is_phone_number(text: &str) -> bool {
    text.strip_prefix('+').is_some_and(|digits| {
        (2..=15).contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_digit())
    })
}
