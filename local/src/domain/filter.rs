//! Filters of `ListUsers`, for example `email = "jane@example.com"` or `name ^= "Ja"`.

use crate::{error::Error, model::User};

/// A condition on users.
#[derive(Debug)]
pub(crate) struct Filter {
    attribute: String,
    /// True for the operator `^=`: the attribute only has to begin with the value.
    is_prefix: bool,
    value: String,
}

const SEARCHABLE: [&str; 10] = [
    "username",
    "email",
    "phone_number",
    "name",
    "given_name",
    "family_name",
    "preferred_username",
    "cognito:user_status",
    "status",
    "sub",
];

impl Filter {
    /// Parses a filter. Returns `None` if the text is empty.
    pub(crate) fn parse(text: &str) -> Result<Option<Self>, Error> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(None);
        }
        let filter =
            parts(text).ok_or_else(|| Error::invalid_parameter("Error while parsing filter."))?;
        if !SEARCHABLE.contains(&filter.attribute.as_str()) {
            return Err(Error::invalid_parameter(format!(
                "Invalid search attribute: {}",
                filter.attribute
            )));
        }
        Ok(Some(filter))
    }

    pub(crate) fn matches(&self, user: &User) -> bool {
        match self.attribute.as_str() {
            "username" => self.matches_own_value(&user.username),
            // This is the only value that is compared case-insensitively.
            "cognito:user_status" => {
                self.matches_value(&self.value.to_ascii_uppercase(), user.status.as_str())
            }
            "status" => self.matches_own_value(if user.enabled { "Enabled" } else { "Disabled" }),
            name => user.attribute(name).is_some_and(|found| self.matches_own_value(found)),
        }
    }

    fn matches_own_value(&self, found: &str) -> bool {
        self.matches_value(&self.value, found)
    }

    fn matches_value(&self, value: &str, found: &str) -> bool {
        if self.is_prefix { found.starts_with(value) } else { found == value }
    }
}

/// Parses a filter: a name with or without quotation marks, an operator, and a quoted value.
fn parts(text: &str) -> Option<Filter> {
    let (attribute, rest) = match text.strip_prefix('"') {
        Some(_) => quoted(text)?,
        None => {
            let end = text
                .find(|character: char| character.is_whitespace() || "=^\"".contains(character))?;
            let (name, rest) = text.split_at(end);
            (name.to_owned(), rest)
        }
    };
    let rest = rest.trim_start();
    let (is_prefix, rest) = match rest.strip_prefix("^=") {
        Some(rest) => (true, rest),
        None => (false, rest.strip_prefix('=')?),
    };
    let (value, rest) = quoted(rest.trim_start())?;
    (!attribute.is_empty() && rest.is_empty()).then_some(Filter { attribute, is_prefix, value })
}

/// Parses a quoted string, in which a backslash escapes the next character. Returns the string and the text after it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut characters = text.strip_prefix('"')?.chars();
    let mut value = String::new();
    loop {
        match characters.next()? {
            '"' => return Some((value, characters.as_str())),
            '\\' => value.push(characters.next()?),
            character => value.push(character),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<(String, bool, String)> {
        let filter = Filter::parse(text).ok()??;
        Some((filter.attribute, filter.is_prefix, filter.value))
    }

    #[test]
    fn filter_is_parsed_with_and_without_spaces_and_quotes() {
        for (text, attribute, is_prefix, value) in [
            (r#"email = "a@b.c""#, "email", false, "a@b.c"),
            (r#"email="a@b.c""#, "email", false, "a@b.c"),
            (r#"  "given_name"  ^=  "J"  "#, "given_name", true, "J"),
            (r#"name = "a \"b\" \\ c""#, "name", false, r#"a "b" \ c"#),
            (r#"cognito:user_status="CONFIRMED""#, "cognito:user_status", false, "CONFIRMED"),
            (r#"name = "= ^=""#, "name", false, "= ^="),
        ] {
            assert_eq!(read(text), Some((attribute.into(), is_prefix, value.into())), "{text}");
        }
    }

    #[test]
    fn invalid_filter_is_rejected() {
        for text in [
            "foo",
            "email",
            "email =",
            "email = a@b.c",
            r#"email = "a"#,
            r#"email = "a" or email = "b""#,
            r#"email = "a"b""#,
            r#"email == "a""#,
            r#"email ~ "a""#,
            r#"= "a""#,
            r#"email = \"a\""#,
            r#"email = "a\"#,
        ] {
            let error = Filter::parse(text).unwrap_err();
            assert_eq!(error.message, "Error while parsing filter.", "{text}");
        }
        for name in ["custom:tenant", "address", "Email", "cognito:groups"] {
            let error = Filter::parse(&format!("{name} = \"a\"")).unwrap_err();
            assert_eq!(error.message, format!("Invalid search attribute: {name}"));
        }
    }
}
