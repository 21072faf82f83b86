use std::sync::Arc;

use std::io;

use crate::{
    model::{
        BrowserSession, Challenge, Client, ExternalSignIn, Grant, Group, IdentityProvider, Message,
        PoolRecord, RefreshToken, ResourceServer, Session, StoredKey, UnknownName, User,
    },
    store::{
        names::Names,
        table::{Change, Table},
    },
};

/// The progress of an uncommitted change, so that a panic at any point of it leaves a state that the next change can
/// complete.
#[derive(Default)]
pub(crate) enum Progress {
    /// Made in memory, and not to be kept unless it gets further.
    #[default]
    Made,
    /// Undone in memory while it is being written to disk.
    Undone,
    /// On disk, and made again in memory.
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

            /// Makes the present state the one that later changes start from.
            pub(crate) fn settle(&mut self) {
                $(self.$name.settle();)*
                self.progress = Progress::Made;
            }

            /// Undoes the unsettled changes, or reapplies them if they are undone.
            pub(crate) fn swap_changes(&mut self) {
                $(self.$name.swap_changes();)*
            }

            pub(crate) fn load(&mut self, table: &str, key: String, row: &[u8]) -> serde_json::Result<()> {
                match table {
                    $(stringify!($name) => self.$name.load(key, row),)*
                    // A table of a later version.
                    _ => Ok(()),
                }
            }
        }
    };
}

tables! {
    /// One row, by the pool's id.
    pool: PoolRecord,
    /// By id.
    clients: Client,
    /// By user name, in lower case unless the pool is case-sensitive.
    users: User,
    /// By name.
    groups: Group,
    /// Sign-ins, by the `origin_jti` of their tokens.
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
    pub(crate) fn learn_names(&mut self) {
        let Self { users, names, .. } = self;
        for key in users.changed() {
            names.learn(key, users.get(key).map(|user| &**user));
        }
    }

    /// Builds the index of names.
    pub(crate) fn learn_all_names(&mut self) {
        let Self { users, names, .. } = self;
        for (key, user) in users.iter() {
            names.learn(key, Some(user));
        }
    }
}

impl Data {
    pub(crate) fn begin_change(&mut self) -> io::Result<()> {
        if self.is_closed {
            return Err(deleted());
        }
        // A change that panicked leaves its changes unsettled.
        match self.progress {
            Progress::Made => self.undo_change(),
            Progress::Undone => self.settle(),
            Progress::Written => {
                self.learn_names();
                self.settle();
            }
        }
        Ok(())
    }

    pub(crate) fn undo_change(&mut self) {
        self.swap_changes();
        self.settle();
    }
}

/// The error for a change of a pool that was deleted.
pub(crate) fn deleted() -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, "the pool was deleted")
}
