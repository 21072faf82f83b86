//! Checks the input of operations against the service model, and reports faults in the words of Cognito.

use serde_json::Value;

use crate::{
    error::ApiError,
    http::api::model::{Kind, MODEL, Member, Operation, Pattern, Shape},
};

/// A longer value is not quoted in the error.
const MAX_QUOTE: usize = 256;

/// The number of faults after which a request is not checked further, so that an error stays small.
const MAX_FAULTS: usize = 100;

/// Checks the whole input of an operation.
///
/// # Errors
/// `SerializationException` for a value of another type, otherwise `InvalidParameterException` with all faults.
pub(crate) fn check(operation: &Operation, input: &Value) -> Result<(), ApiError> {
    let mut faults = Faults::default();
    faults.check_members(&operation.members, input, "", false)?;
    faults.into_result()
}

/// Checks a string that has a type of the model, whether or not it came in a request.
pub(crate) fn check_text(shape: &str, member: &str, text: &str) -> Result<(), ApiError> {
    let mut faults = Faults::default();
    if let Some(shape) = MODEL.shape(shape) {
        faults.check_value(shape, &Value::from(text), member, false)?;
    }
    faults.into_result()
}

/// The error for a value that breaks one constraint, where the constraint is not in the model.
pub(crate) fn broken(member: &str, value: &str, constraint: &str) -> ApiError {
    error_of(vec![fault(&quote(&Value::from(value)), member, constraint)])
}

/// The error for a member that is required and absent.
pub(crate) fn missing(member: &str) -> ApiError {
    error_of(vec![missing_fault(&first_lowercase(member))])
}

#[derive(Default)]
struct Faults(Vec<Fault>);

/// What is wrong with a member.
struct Fault {
    path: String,
    text: String,
}

impl Faults {
    fn check_members(
        &mut self,
        members: &[Member],
        value: &Value,
        path: &str,
        is_secret: bool,
    ) -> Result<(), ApiError> {
        let object = value.as_object().ok_or_else(ApiError::wrong_type)?;
        for member in members {
            let name = first_lowercase(member.name);
            let path = if path.is_empty() { name } else { format!("{path}.{name}") };
            match (object.get(member.name), MODEL.shape_of(member)) {
                (None | Some(Value::Null), _) if member.is_required => {
                    self.add(missing_fault(&path));
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
    ) -> Result<(), ApiError> {
        check_type(shape, value)?;
        let is_secret = is_secret || shape.is_secret;
        let quoted = if is_secret { String::new() } else { quote(value) };
        if value.as_str().is_some_and(|text| is_exempt(shape, text)) {
            return Ok(());
        }
        for constraint in constraints(shape).filter(|constraint| !constraint.allows(value)) {
            self.add(fault(&quoted, path, &constraint.text()));
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
                // Clients send null for entries that they do not have.
                let present = entries.iter().filter(|(_, value)| !value.is_null());
                let values = present.map(|(key, value)| (key.clone(), value));
                self.check_parts(part, values, path, (&quoted, is_secret), "Map value must")
            }
            _ => Ok(()),
        }
    }

    /// Checks the items of a list, or the keys or values of a map. Structures have faults of their own. For other
    /// parts one fault names the whole and all constraints of a part.
    fn check_parts<'a>(
        &mut self,
        shape: &str,
        parts: impl Iterator<Item = (String, &'a Value)>,
        path: &str,
        (quoted, is_secret): (&str, bool),
        subject: &str,
    ) -> Result<(), ApiError> {
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
            self.add(fault(quoted, path, &constraint));
        }
        Ok(())
    }

    fn add(&mut self, fault: Fault) {
        if self.0.len() < MAX_FAULTS {
            self.0.push(fault);
        }
    }

    fn into_result(self) -> Result<(), ApiError> {
        if self.0.is_empty() { Ok(()) } else { Err(error_of(self.0)) }
    }
}

/// A constraint on a value by itself.
enum Constraint<'a> {
    Pattern(&'a Pattern),
    Words(&'a [&'static str]),
    Max(i64, Measure),
    Min(i64, Measure),
}

/// What the bounds of a shape are about.
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

/// The length of a string in characters, the value of a number, or how many items there are.
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

fn check_type(shape: &Shape, value: &Value) -> Result<(), ApiError> {
    let fits = match shape.kind {
        Kind::String => value.is_string(),
        Kind::Integer => value.as_i64().is_some_and(|number| i32::try_from(number).is_ok()),
        Kind::Boolean => value.is_boolean(),
        Kind::List { .. } => value.is_array(),
        Kind::Map { .. } | Kind::Structure(_) => value.is_object(),
    };
    if fits { Ok(()) } else { Err(ApiError::wrong_type()) }
}

/// Whether a string is accepted whatever its bounds are.
fn is_exempt(shape: &Shape, text: &str) -> bool {
    let is_url = text.starts_with("http://") || text.starts_with("https://");
    (shape.accepts_blank && text.is_empty()) || (shape.accepts_url && is_url)
}

/// A value as errors quote it, with a space before it. Structures and long values are not quoted.
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
    match text {
        Some(text) if text.chars().count() <= MAX_QUOTE => format!(" '{text}'"),
        _ => String::new(),
    }
}

fn fault(quoted: &str, path: &str, constraint: &str) -> Fault {
    let text = format!("Value{quoted} at '{path}' failed to satisfy constraint: {constraint}");
    Fault { path: path.to_owned(), text }
}

/// Amplify recognizes that a password is missing by words without `null`.
fn missing_fault(path: &str) -> Fault {
    let quoted = if path.to_ascii_lowercase().ends_with("password") { "" } else { " null" };
    fault(quoted, path, "Member must not be null")
}

fn error_of(faults: Vec<Fault>) -> ApiError {
    let (count, plural) = (faults.len(), if faults.len() == 1 { "" } else { "s" });
    let (faulty, texts): (Vec<_>, Vec<_>) =
        faults.into_iter().map(|fault| (fault.path, fault.text)).unzip();
    let texts = texts.join("; ");
    let message = format!("{count} validation error{plural} detected: {texts}");
    ApiError { faulty, ..ApiError::invalid_parameter(message) }
}

/// A member's name as errors write it.
fn first_lowercase(name: &str) -> String {
    let mut characters = name.chars();
    let first = characters.next().map(|first| first.to_ascii_lowercase());
    first.into_iter().chain(characters).collect()
}
