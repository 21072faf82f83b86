//! Finds the claim that does not fit a type, after the payload could not be decoded.
//!
//! `serde_json` reports such an error as text that can quote the payload. This deserializer decodes the payload once
//! more, and keeps only what is from the service's code: the names of fields, and what their types expect.

use std::{
    any::TypeId,
    collections::BTreeSet,
    fmt,
    sync::{Mutex, PoisonError},
};

use serde::{
    Deserializer,
    de::{
        DeserializeOwned, DeserializeSeed, Error, Expected, IntoDeserializer, MapAccess, SeqAccess,
        Unexpected, Visitor,
        value::{MapAccessDeserializer, StrDeserializer},
    },
    forward_to_deserialize_any,
};
use serde_json::{Map, Value};

use crate::{
    claims::token_use::TokenUse,
    error::{AuthError, AuthErrorKind},
};

/// The first claim that does not fit a type. It contains no value of the token.
#[derive(Debug)]
struct Mismatch {
    /// From the innermost step to the outermost.
    path: Vec<Step>,
    problem: Problem,
}

#[derive(Debug)]
enum Step {
    /// A field of a struct, by the name in the service's code.
    Field(&'static str),
    /// An entry of a map. Its name is not kept, because it is from the token.
    Entry,
    Element(usize),
}

#[derive(Debug)]
enum Problem {
    Missing,
    Expected(String),
    /// A deserializer in the service's code rejected the value. Its message may contain the value.
    Rejected,
}

/// The standard attributes (OpenID Connect Core, section 5.1), and the accounts of federated users.
const ATTRIBUTES: [&str; 20] = [
    "address",
    "birthdate",
    "email",
    "email_verified",
    "family_name",
    "gender",
    "given_name",
    "identities",
    "locale",
    "middle_name",
    "name",
    "nickname",
    "phone_number",
    "phone_number_verified",
    "picture",
    "preferred_username",
    "profile",
    "updated_at",
    "website",
    "zoneinfo",
];

/// Why an attribute is missing, and what to do.
const NO_ATTRIBUTES: &str = "an access token contains no user attributes unless a pre-token-generation trigger (version 2 \
                             or later) adds them: accept ID tokens on this route, or let the trigger add the claim";

/// Creates the error for a payload that does not fit `T`. Logs it at `warn` once for each type, so that a mistake of the
/// service is noticed and clients cannot fill the log.
pub(super) fn wrong_shape<T: DeserializeOwned + 'static>(
    payload: &str,
    token_use: TokenUse,
) -> AuthError {
    let mismatch = match find_mismatch::<T>(payload) {
        Some(mismatch) if token_use == TokenUse::Access && mismatch.is_missing_attribute() => {
            format!("{mismatch}; {NO_ATTRIBUTES}")
        }
        Some(mismatch) => mismatch.to_string(),
        None => String::from("the claims do not fit the type"),
    };
    let expected = std::any::type_name::<T>();
    let text = "the claims of a token do not fit the expected type";
    if is_first_report::<T>() {
        tracing::warn!(expected, "{text}: {mismatch} (logged once)");
    } else {
        tracing::debug!(expected, "{text}: {mismatch}");
    }
    let detail = "the token's claims do not have the shape that this route requires";
    AuthError::new(AuthErrorKind::ClaimsShape, detail).with_claims_mismatch(mismatch)
}

/// Returns the first claim of a payload that does not fit `T`, if it can be found.
fn find_mismatch<T: DeserializeOwned>(payload: &str) -> Option<Mismatch> {
    let payload: Value = serde_json::from_str(payload).ok()?;
    T::deserialize(Probe(&payload)).err()
}

/// Returns whether no mismatch with this type was reported before in this process.
fn is_first_report<T: 'static>() -> bool {
    static REPORTED: Mutex<BTreeSet<TypeId>> = Mutex::new(BTreeSet::new());
    REPORTED.lock().unwrap_or_else(PoisonError::into_inner).insert(TypeId::of::<T>())
}

impl Mismatch {
    fn new(problem: Problem) -> Self {
        Self { path: Vec::new(), problem }
    }

    fn at(mut self, step: Step) -> Self {
        self.path.push(step);
        self
    }

