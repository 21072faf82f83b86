//! The texts of messages and their placeholders.

/// The placeholder for the code, or for the temporary password, in the text of a message.
pub(crate) const PLACE_OF_CODE: &str = "{####}";

/// The placeholder for the user name in the text of an invitation.
pub(crate) const PLACE_OF_NAME: &str = "{username}";

/// A placeholder for a link. The text between the marks is the text of the link.
pub(crate) const PLACE_OF_LINK: &str = "{##Click Here##}";

const LINK_START: &str = "{##";
const LINK_END: &str = "##}";

/// The text of a message, with placeholders.
pub(crate) struct MessageText {
    pub(crate) subject: Option<String>,
    pub(crate) body: String,
}

impl MessageText {
    pub(crate) fn has_link(&self) -> bool {
        has_link(&self.body)
    }
}

/// Returns whether the text of a message has a placeholder for a link.
pub(crate) fn has_link(body: &str) -> bool {
    next_link(body).is_some()
}

/// Replaces each placeholder for a link with an HTML link to an address.
pub(crate) fn with_links(body: &str, address: &str) -> String {
    let (mut replaced, mut rest) = (String::with_capacity(body.len()), body);
    while let Some((before, text, after)) = next_link(rest) {
        replaced.push_str(&format!("{before}<a href=\"{address}\">{text}</a>"));
        rest = after;
    }
    replaced + rest
}

/// Splits a body at the first placeholder for a link, into the text before it, the text of the link, and the rest.
/// [`PLACE_OF_CODE`] has the same marks but no text, and is not a link.
fn next_link(body: &str) -> Option<(&str, &str, &str)> {
    let mut searched = 0;
    loop {
        let start = searched + body.get(searched..)?.find(LINK_START)?;
        let inner = body.get(start + LINK_START.len()..)?;
        let (text, after) = inner.split_once(LINK_END)?;
        if !text.is_empty() {
            return Some((body.get(..start)?, text, after));
        }
        searched = start + LINK_START.len() + LINK_END.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_for_links_become_links_and_the_one_for_the_code_does_not() {
        for (body, expected) in [
            ("Go {##here##}.", "Go <a href=\"URL\">here</a>."),
            ("{##a##}{##b c##}", "<a href=\"URL\">a</a><a href=\"URL\">b c</a>"),
            ("{####} or {##é##}", "{####} or <a href=\"URL\">é</a>"),
            ("{####}", "{####}"),
            ("{##open", "{##open"),
            ("", ""),
        ] {
            assert_eq!(with_links(body, "URL"), expected);
            assert_eq!(has_link(body), expected != body, "{body}");
        }
    }
}
