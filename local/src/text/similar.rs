//! Finds the known word that is most similar to a misspelled one.

/// Returns the known word that is most similar to a word.
///
/// Two words are similar if they differ in at most two characters (one in a short word), or in case and separators only,
/// or if one is an abbreviation of the other: `min_length` of `minimum_length`, `identity_providers` of
/// `supported_identity_providers`.
pub(crate) fn similar<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let known = known.into_iter().filter_map(|known| Some((distance(word, known)?, known)));
    known.min_by_key(|(distance, _)| *distance).map(|(_, known)| known)
}

/// Returns the text `; did you mean …?`, or an empty text if no known word is similar.
pub(crate) fn did_you_mean<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    similar(word, known).map_or_else(String::new, |known| format!("; did you mean `{known}`?"))
}

/// Returns whether two words are the same, or differ in a few characters only.
pub(crate) fn is_misspelled(word: &str, known: &str) -> bool {
    edits(word, known).is_some()
}

/// Returns how different two words are, or `None` if they are not similar.
fn distance(word: &str, known: &str) -> Option<usize> {
    edits(word, known).or_else(|| is_abbreviation(word, known).then_some(usize::MAX))
}

/// Returns the number of characters in which two words differ, or `None` if it is too large for a mistake.
fn edits(word: &str, known: &str) -> Option<usize> {
    let (word, known) = (letters(word), letters(known));
    let allowed = match word.chars().count() {
        0..=2 => 0,
        3..=5 => 1,
        _ => 2,
    };
    Some(strsim::damerau_levenshtein(&word, &known)).filter(|edits| *edits <= allowed)
}

/// Returns a word in lowercase without separators.
fn letters(word: &str) -> String {
    word.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Returns whether the parts of a word begin some parts of a longer word, in the same order.
fn is_abbreviation(word: &str, long: &str) -> bool {
    let mut parts_of_long = long.split('_');
    let is_part =
        |part: &str| part.len() >= 3 && parts_of_long.any(|long_part| long_part.starts_with(part));
    !word.is_empty() && word.split('_').all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [&str; 6] = [
        "name",
        "minimum_length",
        "mfa_configuration",
        "email_mfa_configuration",
        "supported_identity_providers",
        "callback_urls",
    ];

    #[test]
    fn misspelled_and_abbreviated_words_have_a_suggestion() {
        for (word, expected) in [
            ("nmae", "name"),
            ("mfa_configuraton", "mfa_configuration"),
            ("MfaConfiguration", "mfa_configuration"),
            ("mfa-configuration", "mfa_configuration"),
            ("min_length", "minimum_length"),
            ("identity_providers", "supported_identity_providers"),
            ("callback_url", "callback_urls"),
            ("CallbackURLs", "callback_urls"),
        ] {
            assert_eq!(similar(word, KNOWN), Some(expected), "{word}");
        }
    }

    #[test]
    fn other_words_have_no_suggestion() {
        for word in ["", "x", "id", "colour", "web_authn_configuration", "key_configuration"] {
            assert_eq!(similar(word, KNOWN), None, "{word}");
        }
    }
}
