/// Terminates each name. No group name contains it, because Cognito's API rejects control characters.
const TERMINATOR: u8 = b'\0';

/// A list of names in one allocation.
///
/// Policies read the names at each request. With one allocation for each name, a read takes twice as many cache lines.
#[derive(Clone, Default)]
pub(crate) struct Names(Box<str>);

impl Names {
    /// Creates a list. A name that contains the terminator is left out, so it grants nothing.
    pub(crate) fn new<'a>(names: impl Iterator<Item = &'a str> + Clone) -> Self {
        let names = names.filter(|name| !name.as_bytes().contains(&TERMINATOR));
        // The exact length, because a longer text would be moved when it becomes a `Box`.
        let length = names.clone().map(|name| name.len() + 1).sum();
        let mut text = String::with_capacity(length);
        for name in names {
            text.push_str(name);
            text.push(char::from(TERMINATOR));
        }
        Self(text.into())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> + Clone {
        self.0.split_terminator(char::from(TERMINATOR))
    }

    pub(crate) fn contains(&self, name: &str) -> bool {
        // Compares bytes, which takes half as many instructions as `iter`. The last byte is a terminator.
        self.0.as_bytes().split_last().is_some_and(|(_, names)| {
            names.split(|byte| *byte == TERMINATOR).any(|listed| listed == name.as_bytes())
        })
    }

    /// Returns the length of the list in bytes, including terminators.
    pub(crate) fn bytes(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_kept_in_order() {
        for list in [&[][..], &["a"], &[""], &["", ""], &["b", "a b", "ü", "b"]] {
            let names = Names::new(list.iter().copied());
            assert_eq!(names.iter().collect::<Vec<_>>(), list);
            assert!(list.iter().all(|name| names.contains(name)));
            assert!(!names.contains("c"));
            assert_eq!(names.contains(""), list.contains(&""));
        }
    }

    #[test]
    fn name_with_the_terminator_grants_nothing() {
        let names = Names::new(["a\0admin", "b", "admin\0", "\0admin"].into_iter());
        assert_eq!(names.iter().collect::<Vec<_>>(), ["b"]);
        assert!(!names.contains("admin"));
        assert!(Names::new(["b", "admin"].into_iter()).contains("admin"));
    }
}
