//! Settings before deserialization, each with its place.

use serde::Serialize;
use toml::de::{DeTable, DeValue};

use crate::{
    config::error::{Place, SettingError},
    model::settings::Violation,
};

/// A value with its place.
#[derive(Clone)]
pub(crate) struct Setting {
    pub(crate) place: Place,
    pub(crate) value: Value,
}

#[derive(Clone)]
pub(crate) enum Value {
    Text(String),
    Integer(i64),
    Fraction(f64),
    Flag(bool),
    List(Vec<Setting>),
    Table(Vec<(String, Setting)>),
    /// A value of a type that no setting has, such as a date.
    Other(&'static str),
}

impl Setting {
    /// Reads a configuration file.
    ///
    /// # Errors
    /// Returns all errors in the syntax.
    pub(crate) fn from_toml(text: &str) -> Result<Self, Vec<toml::de::Error>> {
        let (table, errors) = DeTable::parse_recoverable(text);
        if !errors.is_empty() {
            return Err(errors);
        }
        let root = Place { line: 1, column: 1, path: String::new() };
        Ok(Self { value: table_from_toml(&Lines::of(text), table.get_ref(), &root), place: root })
    }

    /// Reads a request of the API whose members were renamed to the names in configuration files. A null member counts as
    /// absent.
    pub(crate) fn from_request(value: &serde_json::Value) -> Self {
        Self::from_json(value, Place::default())
    }

    /// Returns settings as they would be read.
    pub(crate) fn from_settings<T: Serialize>(settings: &T) -> Self {
        Self::from_request(&serde_json::to_value(settings).unwrap_or_default())
    }

    fn from_json(value: &serde_json::Value, place: Place) -> Self {
        use serde_json::Value as Json;
        let value = match value {
            Json::String(text) => Value::Text(text.clone()),
            Json::Bool(flag) => Value::Flag(*flag),
            Json::Number(number) => match (number.as_i64(), number.as_f64()) {
                (Some(number), _) => Value::Integer(number),
                (None, Some(number)) => Value::Fraction(number),
                (None, None) => Value::Other("a number of more than 64 bits"),
            },
            Json::Null => Value::Other("null"),
            Json::Array(items) => {
                let item = |item| Self::from_json(item, place.clone());
                Value::List(items.iter().map(item).collect())
            }
            Json::Object(members) => {
                let present = members.iter().filter(|(_, value)| !value.is_null());
                let member = |(name, value): (&String, &Json)| {
                    (name.clone(), Self::from_json(value, place.member(name, (0, 0))))
                };
                Value::Table(present.map(member).collect())
            }
        };
        Self { place, value }
    }

    /// Adds the members of another table that this one does not have, also in inner tables.
    pub(crate) fn add_absent(&mut self, other: Self) {
        let Value::Table(other) = other.value else { return };
        for (name, value) in other {
            match self.member_mut(&name) {
                Some(member) => member.add_absent(value),
                None => self.insert(name, value),
            }
        }
    }

    /// Removes the setting at a place within this one. Returns whether there was one.
    pub(crate) fn remove(&mut self, place: &Place) -> bool {
        let is_there = |setting: &Self| {
            (setting.place.line, setting.place.column) == (place.line, place.column)
        };
        match &mut self.value {
            Value::Table(members) => {
                match members.iter().position(|(_, member)| is_there(member)) {
                    Some(index) => {
                        members.remove(index);
                        true
                    }
                    None => members.iter_mut().any(|(_, member)| member.remove(place)),
                }
            }
            Value::List(items) => match items.iter().position(is_there) {
                Some(index) => {
                    items.remove(index);
                    true
                }
                None => items.iter_mut().any(|item| item.remove(place)),
            },
            _ => false,
        }
    }

    pub(crate) fn member(&self, name: &str) -> Option<&Self> {
        let Value::Table(members) = &self.single().value else { return None };
        members.iter().find(|(other, _)| other == name).map(|(_, member)| member)
    }

    pub(crate) fn member_mut(&mut self, name: &str) -> Option<&mut Self> {
        self.members_mut()?.iter_mut().find(|(other, _)| other == name).map(|(_, member)| member)
    }

    pub(crate) fn insert(&mut self, name: String, member: Self) {
        if let Some(members) = self.members_mut() {
            members.push((name, member));
        }
    }

    pub(crate) fn take(&mut self, name: &str) -> Option<Self> {
        let members = self.members_mut()?;
        let index = members.iter().position(|(other, _)| other == name)?;
        Some(members.remove(index).1)
    }

    /// Removes members and returns them as a table.
    pub(crate) fn split(&mut self, names: &[&str]) -> Self {
        let taken = names.iter().filter_map(|name| Some(((*name).to_owned(), self.take(name)?)));
        Self { value: Value::Table(taken.collect()), place: self.place.clone() }
    }

    /// Moves a member of this table to another name in the table `into`. Its place does not change.
    pub(crate) fn rename(&mut self, from: &str, into: &mut Self, to: &str) {
        if let Some(member) = self.take(from) {
            into.take(to);
            into.insert(to.to_owned(), member);
        }
    }

