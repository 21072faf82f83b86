use std::sync::Arc;

use crate::{
    model::{
        Identity, User,
        settings::{Alias, Contact, PoolSettings},
    },
    store::data::Data,
};

impl Data {
    /// Returns the pool's settings.
    pub(crate) fn settings(&self) -> Arc<PoolSettings> {
        self.pool.values().next().map(|record| Arc::clone(&record.settings)).unwrap_or_default()
    }

    /// The key under which a user of this name stands.
    pub(crate) fn user_key(&self, username: &str) -> String {
        if self.is_case_sensitive() { username.to_owned() } else { username.to_lowercase() }
    }

    /// A user by user name, `sub`, or alias.
    pub(crate) fn find_user(&self, name: &str) -> Option<&Arc<User>> {
        if let Some(user) = self.users.get(&self.user_key(name)) {
            return Some(user);
        }
        // An alias must not hide the user whose `sub` it equals.
        if let Some(user) = self.user_of_sub(name) {
            return Some(user);
        }
        let settings = &self.pool.values().next()?.settings;
        let same = |a: &str| {
            if settings.username_configuration.case_sensitive {
                a == name
            } else {
                a.to_lowercase() == name.to_lowercase()
            }
        };
        self.known_as(name).find(|user| {
            let is_contact = || {
                let mut contacts = settings.username_attributes.iter();
                contacts.any(|contact| user.attribute(contact.attribute()).is_some_and(same))
            };
            let is_alias = || {
                settings.alias_attributes.iter().any(|alias| {
                    stands_for(user, *alias) && user.attribute(alias.attribute()).is_some_and(same)
                })
            };
            !user.is_external() && (is_contact() || is_alias())
        })
    }

    /// A user by their `sub`, whatever their name is by now.
    pub(crate) fn user_of_sub(&self, sub: &str) -> Option<&Arc<User>> {
        self.known_as(sub).find(|user| user.sub == sub)
    }

    /// A user by user name alone: rows refer to users by this name.
    pub(crate) fn exact_user(&self, username: &str) -> Option<&Arc<User>> {
        self.users.get(&self.user_key(username))
    }

    pub(crate) fn exact_user_mut(&mut self, username: &str) -> Option<&mut User> {
        let key = self.user_key(username);
        self.users.get_mut(&key)
    }

    /// The user of a session that is not over.
    pub(crate) fn holder(&self, origin_jti: &str) -> Option<&Arc<User>> {
        let session = self.sessions.get(origin_jti)?;
        let user = self.exact_user(&session.username)?;
        let stands = user.sub == session.sub && user.enabled && !session.is_over(user);
        stands.then_some(user)
    }

    /// A user to change.
    pub(crate) fn find_user_mut(&mut self, name: &str) -> Option<&mut User> {
        let username = self.find_user(name)?.username.clone();
        let key = self.user_key(&username);
        self.users.get_mut(&key)
    }

    /// Returns whether a contact is already an alias of another user.
    pub(crate) fn is_taken(&self, contact: Contact, value: &str, but: &str) -> bool {
        let settings = self.settings();
        let as_name = settings.username_attributes.contains(&contact);
        let as_alias =
            settings.alias_attributes.iter().any(|alias| alias.contact() == Some(contact));
        (as_name || as_alias)
            && self.known_as(value).any(|user| {
                user.username != but
                    && !user.is_external()
                    && (as_name || user.has_verified(contact))
                    && user
                        .attribute(contact.attribute())
                        .is_some_and(|held| held.eq_ignore_ascii_case(value))
            })
    }

    /// Returns the user to whom an account at a provider is linked.
    pub(crate) fn user_of_account(&self, provider: &str, id: &str) -> Option<&Arc<User>> {
        self.users.values().find(|user| {
            let is_it =
                |account: &Identity| account.provider_name == provider && account.user_id == id;
            user.identities.iter().any(is_it)
        })
    }

    fn is_case_sensitive(&self) -> bool {
        let record = self.pool.values().next();
        record.is_some_and(|record| record.settings.username_configuration.case_sensitive)
    }
}

/// A contact stands for the user name once it is verified.
fn stands_for(user: &User, alias: Alias) -> bool {
    alias.contact().is_none_or(|contact| user.has_verified(contact))
}