    /// Returns whether the claim is missing and has the name of a user attribute.
    fn is_missing_attribute(&self) -> bool {
        match (&self.problem, self.path.as_slice()) {
            (Problem::Missing, [Step::Field(name)]) => {
                let is_custom = name.starts_with("custom:") || name.starts_with("dev:");
                is_custom || ATTRIBUTES.contains(name)
            }
            _ => false,
        }
    }
}

/// Writes the path and the problem, such as "`address.lines[2]`: expected a string".
impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() {
            f.write_str("the claims")?;
        } else {
            f.write_str("`")?;
            for (position, step) in self.path.iter().rev().enumerate() {
                match step {
                    Step::Element(index) => write!(f, "[{index}]")?,
                    Step::Field(_) | Step::Entry if position > 0 => f.write_str(".")?,
                    Step::Field(_) | Step::Entry => {}
                }
                match step {
                    Step::Field(name) => f.write_str(name)?,
                    Step::Entry => f.write_str("*")?,
                    Step::Element(_) => {}
                }
            }
            f.write_str("`")?;
        }
        match &self.problem {
            Problem::Missing => f.write_str(" is missing"),
            Problem::Expected(expected) => write!(f, ": expected {expected}"),
            Problem::Rejected => f.write_str(": the type's own deserializer rejected the value"),
        }
    }
}

impl std::error::Error for Mismatch {}

impl Error for Mismatch {
    fn custom<M: fmt::Display>(_: M) -> Self {
        Self::new(Problem::Rejected)
    }

    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(Problem::Expected(expected.to_string()))
    }

    fn invalid_value(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(Problem::Expected(expected.to_string()))
    }

    fn invalid_length(_: usize, expected: &dyn Expected) -> Self {
        Self::new(Problem::Expected(expected.to_string()))
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        Self::new(Problem::Expected(format!("one of {expected:?}")))
    }

    fn unknown_field(_: &str, expected: &'static [&'static str]) -> Self {
        Self::new(Problem::Expected(format!("no member but {expected:?}")))
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(Problem::Missing).at(Step::Field(field))
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self::new(Problem::Expected("a single value".to_owned())).at(Step::Field(field))
    }
}

/// Deserializes a JSON value, as `serde_json` does, with [`Mismatch`] as its error.
struct Probe<'de>(&'de Value);

impl<'de> Probe<'de> {
    fn visit_object<V: Visitor<'de>>(
        object: &'de Map<String, Value>,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        visitor.visit_map(Members { members: object.iter(), value: None, fields })
    }
}

impl<'de> Deserializer<'de> for Probe<'de> {
    type Error = Mismatch;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bool(flag) => visitor.visit_bool(*flag),
            Value::Number(number) => {
                if let Some(number) = number.as_u64() {
                    visitor.visit_u64(number)
                } else if let Some(number) = number.as_i64() {
                    visitor.visit_i64(number)
                } else {
                    visitor.visit_f64(number.as_f64().unwrap_or_default())
                }
            }
            Value::String(text) => visitor.visit_borrowed_str(text),
            Value::Array(elements) => {
                visitor.visit_seq(Elements { elements: elements.iter().enumerate() })
            }
            Value::Object(object) => Self::visit_object(object, &[], visitor),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        match self.0 {
            Value::Object(object) => Self::visit_object(object, fields, visitor),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        match self.0 {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        match self.0 {
            Value::String(text) => {
                let text: StrDeserializer<'_, Mismatch> = text.as_str().into_deserializer();
                visitor.visit_enum(text)
            }
            Value::Object(object) => {
                let members = Members { members: object.iter(), value: None, fields: &[] };
                visitor.visit_enum(MapAccessDeserializer::new(members))
            }
            _ => self.deserialize_any(visitor),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map identifier ignored_any
    }
}

struct Members<'de> {
    members: serde_json::map::Iter<'de>,
    /// The value of the name that was read last, and the step to it.
    value: Option<(&'de Value, Step)>,
    /// The names that the service's code expects. Empty for a map.
    fields: &'static [&'static str],
}

impl<'de> MapAccess<'de> for Members<'de> {
    type Error = Mismatch;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Mismatch> {
        let Some((name, value)) = self.members.next() else { return Ok(None) };
        let field = self.fields.iter().find(|field| *field == name);
        self.value = Some((value, field.map_or(Step::Entry, |field| Step::Field(field))));
        let name: StrDeserializer<'_, Mismatch> = name.as_str().into_deserializer();
        seed.deserialize(name).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Mismatch> {
        let (value, step) = self.value.take().ok_or_else(|| Mismatch::new(Problem::Rejected))?;
        seed.deserialize(Probe(value)).map_err(|mismatch| mismatch.at(step))
    }
}

