//! Replaces references to settings of other blocks, such as `${aws_cognito_user_group.staff.name}`, by their values.

use std::collections::BTreeMap;

use crate::config::{
    blocks::Block,
    setting::{Setting, Value},
};

/// A reference to a setting of a labelled block.
pub(crate) struct Reference {
    pub(crate) resource: String,
    pub(crate) label: String,
    attribute: String,
}

impl Reference {
    /// Reads a reference: `aws_cognito_user_pool.main.id`, also as `${…}` and with an index.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let path =
            text.strip_prefix("${").and_then(|path| path.strip_suffix('}')).map_or(text, str::trim);
        let path = without_indexes(path);
        let mut parts = path.split('.').map(str::to_owned);
        let (resource, label, attribute) = (parts.next()?, parts.next()?, parts.next()?);
        let is_reference = resource.starts_with("aws_cognito_") && parts.next().is_none();
        is_reference.then_some(Self { resource, label, attribute })
    }
}

/// The values of the settings of labelled blocks, by resource, label and name.
type Values = BTreeMap<[String; 3], Value>;

/// How many references may follow one another: a reference to a setting that has a reference itself, and so on.
const MAX_CHAIN: usize = 8;

/// The length from which a text gets no more values.
const MAX_LENGTH: usize = 65536;

/// Replaces the references in all blocks. References to anything else stay, and so does `user_pool_id`, which names a
/// pool instead of a value.
pub(crate) fn resolve(blocks: &mut [Block]) {
    let mut values = Values::new();
    for Block { resource, label, setting } in &*blocks {
        let (Some(label), Value::Table(members)) = (label, &setting.value) else { continue };
        let mut add = |name: &str, value: Value| {
            values.insert([(*resource).to_owned(), label.clone(), name.to_owned()], value)
        };
        for (name, member) in members {
            if matches!(member.value, Value::Text(_) | Value::Integer(_)) {
                add(name, member.value.clone());
            }
        }
        if let Some(scopes) = scope_identifiers(setting) {
            add("scope_identifiers", scopes);
        }
    }
    for block in blocks {
        replace(&mut block.setting, &values);
    }
}

/// Returns what Terraform computes for a resource server: its scopes as clients request them.
fn scope_identifiers(server: &Setting) -> Option<Value> {
    let identifier = server.member("identifier")?.text()?;
    let scopes = server.member("scope")?.items().iter().filter_map(|scope| {
        let name = scope.member("scope_name")?;
        let value = Value::Text(format!("{identifier}/{}", name.text()?));
        Some(Setting { value, place: name.place.clone() })
    });
    Some(Value::List(scopes.collect()))
}

fn replace(setting: &mut Setting, values: &Values) {
    match &mut setting.value {
        Value::Text(text) => {
            // The value itself shows a reader which reference has none.
            let value = replaced(text, values, MAX_CHAIN);
            if let Some(value) = value.or_else(|| value_of(text, values).cloned()) {
                setting.value = value;
            }
        }
        Value::List(items) => items.iter_mut().for_each(|item| replace(item, values)),
        Value::Table(members) => members
            .iter_mut()
            .filter(|(name, _)| name != "user_pool_id")
            .for_each(|(_, member)| replace(member, values)),
        _ => {}
    }
}

/// Returns the value of a text with its references replaced, or `None` if one of them has no value or depends on itself.
///
/// `chain` is how many more references may follow one another.
fn replaced(text: &str, values: &Values, chain: usize) -> Option<Value> {
    if value_of(text, values).is_some() {
        return resolved(text, values, chain);
    }
    let (mut result, mut rest) = (String::new(), text);
    while let Some((before, reference)) = rest.split_once("${") {
        result.push_str(before);
        // Terraform writes `${` as `$${`.
        if before.ends_with('$') {
            result.push_str("${");
            rest = reference;
            continue;
        }
        let (inner, after) = reference.split_once('}')?;
        match resolved(inner, values, chain)? {
            Value::Text(value) => result.push_str(&value),
            Value::Integer(number) => result.push_str(&number.to_string()),
            _ => return None,
        }
        rest = after;
        if result.len() > MAX_LENGTH {
            return None;
        }
    }
    result.push_str(rest);
    Some(Value::Text(result))
}

/// Returns the value of a reference, which can have references itself.
fn resolved(reference: &str, values: &Values, chain: usize) -> Option<Value> {
    let chain = chain.checked_sub(1)?;
    match value_of(reference, values)? {
        Value::Text(text) => replaced(text, values, chain),
        value => Some(value.clone()),
    }
}

fn value_of<'a>(text: &str, values: &'a Values) -> Option<&'a Value> {
    let Reference { resource, label, attribute } = Reference::parse(text)?;
    values.get(&[resource, label, attribute])
}

/// Removes the indexes of resources with `count` or `for_each`: `main[0]` and `main["eu"]` become `main`.
fn without_indexes(path: &str) -> String {
    let mut depth = 0_usize;
    path.chars()
        .filter(|character| match character {
            '[' => {
                depth += 1;
                false
            }
            ']' => {
                depth = depth.saturating_sub(1);
                false
            }
            _ => depth == 0,
        })
        .collect()
}
