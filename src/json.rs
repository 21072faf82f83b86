//! A strict JSON reader: duplicate names in an object and text after the value are errors.
//!
//! Every value is read, so that duplicate names are found at any depth. `serde_json` limits the depth to 128
//! levels.

use std::{borrow::Cow, fmt};

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// A JSON value, with the distinctions that the token rules need.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Json<'a> {
    /// A whole number from 0 to 2^64 − 1, written without fraction or exponent.
    Integer(u64),
    String(Cow<'a, str>),
    /// An array of strings only.
    Strings(Vec<Cow<'a, str>>),
    /// Any other value; no rule accepts it.
    Other,
}

/// Reads one object and passes each of its members to `member`.
///
/// # Errors
/// The text is not a single JSON object, or an object in it has the same name twice.
pub(crate) fn read_object<'a>(
    text: &'a str,
    member: impl FnMut(&str, Json<'a>),
) -> Result<(), serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    deserializer.deserialize_map(TopLevel(member))?;
    deserializer.end()
}

/// Reads an array of strings. Returns `None` for anything else.
pub(crate) fn read_strings(text: &str) -> Option<Vec<Cow<'_, str>>> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = Value.deserialize(&mut deserializer).ok()?;
    deserializer.end().ok()?;
    match value {
        Json::Strings(strings) => Some(strings),
        _ => None,
    }
}

struct TopLevel<F>(F);

impl<'de, F: FnMut(&str, Json<'de>)> Visitor<'de> for TopLevel<F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, map: A) -> Result<(), A::Error> {
        // Cognito's tokens have up to 16 names.
        read_members(map, Vec::with_capacity(16), |name, value| (self.0)(name, value))
    }
}

/// Reads any value.
struct Value;

