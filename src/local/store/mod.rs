//! What a pool knows: tables in memory, and on disk if asked.

mod disk;
mod federation;
mod find;
mod names;
mod records;
mod remove;
mod table;
mod user;

use std::{
    io,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

pub(super) use self::{
    disk::Disk,
    federation::{ExternalSignIn, IdentityProvider},
    records::{
        BrowserSession, Challenge, ChallengeKind, Client, CustomRound, Grant, Group, Message,
        PoolRecord, RefreshToken, ResourceServer, ResourceServerScope, Session, StoredKey,
    },
    table::Table,
    user::{
        Code, CodePurpose, Failures, Identity, MfaPreference, SoftwareToken, Stranger, User,
        UserStatus,
    },
};
use self::{names::Names, table::Change};
use super::mail::Outbox;

/// One pool's data, of which one caller at a time reads or writes.
pub(super) struct Store {
    data: Mutex<Data>,
    disk: Option<Arc<Disk>>,
    outbox: OnceLock<Outbox>,
    pool_id: String,
}

macro_rules! tables {
    ($($(#[$doc:meta])* $name:ident: $row:ty,)*) => {
        /// All tables of a pool.
        #[derive(Default)]
        pub(super) struct Data {
            $($(#[$doc])* pub(super) $name: Table<$row>,)*
            names: Names,
            is_closed: bool,
        }

        impl Data {
            fn changes(&self) -> serde_json::Result<Vec<Change>> {
                let mut changes = Vec::new();
                $(changes.append(&mut self.$name.changes(stringify!($name))?);)*
                Ok(changes)
            }

            fn settle(&mut self) {
                $(self.$name.settle();)*
            }

            fn take_back(&mut self) {
                $(self.$name.take_back();)*
                self.learn_names();
            }

            fn load(&mut self, table: &str, key: String, row: &[u8]) -> serde_json::Result<()> {
                match table {
                    $(stringify!($name) => self.$name.load(key, row),)*
                    // A table that a later version has.
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
    /// By user name, in small letters where case does not matter.
    users: User,
    /// By name.
    groups: Group,
    /// Sign-ins, by the `origin_jti` of their tokens.
    sessions: Session,
    /// By the digest of the token.
    refresh_tokens: RefreshToken,
    /// Challenges that wait for an answer, by the digest of their `Session`.
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
    /// Browsers that are at a provider, by the digest of their state.
    external_sign_ins: ExternalSignIn,
    /// Names that are nobody's, by their digest.
    strangers: Stranger,
    /// By number.
    keys: StoredKey,
}

impl Store {
    /// In memory, or with what was kept on disk.
    pub(super) fn open(pool_id: &str, disk: Option<Arc<Disk>>) -> io::Result<Self> {
        let mut data = Data::default();
        if let Some(disk) = &disk {
            for (table, key, row) in disk.rows(pool_id)? {
                data.load(&table, key, &row).map_err(|error| {
                    let what = format!("the {table} of pool {pool_id} cannot be read: {error}");
                    io::Error::new(io::ErrorKind::InvalidData, what)
                })?;
            }
        }
        data.learn_all_names();
        let (data, outbox) = (Mutex::new(data), OnceLock::new());
        Ok(Self { data, disk, outbox, pool_id: pool_id.to_owned() })
    }

    /// Has messages mailed from now on. The first outbox stays.
    pub(super) fn mail_by(&self, outbox: Outbox) {
        self.outbox.get_or_init(|| outbox);
    }

    pub(super) fn read<R>(&self, read: impl FnOnce(&Data) -> R) -> R {
        read(&self.data.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Forgets all, on disk too, and takes no more changes: of a pool that is deleted, nothing comes back.
    pub(super) fn close(&self) -> io::Result<()> {
        let mut data = self.data.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(disk) = &self.disk {
            disk.forget(&self.pool_id)?;
        }
        *data = Data { is_closed: true, ..Data::default() };
        Ok(())
    }

    /// Changes data. What changed is on disk when this returns.
    ///
    /// # Errors
    /// The disk does not take it: then nothing changed.
    pub(super) fn write<R>(&self, write: impl FnOnce(&mut Data) -> R) -> io::Result<R> {
        let mut data = self.data.lock().unwrap_or_else(PoisonError::into_inner);
        if data.is_closed {
            return Err(io::Error::new(io::ErrorKind::NotFound, "the pool was deleted"));
        }
        let result = write(&mut data);
        data.learn_names();
        let kept = self.keep(&data);
        if kept.is_err() {
            data.take_back();
        } else if let Some(outbox) = self.outbox.get() {
            // What was not kept was not sent.
            let sent = data.messages.changed().filter_map(|key| data.messages.get(key)).cloned();
            sent.for_each(|message| outbox.put(message));
        }
        data.settle();
        kept.map(|()| result)
    }

    /// Whether data is on disk too.
    pub(super) fn is_kept(&self) -> bool {
        self.disk.is_some()
    }

    fn keep(&self, data: &Data) -> io::Result<()> {
        let Some(disk) = &self.disk else { return Ok(()) };
        let changes = data.changes().map_err(io::Error::other)?;
        if changes.is_empty() { Ok(()) } else { disk.write(&self.pool_id, &changes) }
    }
}
