//! Checks input against the service model. Reports broken constraints with Cognito's messages.

use serde_json::Value;

use crate::{
    error::{self, BrokenConstraint, Error, first_lowercase},
    service_model::table::{Kind, MODEL, Member, Operation, Pattern, Shape},
};

/// The maximum number of broken constraints in one error.
const MAX_REPORTED: usize = 100;

/// Checks the whole input of an operation.
///
/// # Errors
/// `SerializationException` for a value of another type, otherwise `InvalidParameterException` with all broken
/// constraints.
pub(crate) fn check(operation: &Operation, input: &Value) -> Result<(), Error> {
    let mut broken = BrokenConstraints::default();
    broken.check_members(&operation.members, input, "", false)?;
    broken.into_result()
}

/// Checks a string against a shape of the model.
pub(crate) fn check_text(shape: &str, member: &str, text: &str) -> Result<(), Error> {
    let mut broken = BrokenConstraints::default();
    if let Some(shape) = MODEL.shape(shape) {
        broken.check_value(shape, &Value::from(text), member, false)?;
    }
    broken.into_result()
}

#[derive(Default)]
struct BrokenConstraints(Vec<BrokenConstraint>);

impl BrokenConstraints {
    fn check_members(
        &mut self,
        members: &[Member],
        value: &Value,
        path: &str,
        is_secret: bool,
    ) -> Result<(), Error> {
        let object = value.as_object().ok_or_else(Error::wrong_type)?;
        for member in members {
            let name = first_lowercase(member.name);
            let path = if path.is_empty() { name } else { format!("{path}.{name}") };
            match (object.get(member.name), MODEL.shape_of(member)) {
                (None | Some(Value::Null), _) if member.is_required => {
                    self.add(BrokenConstraint::missing(&path));
                }
                (None | Some(Value::Null), _) | (_, None) => {}
                (Some(value), Some(shape)) => self.check_value(shape, value, &path, is_secret)?,
            }
        }
        Ok(())
    }

    fn check_value(
        &mut self,
        shape: &Shape,
        value: &Value,
        path: &str,
        is_secret: bool,
    ) -> Result<(), Error> {
        check_type(shape, value)?;
        let is_secret = is_secret || shape.is_secret;
        let quoted = if is_secret { String::new() } else { quote(value) };
        if value.as_str().is_some_and(|text| is_exempt(shape, text)) {
            return Ok(());
        }
        for constraint in constraints(shape).filter(|constraint| !constraint.allows(value)) {
            self.add(BrokenConstraint::new(&quoted, path, &constraint.text()));
        }
        match (&shape.kind, value) {
            (Kind::Structure(members), _) => self.check_members(members, value, path, is_secret),
            (Kind::List { item }, Value::Array(items)) => {
                let numbered =
                    (1_usize..).zip(items).map(|(number, item)| (number.to_string(), item));
                self.check_parts(item, numbered, path, (&quoted, is_secret), "Member must")
            }
            (Kind::Map { key, value: part }, Value::Object(entries)) => {
                let keys: Vec<_> = entries.keys().map(|key| Value::from(key.as_str())).collect();
                let keys = keys.iter().map(|key| (String::new(), key));
                self.check_parts(key, keys, path, (&quoted, is_secret), "Map keys must")?;
                // Clients send null for absent entries.
                let present = entries.iter().filter(|(_, value)| !value.is_null());
                let values = present.map(|(key, value)| (key.clone(), value));
                self.check_parts(part, values, path, (&quoted, is_secret), "Map value must")
            }
            _ => Ok(()),
        }
    }

    /// Checks the items of a list, or the keys or values of a map. Each broken member of a structure is reported. For other
    /// parts, one report names the list or map and all constraints of its parts.
    fn check_parts<'a>(
        &mut self,
        shape: &str,
        parts: impl Iterator<Item = (String, &'a Value)>,
        path: &str,
        (quoted, is_secret): (&str, bool),
        subject: &str,
    ) -> Result<(), Error> {
        let Some(shape) = MODEL.shape(shape) else { return Ok(()) };
        let mut is_broken = false;
        for (name, part) in parts {
            if matches!(shape.kind, Kind::Structure(_)) {
                self.check_value(shape, part, &format!("{path}.{name}.member"), is_secret)?;
            } else {
                check_type(shape, part)?;
                is_broken |= !constraints(shape).all(|constraint| constraint.allows(part));
            }
        }
        if is_broken {
            let all: Vec<_> = constraints(shape).map(|constraint| constraint.text()).collect();
            let constraint = format!("{subject} satisfy constraint: [{}]", all.join(", "));
            self.add(BrokenConstraint::new(quoted, path, &constraint));
        }
        Ok(())
    }

