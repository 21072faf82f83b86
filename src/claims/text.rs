use std::{borrow::Cow, ops::Range};

/// A claim's text: its place in the payload, so that it takes no memory of its own; or the text itself,
/// where the payload writes it with escapes.
pub(crate) enum Text {
    At(Range<usize>),
    Own(Box<str>),
}

impl Text {
    /// Keeps a text that was read from the payload.
    pub(crate) fn of(text: Cow<'_, str>, payload: &str) -> Self {
        match text {
            Cow::Borrowed(text) => {
                place(text, payload).map_or_else(|| Self::Own(text.into()), Self::At)
            }
            Cow::Owned(text) => Self::Own(text.into_boxed_str()),
        }
    }

    /// The text, given the payload that it was read from.
    pub(crate) fn within<'a>(&'a self, payload: &'a str) -> &'a str {
        match self {
            Self::At(place) => payload.get(place.clone()).unwrap_or_default(),
            Self::Own(text) => text,
        }
    }
}

/// Where a slice of the payload stands in it; nothing if it is a slice of something else. Both are there
/// now, so that no other text can have these addresses.
fn place(text: &str, payload: &str) -> Option<Range<usize>> {
    let start = text.as_ptr().addr().checked_sub(payload.as_ptr().addr())?;
    let place = start..start.checked_add(text.len())?;
    (place.end <= payload.len()).then_some(place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_what_was_read_wherever_it_is_kept() {
        let payload = r#"{"sub":"abc","username":"a\u0062c","empty":""}"#;
        let (abc, elsewhere) = (&payload[8..11], String::from("abc"));
        for (text, is_place) in [
            (Cow::Borrowed(abc), true),
            (Cow::Borrowed(&payload[..0]), true),
            (Cow::Borrowed(payload), true),
            (Cow::Owned("abc".to_owned()), false),
            (Cow::Borrowed(elsewhere.as_str()), false),
        ] {
            let kept = Text::of(text.clone(), payload);
            assert_eq!(matches!(kept, Text::At(_)), is_place, "{text}");
            assert_eq!(kept.within(payload), text);
        }
    }
}
