//! Deserializes settings. Errors have the place of the setting.

use serde::{
    Deserializer,
    de::{
        DeserializeSeed, Error as _, IntoDeserializer, MapAccess, SeqAccess, Unexpected, Visitor,
    },
    forward_to_deserialize_any,
};

use crate::config::{
    error::{Reason, SettingError},
    setting::{Setting, Value},
};

impl Setting {
    fn type_error(&self, expected: impl Into<String>) -> SettingError {
        let reason = Reason::Type { expected: expected.into(), found: self.kind() };
        SettingError::new(self.place.clone(), reason)
    }
}

impl<'de> Deserializer<'de> for &'de Setting {
    type Error = SettingError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SettingError> {
        let read = match &self.value {
            Value::Text(text) => visitor.visit_borrowed_str(text),
            Value::Integer(number) => visitor.visit_i64(*number),
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
            members.iter().find(|(name, member)| member.place.line > 0 && !is_known(name));
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
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct tuple
        tuple_struct map identifier ignored_any
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
