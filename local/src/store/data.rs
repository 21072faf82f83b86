use std::sync::Arc;

use crate::{
    model::{
        BrowserSession, Challenge, Client, ExternalSignIn, Grant, Group, IdentityProvider, Message,
        PoolRecord, RefreshToken, ResourceServer, Session, StoredKey, UnknownName, User,
    },
    store::{
        error::StoreError,
        names::Names,
        table::{Change, Table},
    },
};

/// The progress of a change that is not settled. If a panic interrupts the change, the next change completes or undoes
/// it.
#[derive(Default)]
pub(crate) enum Progress {
    /// Applied in memory. An interrupted change is undone.
    #[default]
    Applied,
    /// Undone in memory while it is written to disk. An interrupted change stays undone.
    Undone,
    /// On disk, and applied in memory again. An interrupted change is completed.
    Written,
}

macro_rules! tables {
    ($($(#[$doc:meta])* $name:ident: $row:ty,)*) => {
        /// All tables of a pool.
        #[derive(Default)]
        pub(crate) struct Data {
            $($(#[$doc])* pub(crate) $name: Table<$row>,)*
            pub(crate) names: Names,
            pub(crate) progress: Progress,
            pub(crate) is_closed: bool,
        }

        impl Data {
            /// Returns all unsettled changes, for the disk.
            pub(crate) fn changes(&self) -> serde_json::Result<Vec<Change>> {
                let mut changes = Vec::new();
                $(changes.append(&mut self.$name.changes(stringify!($name))?);)*
                Ok(changes)
            }

            /// Settles all changes: they can no longer be undone.
            pub(crate) fn settle(&mut self) {
                $(self.$name.settle();)*
                self.progress = Progress::Applied;
            }

            /// Undoes the unsettled changes, or reapplies them if they are undone.
            pub(crate) fn swap_changes(&mut self) {
                $(self.$name.swap_changes();)*
            }

            /// Adds a row that was read from disk.
            pub(crate) fn load(&mut self, table: &str, key: String, row: &[u8]) -> serde_json::Result<()> {
                match table {
                    $(stringify!($name) => self.$name.load(key, row),)*
                    // A later version may have more tables.
                    _ => Ok(()),
                }
            }
        }
    };
}

tables! {
    /// The pool itself: one row, by its id.
    pool: PoolRecord,
    /// By id.
    clients: Client,
    /// By user name, in lower case unless the pool is case-sensitive.
    users: User,
    /// By name.
    groups: Group,
    /// By the `origin_jti` of their tokens.
    sessions: Session,
    /// By the digest of the token.
    refresh_tokens: RefreshToken,
    /// Open challenges, by the digest of their `Session`.
    challenges: Challenge,
    /// By number, in the order in which they were sent.
    messages: Message,
    /// By identifier.
    resource_servers: ResourceServer,
    /// Authorization codes, by their digest.
    grants: Grant,
    /// Browsers that are signed in at the hosted pages, by the digest of their cookie.
    browser_sessions: BrowserSession,
    /// By name.
    identity_providers: IdentityProvider,
    /// Sign-ins at providers, by the digest of their state.
    external_sign_ins: ExternalSignIn,
    /// Names that no user has, by their digest.
    unknown_names: UnknownName,
    /// By number.
    keys: StoredKey,
    /// Secrets that never leave the pool, by purpose.
    secrets: String,
}

impl Data {
    /// Returns the users that a text may identify: by user name, `sub`, contact or preferred user name, in any case,
    /// verified or not. The caller checks which of them it identifies.
    pub(crate) fn known_as(&self, text: &str) -> impl Iterator<Item = &Arc<User>> {
        self.names.keys_of(text).chain(self.users.changed()).filter_map(|key| self.users.get(key))
    }

    /// Updates the index of names for the users that a change touched.
    pub(crate) fn update_names(&mut self) {
        let Self { users, names, .. } = self;
        for key in users.changed() {
            names.update(key, users.get(key).map(|user| &**user));
        }
    }

    /// Builds the index of names.
    pub(crate) fn index_all_names(&mut self) {
        let Self { users, names, .. } = self;
        for (key, user) in users.iter() {
            names.update(key, Some(user));
        }
    }

    /// Prepares for a change: completes or undoes one that a panic interrupted.
    pub(crate) fn begin_change(&mut self) -> Result<(), StoreError> {
        if self.is_closed {
            return Err(StoreError::Deleted);
        }
        match self.progress {
            Progress::Applied => self.undo_change(),
            Progress::Undone => self.settle(),
            Progress::Written => {
                self.update_names();
                self.settle();
            }
        }
        Ok(())
    }

    /// Undoes the unsettled changes.
    pub(crate) fn undo_change(&mut self) {
        self.swap_changes();
        self.settle();
    }
}
