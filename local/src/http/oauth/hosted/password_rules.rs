//! The rules for a new password, as a list. A script marks the rules that the typed password meets; without scripts the
//! list does not change.

use maud::{Markup, PreEscaped, html};

use crate::model::settings::{PasswordPolicy, SYMBOLS};

/// The script of the list. The content security policy of the pages allows only this text.
pub(crate) const SCRIPT: &str = include_str!("password_rules.js");

/// Returns the list of rules for the field with an ID.
pub(crate) fn password_rules(policy: &PasswordPolicy, field: &str, list_id: &str) -> Markup {
    let length = policy.minimum_length;
    let symbols: String = SYMBOLS.chars().map(escaped).collect();
    let rules = [
        (true, format!("^.{{{length},}}$"), format!("At least {length} characters")),
        (policy.require_lowercase, "[a-z]".to_owned(), "A lowercase letter".to_owned()),
        (policy.require_uppercase, "[A-Z]".to_owned(), "An uppercase letter".to_owned()),
        (policy.require_numbers, "[0-9]".to_owned(), "A digit".to_owned()),
        (policy.require_symbols, format!("[{symbols}]"), "A symbol, for example - or !".to_owned()),
    ];
    html! {
        ul class="hint rules" id=(list_id) data-rules=(field) {
            @for (_, pattern, text) in rules.iter().filter(|(is_required, _, _)| *is_required) {
                li data-pattern=(pattern) { (text) }
            }
        }
        script { (PreEscaped(SCRIPT)) }
    }
}

/// Escapes a character of a class in a regular expression of JavaScript.
fn escaped(character: char) -> String {
    if "\\]^-".contains(character) { format!("\\{character}") } else { character.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn list_has_the_rules_that_the_policy_requires() {
        let all = password_rules(&PasswordPolicy::default(), "password", "hint").into_string();
        assert_eq!(all.matches("<li ").count(), 5);
        let policy = PasswordPolicy {
            minimum_length: 12,
            require_uppercase: false,
            require_lowercase: false,
            require_numbers: true,
            require_symbols: false,
            ..PasswordPolicy::default()
        };
        let some = password_rules(&policy, "password", "hint").into_string();
        assert_eq!(some.matches("<li ").count(), 2);
        assert!(some.contains("At least 12 characters") && some.contains("A digit"));
    }

    #[test]
    fn characters_with_a_meaning_in_a_class_are_escaped() {
        let escaped: String = "a\\]^-[ ".chars().map(escaped).collect();
        assert_eq!(escaped, "a\\\\\\]\\^\\-[ ");
    }
}
