use std::{
    borrow::Cow,
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

use serde_json::Value;

use crate::{
    json::{Json, read_strings},
    percent,
};

/// Form in which a claim contains a list of names.
///
/// A claim that does not have the chosen form is never read in another form: it contains no names, so it grants
/// nothing. White space of JSON (space, tab, line breaks) around the whole text is ignored in all forms.
///
/// | who writes the list | the claim's value | form |
/// |---|---|---|
/// | a pre-token-generation trigger, version 2 or later | `["a","b"]`, an array | [`JsonOrSpaces`](Self::JsonOrSpaces), [`Json`](Self::Json) |
/// | a pre-token-generation trigger, version 1 | `"[\"a\",\"b\"]"`, JSON in a string | [`JsonOrSpaces`](Self::JsonOrSpaces), [`Json`](Self::Json) |
/// | an application that writes an attribute | `"a b"` | [`JsonOrSpaces`](Self::JsonOrSpaces), [`SpaceSeparated`](Self::SpaceSeparated) |
/// | an application that writes an attribute | `"a,b"` or `"a, b"` | [`CommaSeparated`](Self::CommaSeparated) |
/// | Cognito, from several values of a SAML or OIDC attribute | `"[a, b]"` | [`Bracketed`](Self::Bracketed) |
/// | Cognito, from several values of a SAML attribute, as its guide describes it | `"a%3Ab,c+d"` | [`UrlEncoded`](Self::UrlEncoded) |
///
/// Look at a real token of your pool before you choose one of the last two.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ListForm {
    /// An array of strings, a string that contains such an array as JSON, or a string of names separated by spaces.
    ///
    /// Text that starts like JSON (`[`, `{` or `"`) is never split at spaces. Names separated by spaces contain no
    /// comma, because a comma probably separates names too.
    #[default]
    JsonOrSpaces,
    /// An array of strings, or a string that contains such an array as JSON.
    Json,
    /// A string of names separated by spaces. It does not start like JSON and contains no comma.
    SpaceSeparated,
    /// A string of names separated by commas. Spaces around a name are ignored; spaces inside are part of the name. No
    /// name is empty or contains a quote, a bracket or a brace.
    CommaSeparated,
    /// A string of names in square brackets, separated by a comma and a space: `[a, b]`. Cognito writes a SAML or OIDC
    /// attribute with several values in this form.
    ///
    /// A comma without a space is part of a name, as in `CN=a,OU=b`. No name is empty, starts or ends with white space,
    /// or contains a quote, a bracket or a brace. A name that contains a comma and a space cannot be told apart from two
    /// names, so do not use this form if the identity provider lets users choose such names.
    Bracketed,
    /// A string of names separated by commas, each encoded as in a form (`application/x-www-form-urlencoded`): letters,
    /// digits, `.`, `-`, `*` and `_` as they are, a space as `+`, other bytes as `%3A`. No name is empty.
    UrlEncoded,
}

/// The white space of JSON (RFC 8259, section 2).
const WHITE_SPACE: [char; 4] = [' ', '\t', '\r', '\n'];

/// The claims for which a wrong form was logged. Their names come from the service's code, so their number is limited.
static LOGGED: Mutex<BTreeSet<(String, ListForm)>> = Mutex::new(BTreeSet::new());

impl ListForm {
    /// Returns the names in the value of a claim, or `None` if it does not have this form.
    pub(crate) fn read<'c>(self, value: &'c Json<'_>) -> Option<Vec<Cow<'c, str>>> {
        match value {
            Json::Strings(names) if self.includes_arrays() => {
                Some(names.iter().map(|name| Cow::Borrowed(name.as_ref())).collect())
            }
            Json::String(text) => self.read_text(text),
            _ => None,
        }
    }