    fn add(&mut self, broken: BrokenConstraint) {
        if self.0.len() < MAX_REPORTED {
            self.0.push(broken);
        }
    }

    fn into_result(self) -> Result<(), Error> {
        if self.0.is_empty() { Ok(()) } else { Err(Error::broken_constraints(self.0)) }
    }
}

/// A constraint on one value.
enum Constraint<'a> {
    Pattern(&'a Pattern),
    Words(&'a [&'static str]),
    Max(i64, Measure),
    Min(i64, Measure),
}

/// The measure that the bounds of a shape limit.
#[derive(Clone, Copy)]
enum Measure {
    Length,
    Value,
}

impl Constraint<'_> {
    fn allows(&self, value: &Value) -> bool {
        match (self, value.as_str()) {
            (Self::Pattern(pattern), Some(text)) => pattern.matches(text),
            (Self::Words(words), Some(text)) => words.contains(&text),
            (Self::Max(max, _), _) => size(value) <= *max,
            (Self::Min(min, _), _) => size(value) >= *min,
            (Self::Pattern(_) | Self::Words(_), None) => true,
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Pattern(pattern) => {
                format!("Member must satisfy regular expression pattern: {}", pattern.text)
            }
            Self::Words(words) => {
                format!("Member must satisfy enum value set: [{}]", words.join(", "))
            }
            Self::Max(max, measure) => {
                format!("Member must have {} less than or equal to {max}", measure.word())
            }
            Self::Min(min, measure) => {
                format!("Member must have {} greater than or equal to {min}", measure.word())
            }
        }
    }
}

impl Measure {
    fn word(self) -> &'static str {
        match self {
            Self::Length => "length",
            Self::Value => "value",
        }
    }
}

fn constraints(shape: &Shape) -> impl Iterator<Item = Constraint<'_>> {
    let measure = match shape.kind {
        Kind::Integer => Measure::Value,
        _ => Measure::Length,
    };
    let words = Some(shape.words.as_slice()).filter(|words| !words.is_empty());
    let pattern = shape.pattern.as_ref().map(Constraint::Pattern);
    let max = shape.max.map(|max| Constraint::Max(max, measure));
    let min = shape.min.map(|min| Constraint::Min(min, measure));
    [pattern, words.map(Constraint::Words), max, min].into_iter().flatten()
}

/// Returns the length of a string in characters, the value of a number, or the number of items.
fn size(value: &Value) -> i64 {
    let count = match value {
        Value::Number(number) => return number.as_i64().unwrap_or_default(),
        Value::String(text) => text.chars().count(),
        Value::Array(items) => items.len(),
        Value::Object(entries) => entries.len(),
        Value::Null | Value::Bool(_) => 0,
    };
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn check_type(shape: &Shape, value: &Value) -> Result<(), Error> {
    let fits = match shape.kind {
        Kind::String => value.is_string(),
        Kind::Integer => value.as_i64().is_some_and(|number| i32::try_from(number).is_ok()),
        Kind::Boolean => value.is_boolean(),
        Kind::List { .. } => value.is_array(),
        Kind::Map { .. } | Kind::Structure(_) => value.is_object(),
    };
    if fits { Ok(()) } else { Err(Error::wrong_type()) }
}

/// Returns whether a string is exempt from the bounds.
fn is_exempt(shape: &Shape, text: &str) -> bool {
    let is_url = text.starts_with("http://") || text.starts_with("https://");
    (shape.accepts_blank && text.is_empty()) || (shape.accepts_url && is_url)
}

/// Returns a value as errors quote it, with a space before it. Structures and long values are not quoted.
fn quote(value: &Value) -> String {
    let text = match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Array(items) => {
            let items: Option<Vec<_>> = items.iter().map(Value::as_str).collect();
            items.map(|items| format!("[{}]", items.join(", ")))
        }
        Value::Object(entries) => {
            let pair = |(key, value): (&String, &Value)| Some(format!("{key}={}", value.as_str()?));
            let pairs: Option<Vec<_>> = entries.iter().map(pair).collect();
            pairs.map(|pairs| format!("{{{}}}", pairs.join(", ")))
        }
        Value::Null | Value::Bool(_) => None,
    };
    text.map_or_else(String::new, |text| error::quoted(&text))
}
