use std::collections::{BTreeMap, BTreeSet};

use super::{
    super::settings::{Alias, Contact},
    Data, User,
};

/// What users are known by, so that nobody has to look at all of them to find one.
///
/// It is brought up to date at the end of each change. Until then, [`Data::known_as`] looks at the users that the
/// change touched one by one.
#[derive(Debug, Default)]
pub(super) struct Names {
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
    pub(in crate::local) fn known_as(&self, text: &str) -> impl Iterator<Item = &User> {
        let known = self.names.keys.get(&folded(text)).into_iter().flatten().map(String::as_str);
        known.chain(self.users.changed()).filter_map(|key| self.users.get(key))
    }

    /// Takes note of the users that a change touched.
    pub(super) fn learn_names(&mut self) {
        let Self { users, names, .. } = self;
        for key in users.changed() {
            names.learn(key, users.get(key));
        }
    }

    /// Takes note of all users.
    pub(super) fn learn_all_names(&mut self) {
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