impl<'de> DeserializeSeed<'de> for Value {
    type Value = Json<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Value {
    type Value = Json<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json<'de>, E> {
        Ok(Json::Other)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Json<'de>, E> {
        Ok(Json::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Json<'de>, E> {
        Ok(Json::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Json<'de>, E> {
        Ok(Json::Other)
    }

    fn visit_u64<E>(self, number: u64) -> Result<Json<'de>, E> {
        Ok(Json::Integer(number))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Json<'de>, E> {
        Ok(Json::String(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Json<'de>, E> {
        Ok(Json::String(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Json<'de>, A::Error> {
        let mut strings = Some(Vec::new());
        while let Some(element) = array.next_element_seed(Self)? {
            match (element, &mut strings) {
                (Json::String(text), Some(strings)) => strings.push(text),
                _ => strings = None,
            }
        }
        Ok(strings.map_or(Json::Other, Json::Strings))
    }

    /// Reads an object. With the feature `arbitrary_precision`, which any crate in the build can enable, `serde_json`
    /// also passes numbers with a fraction or an exponent to this method. No rule accepts an object or such a number.
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Json<'de>, A::Error> {
        read_members(map, Vec::new(), |_, _| ())?;
        Ok(Json::Other)
    }
}

/// Passes each member of an object to `member`, and rejects duplicate names. `names` is an empty buffer.
fn read_members<'de, A: MapAccess<'de>>(
    mut map: A,
    mut names: Vec<Cow<'de, str>>,
    mut member: impl FnMut(&str, Json<'de>),
) -> Result<(), A::Error> {
    while let Some(name) = map.next_key_seed(Name)? {
        member(&name, map.next_value_seed(Value)?);
        names.push(name);
    }
    // Sorting is fast even for a hostile object with thousands of names. Lengths are compared first, because most names
    // have different lengths.
    names.sort_unstable_by(|a, b| a.len().cmp(&b.len()).then_with(|| a.cmp(b)));
    if names.windows(2).any(|pair| matches!(pair, [a, b] if a == b)) {
        return Err(A::Error::custom("an object has the same name twice"));
    }
    Ok(())
}

/// Reads a member's name, borrowed from the text unless it has escapes.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Cow<'de, str>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E>(self, text: &str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(text: &str) -> Result<Vec<(String, String)>, serde_json::Error> {
        let mut members = Vec::new();
        read_object(text, |name, value| members.push((name.to_owned(), format!("{value:?}"))))?;
        Ok(members)
    }

    #[test]
    fn only_plain_whole_numbers_are_integers() {
        for (text, expected) in [
            ("0", Json::Integer(0)),
            ("1800000000", Json::Integer(1_800_000_000)),
            ("18446744073709551615", Json::Integer(u64::MAX)),
            ("18446744073709551616", Json::Other),
            ("-1", Json::Other),
            ("1.0", Json::Other),
            ("1e3", Json::Other),
            ("true", Json::Other),
            ("null", Json::Other),
            (r#""1""#, Json::String("1".into())),
            (r#"["a","b"]"#, Json::Strings(vec!["a".into(), "b".into()])),
            ("[]", Json::Strings(vec![])),
            (r#"["a",1]"#, Json::Other),
            (r#"[1,"a"]"#, Json::Other),
            ("{}", Json::Other),
            (r#"{"a":{"b":[1]}}"#, Json::Other),
        ] {
            let mut seen = None;
            read_object(&format!(r#"{{"x":{text}}}"#), |_, value| {
                seen = Some(format!("{value:?}"))
            })
            .unwrap();
            assert_eq!(seen, Some(format!("{expected:?}")), "{text}");
        }
    }

    #[test]
    fn duplicate_names_are_rejected_at_any_depth() {
        for text in [
            r#"{"a":1,"a":1}"#,
            r#"{"a":1,"b":2,"\u0061":3}"#,
            r#"{"x":{"a":1,"a":2}}"#,
            r#"{"x":{"a":1,"b":1,"b":2}}"#,
            r#"{"x":[1,[{"a":1,"a":2}]]}"#,
            r#"{"":1,"":2}"#,
            r#"{"a":1,"a":2,"a":3}"#,
            r#"{"aXb":1,"aYb":2,"aXb":3}"#,
            r#"{"aXb":1,"aYb":2,"aZb":3,"aYb":4}"#,
        ] {
            assert!(members(text).is_err(), "{text}");
        }
    }

    #[test]
    fn duplicate_names_are_rejected_among_any_number_of_names() {
        for count in [2, 3, 16, 31, 32, 33, 34, 64, 1000] {
            let names = |last: usize| {
                let members = (0..count - 1).chain([last]).map(|name| format!(r#""n{name}":1"#));
                format!("{{{}}}", members.collect::<Vec<_>>().join(","))
            };
            assert_eq!(members(&names(count)).unwrap().len(), count);
            for duplicate in [0, (count - 2) / 2, count - 2] {
                assert!(members(&names(duplicate)).is_err(), "{duplicate} of {count}");
            }
        }
    }

    #[test]
    fn text_that_is_not_a_single_object_is_rejected() {
        let deep = format!(r#"{{"x":{}{}}}"#, "[".repeat(4000), "]".repeat(4000));
        for text in [
            "",
            " ",
            "1",
            "[]",
            "null",
            r#""{}""#,
            "{}{}",
            "{} x",
            "{",
            r#"{"a":1,}"#,
            "\u{feff}{}",
            r#"{"a":"\ud800"}"#,
            "{\"a\":\"\n\"}",
            &deep,
        ] {
            assert!(members(text).is_err(), "{text:?}");
        }
        assert_eq!(members(" {} \n").unwrap(), vec![]);
    }

    #[test]
    fn read_strings_accepts_only_arrays_of_strings() {
        assert_eq!(read_strings(r#" ["a", "b\n"] "#), Some(vec!["a".into(), "b\n".into()]));
        for text in ["", "a b", r#""a""#, r#"[["a"]]"#, r#"["a"] x"#, r#"["a",null]"#, "{}"] {
            assert_eq!(read_strings(text), None, "{text}");
        }
    }
}
