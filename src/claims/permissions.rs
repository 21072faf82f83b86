use std::borrow::Cow;

use crate::json::{Json, read_strings};

/// Reads a permissions claim, which is an array of strings, a string that contains such an array as JSON (as
/// pre-token-generation triggers write it), or a string of names separated by spaces.
///
/// Returns `None` for any other value, so that no part of it grants a permission. Text that looks like JSON is never
/// split at spaces.
pub(crate) fn read_permissions<'c>(claim: &'c Json<'_>) -> Option<Vec<Cow<'c, str>>> {
    match claim {
        Json::Strings(names) => {
            Some(names.iter().map(|name| Cow::Borrowed(name.as_ref())).collect())
        }
        Json::String(text) => read_text(text),
        _ => None,
    }
}

/// Reads permissions from a string: a JSON array, or names separated by spaces. The white space of JSON around them is
/// ignored. JSON behind any other white space is an error, and is not read as names.
pub(crate) fn read_text(text: &str) -> Option<Vec<Cow<'_, str>>> {
    let text = text.trim_matches([' ', '\t', '\r', '\n']);
    if text.trim_start().starts_with(['[', '{', '"']) {
        return read_strings(text);
    }
    Some(text.split(' ').filter(|name| !name.is_empty()).map(Cow::Borrowed).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Option<Vec<String>> {
        names(&Json::String(text.into()))
    }

    fn names(claim: &Json<'_>) -> Option<Vec<String>> {
        Some(read_permissions(claim)?.into_iter().map(Cow::into_owned).collect())
    }

    #[test]
    fn permissions_are_read_in_all_three_forms() {
        let expected = Some(vec!["read:all".to_owned(), "write:all".to_owned()]);
        assert_eq!(text(r#"["read:all","write:all"]"#), expected);
        assert_eq!(text(" [ \"read:all\" , \"write:all\" ] "), expected);
        assert_eq!(text("read:all  write:all"), expected);
        assert_eq!(names(&Json::Strings(vec!["read:all".into(), "write:all".into()])), expected);
        assert_eq!(text(""), Some(vec![]));
        assert_eq!(text("[]"), Some(vec![]));
    }

    #[test]
    fn value_in_no_known_form_grants_nothing() {
        let deep = "[".repeat(5000);
        for claim in [
            "[write:all",
            r#"[["write:all"]]"#,
            r#"["write:all",1]"#,
            r#""write:all""#,
            r#"{"a":"write:all"}"#,
            "[write:all write:all]",
            "\u{b}{",
            "\u{a0}[\"write:all\"]",
            &deep,
        ] {
            assert_eq!(text(claim), None, "{claim}");
        }
        assert_eq!(read_permissions(&Json::Integer(1)), None);
        assert_eq!(read_permissions(&Json::Other), None);
    }
}
