//! What `ListUsers` is asked for: `email = "jane@example.com"`, `name ^= "Ja"`.

use crate::{error::Error, model::User};

/// Whom a list is to hold.
#[derive(Debug)]
pub(crate) struct Filter {
    attribute: String,
    /// Whether a value that begins so is enough.
    by_beginning: bool,
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
    /// A filter that says nothing lets all users through.
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

    pub(crate) fn lets(&self, user: &User) -> bool {
        match self.attribute.as_str() {
            "username" => self.fits(&user.username),
            // This value alone is the same in large and small letters.
            "cognito:user_status" => {
                self.fits_as(&self.value.to_ascii_uppercase(), user.status.as_str())
            }
            "status" => self.fits(if user.enabled { "Enabled" } else { "Disabled" }),
            name => user.attribute(name).is_some_and(|held| self.fits(held)),
        }
    }

    fn fits(&self, held: &str) -> bool {
        self.fits_as(&self.value, held)
    }

    fn fits_as(&self, value: &str, held: &str) -> bool {
        if self.by_beginning { held.starts_with(value) } else { held == value }
    }
}

/// A name, bare or quoted, an operator, and a quoted value with nothing behind it.
fn parts(text: &str) -> Option<Filter> {
    let (attribute, rest) = match text.strip_prefix('"') {
        Some(_) => quoted(text)?,
        None => {
            let end = text.find(|sign: char| sign.is_whitespace() || "=^\"".contains(sign))?;
            let (name, rest) = text.split_at(end);
            (name.to_owned(), rest)
        }
    };
    let rest = rest.trim_start();
    let (by_beginning, rest) = match rest.strip_prefix("^=") {
        Some(rest) => (true, rest),
        None => (false, rest.strip_prefix('=')?),
    };
    let (value, rest) = quoted(rest.trim_start())?;
    (!attribute.is_empty() && rest.is_empty()).then_some(Filter { attribute, by_beginning, value })
}

/// A text in quotation marks, in which a backslash takes the meaning from the sign behind it, and what follows.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut signs = text.strip_prefix('"')?.chars();
    let mut value = String::new();
    loop {
        match signs.next()? {
            '"' => return Some((value, signs.as_str())),
            '\\' => value.push(signs.next()?),
            sign => value.push(sign),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<(String, bool, String)> {
        let filter = Filter::parse(text).ok()??;
        Some((filter.attribute, filter.by_beginning, filter.value))
    }

    #[test]
    fn filters_are_read_with_and_without_spaces_and_quotes() {
        for (text, attribute, by_beginning, value) in [
            (r#"email = "a@b.c""#, "email", false, "a@b.c"),
            (r#"email="a@b.c""#, "email", false, "a@b.c"),
            (r#"  "given_name"  ^=  "J"  "#, "given_name", true, "J"),
            (r#"name = "a \"b\" \\ c""#, "name", false, r#"a "b" \ c"#),
            (r#"cognito:user_status="CONFIRMED""#, "cognito:user_status", false, "CONFIRMED"),
            (r#"name = "= ^=""#, "name", false, "= ^="),
        ] {
            assert_eq!(read(text), Some((attribute.into(), by_beginning, value.into())), "{text}");
        }
    }

    #[test]
    fn what_is_no_filter_is_refused() {
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
