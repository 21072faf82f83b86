use std::collections::{BTreeMap, BTreeSet};

use crate::{
    model::{
        User,
        settings::{Alias, Contact},
    },
    store::Data,
};

/// What users are known by, so that nobody has to look at all of them to find one.
///
/// It is brought up to date at the end of each change. Until then, [`Data::known_as`] looks at the users that the
/// change touched one by one.
#[derive(Debug, Default)]
pub(crate) struct Names {
    /// The keys of users, by what they are known by.
    keys: BTreeMap<String, BTreeSet<String>>,
    /// What users are known by, by their keys.
    texts: BTreeMap<String, BTreeSet<String>>,
}

impl Names {
    fn learn(&mut self, key: &str, user: Option<&User>) {
        let texts = user.map(texts_of).unwrap_or_default();
        let before = self.texts.remove(key).unwrap_or_default();
        for gone in before.difference(&texts) {
            if let Some(keys) = self.keys.get_mut(gone) {
                keys.remove(key);
                if keys.is_empty() {
                    self.keys.remove(gone);
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
}

impl Data {
    /// Users of whom this may be the user name, the `sub`, a contact or the preferred name, whatever its case and
    /// whether or not it is proven: the caller looks closer.
    pub(crate) fn known_as(&self, text: &str) -> impl Iterator<Item = &User> {
        let known = self.names.keys.get(&folded(text)).into_iter().flatten().map(String::as_str);
        known.chain(self.users.changed()).filter_map(|key| self.users.get(key))
    }

    /// Takes note of the users that a change touched.
    pub(crate) fn learn_names(&mut self) {
        let Self { users, names, .. } = self;
        for key in users.changed() {
            names.learn(key, users.get(key));
        }
    }

    /// Takes note of all users.
    pub(crate) fn learn_all_names(&mut self) {
        let Self { users, names, .. } = self;
        for (key, user) in users.iter() {
            names.learn(key, Some(user));
        }
    }
}

fn texts_of(user: &User) -> BTreeSet<String> {
    let attributes = [
        Contact::Email.attribute(),
        Contact::PhoneNumber.attribute(),
        Alias::PreferredUsername.attribute(),
    ];
    let held = attributes.into_iter().filter_map(|name| user.attribute(name));
    held.chain([user.username.as_str(), user.sub.as_str()]).map(folded).collect()
}

fn folded(text: &str) -> String {
    text.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(name: &str, email: &str) -> User {
        let mut user = User::new(name.to_owned(), format!("sub of {name}"), 0);
        user.attributes.insert("email".to_owned(), email.to_owned());
        user
    }

    fn known(data: &Data, text: &str) -> BTreeSet<String> {
        data.known_as(text).map(|user| user.username.clone()).collect()
    }

    #[test]
    fn users_are_known_by_what_they_have_at_present() {
        let mut data = Data::default();
        for name in ["a", "b"] {
            data.users.insert(name, user(name, "Shared@example.com"));
        }
        // At once, and as well after the change is over.
        for _ in 0..2 {
            let both = known(&data, "shared@EXAMPLE.com");
            assert!(both.contains("a") && both.contains("b"));
            data.learn_names();
            data.settle();
        }
        assert_eq!(known(&data, "sub of a").len(), 1);

        if let Some(user) = data.users.get_mut("a") {
            user.attributes.insert("email".to_owned(), "new@example.com".to_owned());
        }
        assert!(known(&data, "new@example.com").contains("a"));
        data.users.remove("b");
        data.learn_names();
        data.settle();
        assert_eq!(known(&data, "new@example.com").len(), 1);
        for gone in ["shared@example.com", "b", "sub of b"] {
            assert!(known(&data, gone).is_empty(), "{gone}");
        }
        assert_eq!(data.names.texts.len(), 1);
        assert_eq!(data.names.keys.len(), 3);
    }

    #[test]
    fn users_who_were_kept_are_known_again() {
        let mut data = Data::default();
        let row = serde_json::to_vec(&user("a", "a@example.com")).unwrap();
        data.load("users", "a".to_owned(), &row).unwrap();
        data.learn_all_names();
        assert_eq!(known(&data, "A@example.com").len(), 1);
    }
}