    /// Returns the items of a list. A table counts as a list of one item, because a block may be written as `[table]` or
    /// `[[table]]`.
    pub(crate) fn items(&self) -> &[Self] {
        match &self.value {
            Value::List(items) => items,
            _ => std::slice::from_ref(self),
        }
    }

    /// Returns the items by value.
    pub(crate) fn into_items(self) -> Vec<Self> {
        match self.value {
            Value::List(items) => items,
            value => vec![Self { value, ..self }],
        }
    }

    /// Returns the members of a table by value.
    pub(crate) fn into_members(self) -> Vec<(String, Self)> {
        match self.value {
            Value::Table(members) => members,
            _ => Vec::new(),
        }
    }

    /// Returns the text, if the setting is one.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the item of a list with one item, or the setting itself.
    pub(crate) fn single(&self) -> &Self {
        match &self.value {
            Value::List(items) => match &items[..] {
                [item] => item,
                _ => self,
            },
            _ => self,
        }
    }

    fn members_mut(&mut self) -> Option<&mut Vec<(String, Self)>> {
        match &mut self.value {
            Value::Table(members) => Some(members),
            Value::List(items) => match &mut items[..] {
                [item] => item.members_mut(),
                _ => None,
            },
            _ => None,
        }
    }

    /// Returns the place of a setting within this one. An absent setting has the line of its table.
    pub(crate) fn place_of(&self, path: &str) -> Place {
        let mut setting = self;
        let mut names = path.split('.').filter(|name| !name.is_empty());
        while let Some(name) = names.next() {
            let index = name.parse::<usize>().ok();
            let item = index.and_then(|index| setting.items().get(index));
            match item.or_else(|| setting.member(name)) {
                Some(inner) => setting = inner,
                None => {
                    let place = setting.place.absent_member(name);
                    return names.fold(place, |place, name| place.absent_member(name));
                }
            }
        }
        setting.place.clone()
    }

    /// Returns the error for a violation of a setting within this one.
    pub(crate) fn violation(&self, violation: Violation) -> SettingError {
        SettingError::new(self.place_of(&violation.path), violation.rule.into())
    }

    /// Returns the kind of the value for errors. Errors do not quote values, which can be passwords.
    pub(crate) fn kind(&self) -> &'static str {
        match self.value {
            Value::Text(_) => "a string",
            Value::Integer(_) => "an integer",
            Value::Fraction(_) => "a fraction",
            Value::Flag(_) => "a boolean",
            Value::List(_) => "a list",
            Value::Table(_) => "a table",
            Value::Other(kind) => kind,
        }
    }
}

/// A text and where its lines start, so that a place is found without reading the whole text again.
pub(crate) struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    pub(crate) fn of(text: &'a str) -> Self {
        let after_line_breaks = text.match_indices('\n').map(|(at, _)| at + 1);
        Self { text, starts: std::iter::once(0).chain(after_line_breaks).collect() }
    }

    /// Returns the line and the column of a byte, counted from 1.
    pub(crate) fn position(&self, at: usize) -> (usize, usize) {
        let line = self.starts.partition_point(|start| *start <= at);
        let start = line.checked_sub(1).and_then(|index| self.starts.get(index)).copied();
        let before = self.text.get(start.unwrap_or_default()..at).unwrap_or_default();
        (line, before.chars().count() + 1)
    }
}

fn from_toml(lines: &Lines<'_>, value: &DeValue<'_>, place: Place) -> Setting {
    let value = match value {
        DeValue::String(string) => Value::Text(string.clone().into_owned()),
        DeValue::Boolean(flag) => Value::Flag(*flag),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map_or(Value::Other("an integer of more than 64 bits"), Value::Integer),
        DeValue::Float(number) => {
            number.as_str().parse().map_or(Value::Other("a fraction"), Value::Fraction)
        }
        DeValue::Datetime(_) => Value::Other("a date"),
        DeValue::Array(items) => {
            let item = |item: &toml::Spanned<DeValue<'_>>| {
                let (line, column) = lines.position(item.span().start);
                from_toml(lines, item.get_ref(), Place { line, column, path: place.path.clone() })
            };
            Value::List(items.iter().map(item).collect())
        }
        DeValue::Table(table) => table_from_toml(lines, table, &place),
    };
    Setting { place, value }
}

fn table_from_toml(lines: &Lines<'_>, table: &DeTable<'_>, place: &Place) -> Value {
    let member = |(name, value): (&toml::Spanned<_>, &toml::Spanned<DeValue<'_>>)| {
        let name: &toml::Spanned<std::borrow::Cow<'_, str>> = name;
        let place = place.member(name.get_ref(), lines.position(name.span().start));
        (name.get_ref().to_string(), from_toml(lines, value.get_ref(), place))
    };
    let mut members: Vec<_> = table.iter().map(member).collect();
    // Errors are reported in the order of the file.
    members.sort_by_key(|(_, setting)| (setting.place.line, setting.place.column));
    Value::Table(members)
}
