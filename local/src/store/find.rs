use std::sync::Arc;

use crate::{
    model::{
        Identity, User,
        settings::{Alias, Contact, OWN_PROVIDER, PoolSettings},
    },
    store::data::Data,
};

impl Data {
    /// Returns the pool's settings.
    pub(crate) fn settings(&self) -> Arc<PoolSettings> {
        self.pool.values().next().map(|record| Arc::clone(&record.settings)).unwrap_or_default()
    }

    /// Returns whether users can sign in at a provider: the pool itself, or an identity provider that exists.
    pub(crate) fn has_provider(&self, name: &str) -> bool {
        name == OWN_PROVIDER || self.identity_providers.contains(name)
    }

    /// Returns the key of a user in the table of users. Two user names or aliases are the same if their keys are equal.
    pub(crate) fn user_key(&self, username: &str) -> String {
        match self.pool.values().next() {
            Some(record) => record.settings.username_configuration.key(username),
            None => username.to_lowercase(),
        }
    }

    /// Returns whether two texts are the same user name or alias in this pool.
    fn is_same_name(&self, one: &str, other: &str) -> bool {
        self.user_key(one) == self.user_key(other)
    }

    /// Finds a user by user name, `sub` or alias.
    pub(crate) fn find_user(&self, name: &str) -> Option<&Arc<User>> {
        if let Some(user) = self.users.get(&self.user_key(name)) {
            return Some(user);
        }
        // An alias must not hide the user whose `sub` it equals.
        if let Some(user) = self.user_of_sub(name) {
            return Some(user);
        }
        let settings = &self.pool.values().next()?.settings;
        let has = |user: &User, attribute: &str| {
            user.attribute(attribute).is_some_and(|value| self.is_same_name(value, name))
        };
        self.known_as(name).find(|user| {
            let is_contact = || {
                let mut contacts = settings.username_attributes.iter();
                contacts.any(|contact| has(user, contact.attribute()))
            };
            let is_alias = || {
                let mut aliases = settings.alias_attributes.iter();
                aliases.any(|alias| is_in_effect(*alias, user) && has(user, alias.attribute()))
            };
            !user.is_external() && (is_contact() || is_alias())
        })
    }

    /// Finds a user by `sub`, even if their user name has changed.
    pub(crate) fn user_of_sub(&self, sub: &str) -> Option<&Arc<User>> {
        self.known_as(sub).find(|user| user.sub == sub)
    }

    /// Finds a user by user name only. Other rows refer to users by this name.
    pub(crate) fn exact_user(&self, username: &str) -> Option<&Arc<User>> {
        self.users.get(&self.user_key(username))
    }

    /// Finds a user by user name only, for a change.
    pub(crate) fn exact_user_mut(&mut self, username: &str) -> Option<&mut User> {
        let key = self.user_key(username);
        self.users.get_mut(&key)
    }

    /// Returns the user of a session, if the session is still valid and the user is enabled.
    pub(crate) fn session_user(&self, origin_jti: &str) -> Option<&Arc<User>> {
        let session = self.sessions.get(origin_jti)?;
        let user = self.exact_user(&session.username)?;
        let is_valid = user.sub == session.sub && user.enabled && !session.is_over(user);
        is_valid.then_some(user)
    }

    /// Finds a user by user name, `sub` or alias, for a change.
    pub(crate) fn find_user_mut(&mut self, name: &str) -> Option<&mut User> {
        let username = self.find_user(name)?.username.clone();
        let key = self.user_key(&username);
        self.users.get_mut(&key)
    }

    /// Returns whether a contact already identifies a user other than `username`.
    pub(crate) fn is_taken(&self, contact: Contact, value: &str, username: &str) -> bool {
        let settings = self.settings();
        let as_name = settings.username_attributes.contains(&contact);
        let as_alias =
            settings.alias_attributes.iter().any(|alias| alias.contact() == Some(contact));
        (as_name || as_alias)
            && self.known_as(value).any(|user| {
                user.username != username
                    && !user.is_external()
                    && (as_name || user.has_verified(contact))
                    && user
                        .attribute(contact.attribute())
                        .is_some_and(|other| self.is_same_name(other, value))
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
}

/// Returns whether a user can sign in with an alias. A contact must be verified first.
fn is_in_effect(alias: Alias, user: &User) -> bool {
    alias.contact().is_none_or(|contact| user.has_verified(contact))
}