    /// Returns the names in the [value of a claim](crate::Verified::claim), or `None` if it does not have this form.
    ///
    /// ```
    /// use tower_cognito::claims::ListForm;
    ///
    /// let teams = serde_json::json!("[orders, billing]");
    /// assert_eq!(ListForm::Bracketed.names(&teams), Some(vec!["orders".into(), "billing".into()]));
    /// assert_eq!(ListForm::Json.names(&teams), None);
    /// ```
    pub fn names(self, value: &Value) -> Option<Vec<Cow<'_, str>>> {
        match value {
            Value::Array(names) if self.includes_arrays() => {
                names.iter().map(|name| name.as_str().map(Cow::Borrowed)).collect()
            }
            Value::String(text) => self.read_text(text),
            _ => None,
        }
    }

    /// Returns whether the list in a claim contains a name. A value that does not have this form contains no name, and
    /// is logged.
    pub(crate) fn contains(self, claim: &str, value: &Value, name: &str) -> bool {
        match self.names(value) {
            Some(names) => names.iter().any(|listed| listed == name),
            None => {
                self.log_wrong_form(claim);
                false
            }
        }
    }

    /// Logs that a claim does not have this form, once in this process for each claim and form.
    pub(crate) fn log_wrong_form(self, claim: &str) {
        let mut logged = LOGGED.lock().unwrap_or_else(PoisonError::into_inner);
        if logged.insert((claim.to_owned(), self)) {
            drop(logged);
            tracing::warn!(
                claim,
                "a claim of a token is not {}, so it grants nothing (logged once); if it is a list of another form, \
                 choose that `ListForm`",
                self.expected()
            );
        }
    }

    /// Describes the form, for errors.
    pub(crate) fn expected(self) -> &'static str {
        match self {
            Self::JsonOrSpaces => {
                "an array of strings, a string with such an array as JSON, or a string of names separated by spaces"
            }
            Self::Json => "an array of strings or a string with such an array as JSON",
            Self::SpaceSeparated => "a string of names separated by spaces",
            Self::CommaSeparated => "a string of names separated by commas",
            Self::UrlEncoded => "a string of URL-encoded names separated by commas",
            Self::Bracketed => "a string of names in square brackets, such as `[a, b]`",
        }
    }

    fn includes_arrays(self) -> bool {
        matches!(self, Self::JsonOrSpaces | Self::Json)
    }

    fn read_text(self, text: &str) -> Option<Vec<Cow<'_, str>>> {
        let text = text.trim_matches(WHITE_SPACE);
        match self {
            Self::Json => read_strings(text),
            Self::JsonOrSpaces if starts_like_json(text) => read_strings(text),
            Self::JsonOrSpaces | Self::SpaceSeparated => space_separated(text),
            Self::CommaSeparated => comma_separated(text),
            Self::Bracketed => bracketed(text),
            Self::UrlEncoded => url_encoded(text),
        }
    }
}

/// Also finds JSON after white space that JSON does not allow. Such text must not be read as names.
fn starts_like_json(text: &str) -> bool {
    text.trim_start().starts_with(['[', '{', '"'])
}

fn space_separated(text: &str) -> Option<Vec<Cow<'_, str>>> {
    if starts_like_json(text) || text.contains(',') {
        return None;
    }
    Some(text.split(' ').filter(|name| !name.is_empty()).map(Cow::Borrowed).collect())
}

fn comma_separated(text: &str) -> Option<Vec<Cow<'_, str>>> {
    if text.is_empty() {
        return Some(Vec::new());
    }
    text.split(',').map(|name| plain_name(name.trim_matches(' '))).collect()
}

fn bracketed(text: &str) -> Option<Vec<Cow<'_, str>>> {
    let names = text.strip_prefix('[')?.strip_suffix(']')?;
    if names.is_empty() {
        return Some(Vec::new());
    }
    names.split(", ").map(plain_name).collect()
}

fn url_encoded(text: &str) -> Option<Vec<Cow<'_, str>>> {
    if text.is_empty() {
        return Some(Vec::new());
    }
    text.split(',').map(|name| decode_name(name).map(Cow::Owned)).collect()
}

