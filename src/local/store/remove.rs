use super::{Data, User};

impl Data {
    /// Forgets a user with every sign-in, so that no token of theirs works any more. Messages stay: they are what
    /// was sent.
    pub(in crate::local) fn remove_user(&mut self, username: &str) -> Option<User> {
        let key = self.user_key(username);
        let user = self.users.remove(&key)?;
        let name = &user.username;
        self.sessions.retain(|_, session| session.username != *name);
        let Self { sessions, refresh_tokens, .. } = self;
        refresh_tokens.retain(|_, token| sessions.contains(&token.origin_jti));
        self.challenges.retain(|_, challenge| challenge.username != *name);
        self.grants.retain(|_, grant| grant.username != *name);
        self.browser_sessions.retain(|_, session| session.username != *name);
        Some(user)
    }
}
