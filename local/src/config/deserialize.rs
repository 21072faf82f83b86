//! Deserializes settings. Errors have the place of the setting.

use serde::{
    Deserializer,
    de::{
        DeserializeOwned, DeserializeSeed, Error as _, IntoDeserializer, MapAccess, SeqAccess,
        Unexpected, Visitor,
    },
    forward_to_deserialize_any,
};

use crate::config::{
    error::{Reason, SettingError},
    report::Report,
    setting::{Setting, Value},
};

/// Reported in place of a string, because the string can be a password.
const OTHER_TEXT: &str = "a string that cannot be converted";

impl Setting {
    /// Deserializes the setting. An invalid setting in it is reported, and then treated as absent. Returns `None` if
    /// nothing is left that can be read.
    ///
    /// `block` is the path of the setting in a configuration file without a label.
    pub(crate) fn read<T: DeserializeOwned>(
        &mut self,
        block: &str,
        report: &mut Report,
    ) -> Option<T> {
        loop {
            let error = match T::deserialize(&*self) {
                Ok(read) => return Some(read),
                Err(error) => error,
            };
            let place = error.place();
            report.add_unreadable(error, block, &self.place);
            if !place.is_in_file() || !self.remove(&place) {
                return None;
            }
        }
    }

    fn type_error(&self, expected: impl Into<String>) -> SettingError {
        let reason = Reason::Type { expected: expected.into(), found: self.kind() };
        SettingError::new(self.place.clone(), reason)
    }

    /// Returns the error for a string that is not an integer or a boolean.
    fn content_error(&self, expected: &str) -> SettingError {
        if let Err(error) = self.check_no_expression() {
            return error;
        }
        let found = match self.value {
            Value::Text(_) => OTHER_TEXT,
            _ => self.kind(),
        };
        let reason = Reason::Type { expected: expected.to_owned(), found };
        SettingError::new(self.place.clone(), reason)
    }

    fn check_no_expression(&self) -> Result<(), SettingError> {
        match &self.value {
            Value::Text(text) if self.place.is_in_file() && is_expression(text) => {
                Err(self.place.error(
                    "expressions of Terraform are not evaluated: expected the value itself, or a reference to a \
                     setting of this file, such as ${aws_cognito_user_group.staff.name}",
                ))
            }
            _ => Ok(()),
        }
    }

    /// Returns the integer. As in Terraform, a string in a file can contain it.
    fn integer(&self) -> Option<i64> {
        match &self.value {
            Value::Integer(number) => Some(*number),
            Value::Text(text) if self.place.is_in_file() => whole_number(text),
            Value::Fraction(number) if self.place.is_in_file() => whole_number(&number.to_string()),
            _ => None,
        }
    }

    /// Returns the text for a number or a boolean in a file, as Terraform converts it.
    fn converted_text(&self) -> Option<String> {
        match &self.value {
            _ if !self.place.is_in_file() => None,
            Value::Integer(number) => Some(number.to_string()),
            Value::Fraction(number) => Some(number.to_string()),
            Value::Flag(flag) => Some(flag.to_string()),
            // Terraform writes `${` as `$${`.
            Value::Text(text) if text.contains("$${") => Some(text.replace("$${", "${")),
            _ => None,
        }
    }
}

/// Returns whether a text contains `${…}`, but not `$${…}`.
fn is_expression(text: &str) -> bool {
    text.replace("$${", "").split_once("${").is_some_and(|(_, rest)| rest.contains('}'))
}

/// Reads a number without a fraction. Other than Terraform, Rust also reads `inf` and `NaN`.
fn whole_number(text: &str) -> Option<i64> {
    text.parse().ok().or_else(|| {
        let number = text.parse::<f64>().ok().filter(|number| number.fract() == 0.0)?;
        format!("{number:.0}").parse().ok()
    })
}

macro_rules! deserialize_integers {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SettingError> {
            let number = self.integer().ok_or_else(|| self.content_error("an integer"))?;
            visitor.visit_i64(number).map_err(|error: SettingError| error.or_at(&self.place))
        }
    )*};
}

