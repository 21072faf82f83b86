use std::collections::{BTreeMap, BTreeSet};

use crate::model::{
    User,
    settings::{Alias, Contact},
};

/// An index of users by every text that can identify one: user name, `sub`, contacts and preferred user name.
///
/// It is updated at the end of each change. Until then, `Data::known_as` also returns the users that the change touched.
#[derive(Default)]
pub(crate) struct Names {
    /// The keys of users, by text.
    keys: BTreeMap<String, BTreeSet<String>>,
    /// The texts of users, by their keys.
    texts: BTreeMap<String, BTreeSet<String>>,
}

impl Names {
    /// Updates the index for a user, who is `None` once removed.
    pub(crate) fn update(&mut self, key: &str, user: Option<&User>) {
        let texts = user.map(texts_of).unwrap_or_default();
        let before = self.texts.remove(key).unwrap_or_default();
        for removed in before.difference(&texts) {
            if let Some(keys) = self.keys.get_mut(removed) {
                keys.remove(key);
                if keys.is_empty() {
                    self.keys.remove(removed);
                }
            }
        }
        for new in texts.difference(&before) {
            self.keys.entry(new.clone()).or_default().insert(key.to_owned());
        }
        if !texts.is_empty() {
            self.texts.insert(key.to_owned(), texts);
        }
    }

    /// Returns the keys of the users that a text may identify, in any case.
    pub(crate) fn keys_of(&self, text: &str) -> impl Iterator<Item = &str> {
        self.keys.get(&folded(text)).into_iter().flatten().map(String::as_str)
    }
}

fn texts_of(user: &User) -> BTreeSet<String> {
    let attributes = [
        Contact::Email.attribute(),
        Contact::PhoneNumber.attribute(),
        Alias::PreferredUsername.attribute(),
    ];
    let values = attributes.into_iter().filter_map(|name| user.attribute(name));
    values.chain([user.username.as_str(), user.sub.as_str()]).map(folded).collect()
}

fn folded(text: &str) -> String {
    text.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Data;

    fn user(name: &str, email: &str) -> User {
        let mut user = User::new(name.to_owned(), format!("sub of {name}"), 0);
        user.attributes.insert("email".to_owned(), email.to_owned());
        user
    }

    fn known(data: &Data, text: &str) -> BTreeSet<String> {
        data.known_as(text).map(|user| user.username.clone()).collect()
    }

    #[test]
    fn users_are_found_by_their_current_names() {
        let mut data = Data::default();
        for name in ["a", "b"] {
            data.users.insert(name, user(name, "Shared@example.com"));
        }
        // Before and after the change is settled.
        for _ in 0..2 {
            let both = known(&data, "shared@EXAMPLE.com");
            assert!(both.contains("a") && both.contains("b"));
            data.update_names();
            data.settle();
        }
        assert_eq!(known(&data, "sub of a").len(), 1);

        if let Some(user) = data.users.get_mut("a") {
            user.attributes.insert("email".to_owned(), "new@example.com".to_owned());
        }
        assert!(known(&data, "new@example.com").contains("a"));
        data.users.remove("b");
        data.update_names();
        data.settle();
        assert_eq!(known(&data, "new@example.com").len(), 1);
        for removed in ["shared@example.com", "b", "sub of b"] {
            assert!(known(&data, removed).is_empty(), "{removed}");
        }
        assert_eq!(data.names.texts.len(), 1);
        assert_eq!(data.names.keys.len(), 3);
    }

    #[test]
    fn loaded_users_are_found_by_their_names() {
        let mut data = Data::default();
        let row = serde_json::to_vec(&user("a", "a@example.com")).unwrap();
        data.load("users", "a".to_owned(), &row).unwrap();
        data.index_all_names();
        assert_eq!(known(&data, "A@example.com").len(), 1);
    }
}
