use crate::json::{Json, read_strings};

/// Reads a permissions claim, which is an array of strings, a string that contains such an array as JSON (as
/// pre-token-generation triggers write it), or a string of names separated by spaces.
///
/// Returns `None` for any other value, so that no part of it grants a permission. Text that looks like JSON is never
/// split at spaces.
pub(crate) fn read_permissions(claim: &Json<'_>) -> Option<Vec<String>> {
    match claim {
        Json::Strings(names) => Some(names.iter().map(|name| name.to_string()).collect()),
        Json::String(text) => read_text(text.trim_matches([' ', '\t', '\r', '\n'])),
        _ => None,
    }
}

/// Reads permissions from a string: a JSON array, or names separated by spaces.
pub(crate) fn read_text(text: &str) -> Option<Vec<String>> {
    if text.starts_with(['[', '{', '"']) {
        return Some(read_strings(text)?.into_iter().map(String::from).collect());
    }
    Some(text.split(' ').filter(|name| !name.is_empty()).map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Option<Vec<String>> {
        read_permissions(&Json::String(text.into()))
    }

    #[test]
    fn permissions_are_read_in_all_three_forms() {
        let expected = Some(vec!["read:all".to_owned(), "write:all".to_owned()]);
        assert_eq!(text(r#"["read:all","write:all"]"#), expected);
        assert_eq!(text(" [ \"read:all\" , \"write:all\" ] "), expected);
        assert_eq!(text("read:all  write:all"), expected);
        assert_eq!(
            read_permissions(&Json::Strings(vec!["read:all".into(), "write:all".into()])),
            expected
        );
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
            &deep,
        ] {
            assert_eq!(text(claim), None, "{claim}");
        }
        assert_eq!(read_permissions(&Json::Integer(1)), None);
        assert_eq!(read_permissions(&Json::Other), None);
    }
}