impl<'de> Deserializer<'de> for &'de Setting {
    type Error = SettingError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SettingError> {
        let read = match &self.value {
            Value::Text(text) => visitor.visit_borrowed_str(text),
            Value::Integer(number) => visitor.visit_i64(*number),
            Value::Fraction(number) => visitor.visit_f64(*number),
            Value::Flag(flag) => visitor.visit_bool(*flag),
            Value::List(items) => visitor.visit_seq(Items(items.iter())),
            Value::Table(members) => {
                visitor.visit_map(Members { remaining: members.iter(), value: None })
            }
            Value::Other(kind) => {
                let found = Unexpected::Other(kind);
                Err(SettingError::invalid_type(found, &visitor))
            }
        };
        read.map_err(|error| error.or_at(&self.place))
    }

    /// Reads a boolean. As in Terraform, a string in a file can contain it.
    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SettingError> {
        let flag = match &self.value {
            Value::Flag(flag) => *flag,
            Value::Text(text) if self.place.is_in_file() => match text.as_str() {
                "true" | "1" => true,
                "false" | "0" => false,
                _ => return Err(self.content_error("true or false")),
            },
            _ => return Err(self.content_error("true or false")),
        };
        visitor.visit_bool(flag).map_err(|error: SettingError| error.or_at(&self.place))
    }

    deserialize_integers! { deserialize_i64 deserialize_u32 deserialize_u64 }

    /// Reads a string. As in Terraform, a file can have a number or a boolean in its place.
    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SettingError> {
        self.check_no_expression()?;
        match self.converted_text() {
            Some(text) => visitor.visit_string(text),
            None => return self.deserialize_any(visitor),
        }
        .map_err(|error: SettingError| error.or_at(&self.place))
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SettingError> {
        self.deserialize_string(visitor)
    }

    /// Reads a table of any members. It can be the only item of a list.
    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SettingError> {
        self.single().deserialize_any(visitor)
    }

    /// Ignores unknown members of a request. In a file they are errors.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, SettingError> {
        let members = match &self.value {
            Value::Table(members) => members,
            Value::List(items) => match &items[..] {
                [item] => return item.deserialize_struct(_name, fields, visitor),
                [.., last] => return Err(last.place.error("expected one block of this name")),
                [] => return Err(self.type_error("a table")),
            },
            _ => return Err(self.type_error("a table")),
        };
        let is_known = |name: &String| fields.contains(&name.as_str());
        let unknown =
            members.iter().find(|(name, member)| member.place.is_in_file() && !is_known(name));
        if let Some((_, member)) = unknown {
            return Err(SettingError::new(
                member.place.clone(),
                Reason::Unknown { allowed: fields },
            ));
        }
        let known = members.iter().filter(|(name, _)| is_known(name));
        visitor
            .visit_map(Members { remaining: known, value: None })
            .map_err(|error: SettingError| error.or_at(&self.place))
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SettingError> {
        match &self.value {
            Value::List(_) | Value::Table(_) => visitor
                .visit_seq(Items(self.items().iter()))
                .map_err(|error: SettingError| error.or_at(&self.place)),
            _ => Err(self.type_error("a list")),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, SettingError> {
        self.check_no_expression()?;
        let Value::Text(word) = &self.value else {
            let reason = Reason::Word { found: None, allowed: variants };
            return Err(SettingError::new(self.place.clone(), reason));
        };
        visitor
            .visit_enum(word.as_str().into_deserializer())
            .map_err(|error: SettingError| error.or_at(&self.place))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SettingError> {
        visitor.visit_some(self).map_err(|error: SettingError| error.or_at(&self.place))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, SettingError> {
        visitor.visit_newtype_struct(self).map_err(|error| error.or_at(&self.place))
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i128 u8 u16 u128 f32 f64 char bytes byte_buf unit unit_struct tuple tuple_struct identifier
        ignored_any
    }
}

/// The members of a table. Every error gets the place of its member.
struct Members<'de, I> {
    remaining: I,
    value: Option<&'de Setting>,
}

impl<'de, I: Iterator<Item = &'de (String, Setting)>> MapAccess<'de> for Members<'de, I> {
    type Error = SettingError;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, SettingError> {
        let Some((name, member)) = self.remaining.next() else { return Ok(None) };
        self.value = Some(member);
        seed.deserialize(name.as_str().into_deserializer()).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(
        &mut self,
        seed: V,
    ) -> Result<V::Value, SettingError> {
        let member =
            self.value.take().ok_or_else(|| SettingError::custom("a value has no name"))?;
        seed.deserialize(member).map_err(|error| error.or_at(&member.place))
    }
}

/// The items of a list.
struct Items<'de>(std::slice::Iter<'de, Setting>);

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = SettingError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, SettingError> {
        let Some(item) = self.0.next() else { return Ok(None) };
        seed.deserialize(item).map(Some).map_err(|error| error.or_at(&item.place))
    }
}
