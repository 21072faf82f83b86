use std::sync::Arc;

use crate::{
    model::{Client, Group, User},
    store::data::Data,
};

impl Data {
    /// Removes a session whose tokens were never issued.
    pub(crate) fn remove_session(&mut self, origin_jti: &str) {
        self.sessions.remove(origin_jti);
        self.refresh_tokens.retain(|_, token| token.origin_jti != origin_jti);
    }

    /// Removes a user with all sessions and unfinished sign-ins. Messages stay, as a log.
    pub(crate) fn remove_user(&mut self, username: &str) -> Option<Arc<User>> {
        let key = self.user_key(username);
        let user = self.users.remove(&key)?;
        let name = &user.username;
        self.sessions.retain(|_, session| session.username != *name);
        let Self { sessions, refresh_tokens, .. } = self;
        refresh_tokens.retain(|_, token| sessions.contains(&token.origin_jti));
        self.end_sign_ins(&user.username);
        Some(user)
    }

    /// Removes a user's challenges, authorization codes and browser sessions.
    pub(crate) fn end_sign_ins(&mut self, username: &str) {
        self.challenges.retain(|_, challenge| challenge.username != username);
        self.grants.retain(|_, grant| grant.username != username);
        self.browser_sessions.retain(|_, session| session.username != username);
    }

    /// Removes an app client with all its sessions and unfinished sign-ins.
    pub(crate) fn remove_client(&mut self, id: &str) -> Option<Arc<Client>> {
        let client = self.clients.remove(id)?;
        self.sessions.retain(|_, session| session.client_id != id);
        let Self { sessions, refresh_tokens, .. } = self;
        refresh_tokens.retain(|_, token| sessions.contains(&token.origin_jti));
        self.challenges.retain(|_, challenge| challenge.client_id != id);
        self.grants.retain(|_, grant| grant.client_id != id);
        Some(client)
    }

    /// Removes a group, also from its users. A new group of the same name has no users.
    pub(crate) fn remove_group(&mut self, name: &str) -> Option<Arc<Group>> {
        let group = self.groups.remove(name)?;
        let members: Vec<_> = self
            .users
            .iter()
            .filter(|(_, user)| user.groups.contains(name))
            .map(|(key, _)| key.to_owned())
            .collect();
        for key in members {
            if let Some(user) = self.users.get_mut(&key) {
                user.groups.remove(name);
            }
        }
        Some(group)
    }
}