fn decode_name(name: &str) -> Option<String> {
    let mut rest = name.as_bytes();
    let mut decoded = Vec::with_capacity(name.len());
    while let Some((first, others)) = rest.split_first() {
        let (byte, after) = match first {
            b'+' => (b' ', others),
            b'%' => percent::decode_first(rest)?,
            b'.' | b'-' | b'*' | b'_' => (*first, others),
            _ if first.is_ascii_alphanumeric() => (*first, others),
            _ => return None,
        };
        decoded.push(byte);
        rest = after;
    }
    String::from_utf8(decoded).ok().filter(|name| !name.is_empty())
}

/// Returns the name, or `None` if it could be part of another notation.
fn plain_name(name: &str) -> Option<Cow<'_, str>> {
    let is_plain =
        !name.is_empty() && name.trim() == name && !name.contains(['"', '[', ']', '{', '}']);
    is_plain.then_some(Cow::Borrowed(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [ListForm; 6] = [
        ListForm::JsonOrSpaces,
        ListForm::Json,
        ListForm::SpaceSeparated,
        ListForm::CommaSeparated,
        ListForm::Bracketed,
        ListForm::UrlEncoded,
    ];

    /// Reads a string in both representations, which must agree.
    fn text(form: ListForm, text: &str) -> Option<Vec<String>> {
        let owned = |names: Option<Vec<Cow<'_, str>>>| {
            names.map(|names| names.into_iter().map(Cow::into_owned).collect::<Vec<_>>())
        };
        let read = owned(form.read(&Json::String(text.into())));
        assert_eq!(owned(form.names(&Value::from(text))), read, "{form:?} {text}");
        read
    }

    #[test]
    fn each_form_reads_its_own_notation_and_no_other() {
        use ListForm::{Bracketed, CommaSeparated, Json, JsonOrSpaces, SpaceSeparated, UrlEncoded};
        for (written, forms) in [
            (r#"["read","write"]"#, &[JsonOrSpaces, Json][..]),
            (" [ \"read\" , \"write\" ]\n", &[JsonOrSpaces, Json]),
            ("read write", &[JsonOrSpaces, SpaceSeparated]),
            (" read  write ", &[JsonOrSpaces, SpaceSeparated]),
            ("read,write", &[CommaSeparated, UrlEncoded]),
            ("re%61d,wri%74e", &[UrlEncoded]),
            ("read , write", &[CommaSeparated]),
            ("[read, write]", &[Bracketed]),
            ("\t[read, write] ", &[Bracketed]),
        ] {
            for form in ALL {
                let expected =
                    forms.contains(&form).then(|| ["read", "write"].map(str::to_owned).to_vec());
                // Other forms may read the text as one name, or as names with the encoding in them.
                let read = text(form, written);
                let read = read.filter(|names| names.len() != 1 && !names.concat().contains('%'));
                assert_eq!(read, expected, "{form:?} {written}");
            }
        }
    }

    #[test]
    fn url_encoded_names_are_decoded() {
        let names = text(ListForm::UrlEncoded, "orders%3Aread,team+one,%c3%BC.-*_").unwrap();
        assert_eq!(names, ["orders:read", "team one", "ü.-*_"]);
    }

    #[test]
    fn one_name_is_read_in_the_form_in_which_it_is_written() {
        let one = Some(vec!["read".to_owned()]);
        assert_eq!(text(ListForm::Bracketed, "[read]"), one);
        assert_eq!(text(ListForm::Bracketed, "read"), None);
        assert_eq!(text(ListForm::CommaSeparated, "read"), one);
        assert_eq!(text(ListForm::SpaceSeparated, "read"), one);
        assert_eq!(text(ListForm::JsonOrSpaces, "read"), one);
        assert_eq!(text(ListForm::Json, "read"), None);
        // As for LDAP names, a comma alone is part of a name.
        assert_eq!(text(ListForm::Bracketed, "[CN=a,OU=b]"), Some(vec!["CN=a,OU=b".to_owned()]));
    }

    #[test]
    fn empty_list_is_read_in_the_form_in_which_it_is_written() {
        for (form, written) in [
            (ListForm::JsonOrSpaces, ""),
            (ListForm::JsonOrSpaces, "[]"),
            (ListForm::Json, "[]"),
            (ListForm::SpaceSeparated, " "),
            (ListForm::CommaSeparated, ""),
            (ListForm::Bracketed, "[]"),
        ] {
            assert_eq!(text(form, written), Some(vec![]), "{form:?} {written}");
        }
    }

    #[test]
    fn value_that_does_not_have_the_form_contains_no_name() {
        let deep = "[".repeat(5000);
        for (form, written) in [
            (ListForm::JsonOrSpaces, "[write:all"),
            (ListForm::JsonOrSpaces, r#"[["write:all"]]"#),
            (ListForm::JsonOrSpaces, r#"["write:all",1]"#),
            (ListForm::JsonOrSpaces, r#""write:all""#),
            (ListForm::JsonOrSpaces, r#"{"a":"write:all"}"#),
            (ListForm::JsonOrSpaces, "[write:all write:all]"),
            (ListForm::JsonOrSpaces, "read,write:all"),
            (ListForm::JsonOrSpaces, "\u{b}{"),
            (ListForm::JsonOrSpaces, "\u{a0}[\"write:all\"]"),
            (ListForm::JsonOrSpaces, &deep),
            (ListForm::Json, ""),
            (ListForm::SpaceSeparated, "[write:all"),
            (ListForm::SpaceSeparated, "read, write:all"),
            (ListForm::CommaSeparated, ","),
            (ListForm::CommaSeparated, "read,"),
            (ListForm::CommaSeparated, "read,,write:all"),
            (ListForm::CommaSeparated, "\"write:all\""),
            (ListForm::CommaSeparated, "{read,write:all}"),
            (ListForm::CommaSeparated, "read,\u{a0}write:all"),
            (ListForm::UrlEncoded, "write:all"),
            (ListForm::UrlEncoded, "read, write"),
            (ListForm::UrlEncoded, "read,"),
            (ListForm::UrlEncoded, "write%3"),
            (ListForm::UrlEncoded, "write%3xall"),
            (ListForm::UrlEncoded, "%ff"),
            (ListForm::UrlEncoded, "[read]"),
            (ListForm::Bracketed, ""),
            (ListForm::Bracketed, "["),
            (ListForm::Bracketed, "write:all]"),
            (ListForm::Bracketed, "[write:all"),
            (ListForm::Bracketed, "[ write:all]"),
            (ListForm::Bracketed, "[write:all,  read]"),
            (ListForm::Bracketed, "[write:all, ]"),
            (ListForm::Bracketed, "[, write:all]"),
            (ListForm::Bracketed, "[[write:all]]"),
            (ListForm::Bracketed, "[write:all][read]"),
            (ListForm::Bracketed, r#"["write:all"]"#),
            (ListForm::Bracketed, "write:all, read"),
        ] {
            assert_eq!(text(form, written), None, "{form:?} {written}");
        }
        for form in ALL {
            assert_eq!(form.read(&Json::Integer(1)), None);
            assert_eq!(form.read(&Json::Other), None);
            assert_eq!(form.names(&serde_json::json!(["write:all", 1])), None);
        }
    }

    #[test]
    fn arrays_are_read_only_in_the_forms_with_json() {
        for form in ALL {
            let expected = matches!(form, ListForm::JsonOrSpaces | ListForm::Json)
                .then(|| vec![Cow::Borrowed("read")]);
            assert_eq!(form.read(&Json::Strings(vec!["read".into()])), expected, "{form:?}");
            assert_eq!(form.names(&serde_json::json!(["read"])), expected, "{form:?}");
        }
    }
}