struct Elements<'de> {
    elements: std::iter::Enumerate<std::slice::Iter<'de, Value>>,
}

impl<'de> SeqAccess<'de> for Elements<'de> {
    type Error = Mismatch;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Mismatch> {
        let Some((index, value)) = self.elements.next() else { return Ok(None) };
        let element = seed.deserialize(Probe(value));
        element.map(Some).map_err(|mismatch| mismatch.at(Step::Element(index)))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[allow(dead_code, reason = "only errors are examined")]
    struct Order {
        id: u32,
        #[serde(default)]
        lines: Vec<Line>,
        #[serde(default)]
        state: Option<State>,
        #[serde(default)]
        totals: HashMap<String, u8>,
        #[serde(default, deserialize_with = "quoting")]
        note: String,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code, reason = "only errors are examined")]
    struct Line {
        #[serde(rename = "custom:sku")]
        sku: String,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "lowercase")]
    #[allow(dead_code, reason = "only errors are examined")]
    enum State {
        Open,
        Paid { at: u64 },
    }

    /// An application's deserializer whose error quotes the value.
    fn quoting<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Err(D::Error::custom(format!("bad note {value}")))
    }

    #[test]
    fn mismatch_has_the_path_and_what_is_expected_and_no_value() {
        for (payload, expected) in [
            (r#"{}"#, "`id` is missing"),
            (r#"{"id":"secret"}"#, "`id`: expected u32"),
            (r#"{"id":-7}"#, "`id`: expected u32"),
            (r#"{"id":1,"lines":{"secret":1}}"#, "`lines`: expected a sequence"),
            (r#"{"id":1,"lines":[{"custom:sku":"a"},{}]}"#, "`lines[1].custom:sku` is missing"),
            (
                r#"{"id":1,"lines":[{"custom:sku":["secret"]}]}"#,
                "`lines[0].custom:sku`: expected a string",
            ),
            (
                r#"{"id":1,"lines":[{"custom:sku":"a","secret":1}]}"#,
                "`lines[0]`: expected no member but [\"custom:sku\"]",
            ),
            (r#"{"id":1,"state":"secret"}"#, "`state`: expected one of [\"open\", \"paid\"]"),
            (r#"{"id":1,"state":{"paid":{"at":"secret"}}}"#, "`state.*.*`: expected u64"),
            (r#"{"id":1,"totals":{"secret":300}}"#, "`totals.*`: expected u8"),
            (
                r#"{"id":1,"note":"secret"}"#,
                "`note`: the type's own deserializer rejected the value",
            ),
        ] {
            assert!(serde_json::from_str::<Order>(payload).is_err(), "{payload}");
            let mismatch = find_mismatch::<Order>(payload).unwrap();
            assert_eq!(mismatch.to_string(), expected, "{payload}");
            assert!(!format!("{mismatch:?}").contains("secret"), "{payload}");
        }
        let payload = r#"{"id":1,"lines":[{"custom:sku":"a"}],"state":"open","totals":{"a":1}}"#;
        assert!(serde_json::from_str::<Order>(payload).is_ok());
        assert!(find_mismatch::<Order>(payload).is_none());
        assert_eq!(
            find_mismatch::<Vec<u8>>("{}").unwrap().to_string(),
            "the claims: expected a sequence"
        );
    }

    #[test]
    fn only_a_missing_attribute_of_the_user_is_a_missing_attribute() {
        #[derive(Debug, Deserialize)]
        #[allow(dead_code, reason = "only errors are examined")]
        struct One<T> {
            #[serde(rename = "email")]
            email: T,
        }
        assert!(find_mismatch::<One<String>>("{}").unwrap().is_missing_attribute());
        let wrong = find_mismatch::<One<u8>>(r#"{"email":"a"}"#).unwrap();
        assert!(!wrong.is_missing_attribute());
        assert!(!find_mismatch::<Order>("{}").unwrap().is_missing_attribute());
        assert!(find_mismatch::<Line>("{}").unwrap().is_missing_attribute());
    }
}
