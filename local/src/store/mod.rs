//! A pool's data: tables in memory, and optionally on disk.

mod data;
mod disk;
mod error;
mod find;
pub(crate) mod mail;
mod names;
mod remove;
mod sessions;
mod table;

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};

pub(crate) use self::{data::Data, disk::Disk, error::StoreError, table::Table};
use self::{data::Progress, mail::Outbox, table::Change};
pub(crate) use crate::model::ExternalSignIn;
use crate::{
    blocking,
    model::{Message, StoredKey},
};

/// One pool's data.
///
/// The lock is held while data is read or a change is computed, never while a change is written to disk. A change is
/// visible once it is on disk.
pub(crate) struct Store(Arc<Inner>);

struct Inner {
    data: Mutex<Data>,
    /// Held by the change that is being written to disk. Changes are written one at a time.
    writing: Arc<tokio::sync::Mutex<()>>,
    /// Held while signing keys are written and while the pool is deleted. No key is written after its pool was deleted.
    keys: Mutex<()>,
    disk: Option<Arc<Disk>>,
    outbox: OnceLock<Outbox>,
    pool_id: String,
}

impl Store {
    /// Opens a store in memory, or with the data on disk.
    pub(crate) fn open(pool_id: &str, disk: Option<Arc<Disk>>) -> io::Result<Self> {
        let mut data = Data::default();
        if let Some(disk) = &disk {
            for (table, key, row) in disk.rows(pool_id)? {
                data.load(&table, key, &row).map_err(|error| {
                    let what = format!("the {table} of pool {pool_id} cannot be read: {error}");
                    io::Error::new(io::ErrorKind::InvalidData, what)
                })?;
            }
        }
        data.index_all_names();
        Ok(Self(Arc::new(Inner {
            data: Mutex::new(data),
            writing: Arc::default(),
            keys: Mutex::default(),
            disk,
            outbox: OnceLock::new(),
            pool_id: pool_id.to_owned(),
        })))
    }

    /// Sets the outbox that sends e-mail messages. Only the first call has an effect.
    pub(crate) fn mail_by(&self, outbox: Outbox) {
        self.0.outbox.get_or_init(|| outbox);
    }

    /// Reads data.
    pub(crate) fn read<R>(&self, read: impl FnOnce(&Data) -> R) -> R {
        read(&self.0.lock())
    }

    /// Removes all data, also from disk, and rejects later changes. If `check` returns an error, nothing is removed. No
    /// change can come between the check and the removal.
    ///
    /// # Errors
    /// The outer error: the data cannot be removed from disk, or the pool was deleted before.
    pub(crate) async fn close<E: Send + 'static>(
        &self,
        check: impl FnOnce(&Data) -> Result<(), E> + Send + 'static,
    ) -> Result<Result<(), E>, StoreError> {
        let writing = Arc::clone(&self.0.writing).lock_owned().await;
        let inner = Arc::clone(&self.0);
        blocking::run(move || {
            let _keys = inner.keys.lock().unwrap_or_else(PoisonError::into_inner);
            let mut data = inner.lock();
            data.begin_change()?;
            if let Err(error) = check(&data) {
                return Ok(Err(error));
            }
            if let Some(disk) = &inner.disk {
                // No other change of a store with a disk can run, because `writing` is held.
                drop(data);
                disk.delete(&inner.pool_id)?;
                data = inner.lock();
            }
            *data = Data { is_closed: true, ..Data::default() };
            drop(data);
            drop(writing);
            Ok(Ok(()))
        })
        .await
    }

    /// Changes data. If `write` returns an error, all its changes are undone. The changes are on disk when this
    /// returns.
    ///
    /// # Errors
    /// The outer error: the changes cannot be written to disk, or the pool was deleted. All changes are undone then.
    pub(crate) async fn write<R: Send, E: Send>(
        &self,
        write: impl FnOnce(&mut Data) -> Result<R, E> + Send,
    ) -> Result<Result<R, E>, StoreError> {
        self.change(write, Result::is_ok).await
    }

    /// Like [`write`](Self::write), but keeps the changes even if `write` returns an error: for counters of wrong
    /// passwords and wrong codes, and for sessions that end because a code or a token was used twice.
    pub(crate) async fn write_always<R: Send>(
        &self,
        write: impl FnOnce(&mut Data) -> R + Send,
    ) -> Result<R, StoreError> {
        self.change(write, |_| true).await
    }

    async fn change<R: Send>(
        &self,
        write: impl FnOnce(&mut Data) -> R + Send,
        is_kept: impl FnOnce(&R) -> bool + Send,
    ) -> Result<R, StoreError> {
        let Some(disk) = &self.0.disk else {
            let mut data = self.0.lock();
            data.begin_change()?;
            let result = write(&mut data);
            if is_kept(&result) {
                self.0.finish_change(&mut data);
            } else {
                data.undo_change();
            }
            return Ok(result);
        };
        let writing = Arc::clone(&self.0.writing).lock_owned().await;
        let (result, changes) = {
            let mut data = self.0.lock();
            data.begin_change()?;
            let result = write(&mut data);
            let changes = if is_kept(&result) {
                data.changes().map_err(|error| StoreError::Io(io::Error::other(error)))
            } else {
                Ok(vec![])
            };
            // The changes become visible once they are on disk.
            data.swap_changes();
            data.progress = Progress::Undone;
            match changes {
                Ok(changes) if !changes.is_empty() => (result, changes),
                not_written => {
                    data.settle();
                    return not_written.map(|_| result);
                }
            }
        };
        let (inner, disk) = (Arc::clone(&self.0), Arc::clone(disk));
        blocking::run(move || {
            let written = disk.write(&inner.pool_id, &changes);
            let mut data = inner.lock();
            match written {
                Ok(()) => {
                    data.swap_changes();
                    data.progress = Progress::Written;
                    inner.finish_change(&mut data);
                }
                Err(_) => data.settle(),
            }
            drop(writing);
            written
        })
        .await?;
        Ok(result)
    }

    /// Writes new signing keys to disk and removes old ones, by their numbers. It blocks the thread.
    ///
    /// # Errors
    /// The keys cannot be written, or the pool was deleted.
    pub(crate) fn write_keys(
        &self,
        new: Vec<(String, StoredKey)>,
        old: Vec<String>,
    ) -> Result<(), StoreError> {
        let Some(disk) = &self.0.disk else { return Ok(()) };
        let _keys = self.0.keys.lock().unwrap_or_else(PoisonError::into_inner);
        if self.read(|data| data.is_closed) {
            return Err(StoreError::Deleted);
        }
        let old = old.into_iter().map(|key| Ok(Change { table: KEYS, key, row: None }));
        let new = new.into_iter().map(|(key, row)| {
            let row = serde_json::to_vec(&row).map_err(io::Error::other)?;
            Ok(Change { table: KEYS, key, row: Some(row) })
        });
        let changes = old.chain(new).collect::<io::Result<Vec<_>>>()?;
        Ok(disk.write(&self.0.pool_id, &changes)?)
    }

    /// Writes a secret to disk, before the pool is served. It blocks the thread.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(crate) fn write_secret(&self, purpose: &str, secret: &str) -> io::Result<()> {
        let Some(disk) = &self.0.disk else { return Ok(()) };
        let row = serde_json::to_vec(secret).map_err(io::Error::other)?;
        let change = Change { table: SECRETS, key: purpose.to_owned(), row: Some(row) };
        disk.write(&self.0.pool_id, &[change])
    }

    /// Returns whether data is also on disk.
    pub(crate) fn is_on_disk(&self) -> bool {
        self.0.disk.is_some()
    }
}

/// The table of signing keys.
const KEYS: &str = "keys";

/// The table of secrets.
const SECRETS: &str = "secrets";

impl Inner {
    fn lock(&self) -> MutexGuard<'_, Data> {
        self.data.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Settles changes, and sends new messages. A message of a change that failed is not sent.
    fn finish_change(&self, data: &mut Data) {
        data.update_names();
        if let Some(outbox) = self.outbox.get() {
            let sent = data.messages.changed().filter_map(|key| data.messages.get(key));
            sent.for_each(|message| outbox.put(Message::clone(message)));
        }
        data.settle();
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::model::{Group, User};

    const POOL: &str = "us-east-1_Local0001";

    /// A data file of one test, removed on drop.
    struct DataFile(PathBuf);

    impl DataFile {
        fn new(name: &str) -> Self {
            let name = format!("tower-cognito-store-{}-{name}.redb", std::process::id());
            let file = Self(std::env::temp_dir().join(name));
            let _ = std::fs::remove_file(&file.0);
            file
        }

        fn open(&self) -> Store {
            Store::open(POOL, Some(Arc::new(Disk::open(&self.0).unwrap()))).unwrap()
        }
    }

    impl Drop for DataFile {
        fn drop(&mut self) {
            let _ = std::fs::remove_file(&self.0);
        }
    }

    fn user(name: &str) -> User {
        User::new(name.to_owned(), format!("sub of {name}"), 0)
    }

    fn group(name: &str) -> Group {
        Group {
            name: name.to_owned(),
            description: None,
            role_arn: None,
            precedence: None,
            created_at: 0,
            modified_at: 0,
        }
    }

    /// Adds the rows that [`change_all`] changes.
    async fn fill(store: &Store) {
        let begun = store.write(|data| {
            for name in ["changed", "removed", "retained"] {
                data.users.insert(name, user(name));
            }
            data.groups.insert("kept", group("kept"));
            Ok::<_, ()>(())
        });
        begun.await.unwrap().unwrap();
    }

    /// Changes rows in every possible way.
    fn change_all(data: &mut Data) {
        data.users.insert("new", user("new"));
        data.users.get_mut("changed").unwrap().enabled = false;
        data.users.remove("removed");
        data.users.retain(|key, _| key != "retained");
        data.groups.insert("kept", Group { precedence: Some(1), ..group("kept") });
        data.groups.insert("new", group("new"));
        // Changed twice: an undo must restore the row from before both changes.
        data.groups.insert("new", group("newer"));
        data.users.get_mut("changed").unwrap().modified_at = 7;
    }

    fn change_all_and_succeed(data: &mut Data) -> Result<(), ()> {
        change_all(data);
        Ok(())
    }

    /// Returns what the changes affect: rows, and names that users are found by.
    fn seen(store: &Store) -> (Vec<String>, bool, u64, Option<u32>, Vec<String>) {
        store.read(|data| {
            let keys = data.users.iter().map(|(key, _)| key.to_owned()).collect();
            let changed = data.users.get("changed").unwrap();
            let known = ["new", "removed"].into_iter();
            let known =
                known.filter(|name| data.known_as(&format!("sub of {name}")).next().is_some());
            let precedence = data.groups.get("kept").unwrap().precedence;
            let (enabled, modified_at) = (changed.enabled, changed.modified_at);
            (keys, enabled, modified_at, precedence, known.map(str::to_owned).collect())
        })
    }

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[tokio::test]
    async fn rejected_write_changes_nothing_in_memory_and_on_disk() {
        let file = DataFile::new("rejected");
        let before =
            (texts(&["changed", "removed", "retained"]), true, 0, None, texts(&["removed"]));
        for store in [Store::open(POOL, None).unwrap(), file.open()] {
            fill(&store).await;
            let rejected = store.write(|data| {
                change_all(data);
                Err::<(), _>("rejected")
            });
            assert_eq!(rejected.await.unwrap(), Err("rejected"));
            assert_eq!(seen(&store), before);
            // The next write does not write the undone changes.
            store
                .write(|data| Ok::<_, ()>(data.groups.insert("later", group("later"))))
                .await
                .unwrap()
                .unwrap();
            assert_eq!(seen(&store), before);
        }
        let store = file.open();
        assert_eq!(seen(&store), before);
        assert!(store.read(|data| data.groups.contains("later") && !data.groups.contains("new")));
    }

    #[tokio::test]
    async fn write_that_fails_on_disk_changes_nothing() {
        let file = DataFile::new("closed");
        let disk = Arc::new(Disk::open(&file.0).unwrap());
        let store = Store::open(POOL, Some(Arc::clone(&disk))).unwrap();
        fill(&store).await;
        let before = seen(&store);
        disk.close();
        let is_stopped = |error: StoreError| matches!(error, StoreError::Io(error) if error.kind() == io::ErrorKind::NotConnected);
        assert!(is_stopped(store.write(change_all_and_succeed).await.unwrap_err()));
        assert_eq!(seen(&store), before);
        assert!(is_stopped(store.write_always(change_all).await.unwrap_err()));
        assert_eq!(seen(&store), before);
    }

    #[tokio::test]
    async fn next_write_undoes_the_changes_of_a_write_that_panicked() {
        let file = DataFile::new("panics");
        for store in [Store::open(POOL, None).unwrap(), file.open()] {
            fill(&store).await;
            let before = seen(&store);
            let store = Arc::new(store);
            let panicking = Arc::clone(&store);
            let write = async move {
                let panics = panicking.write(|data| -> Result<(), ()> {
                    change_all(data);
                    panic!("in the middle of a change")
                });
                panics.await
            };
            assert!(tokio::spawn(write).await.unwrap_err().is_panic());
            store.write(|_| Ok::<_, ()>(())).await.unwrap().unwrap();
            assert_eq!(seen(&store), before);
        }
        assert_eq!(seen(&file.open()).0.len(), 3);
    }

    #[tokio::test]
    async fn interrupted_change_is_completed_only_if_it_is_on_disk() {
        for is_written in [false, true] {
            let store = Store::open(POOL, None).unwrap();
            fill(&store).await;
            let before = seen(&store);
            let after = (texts(&["changed", "new"]), false, 7, Some(1), texts(&["new"]));
            {
                let mut data = store.0.lock();
                data.begin_change().unwrap();
                change_all(&mut data);
                data.swap_changes();
                data.progress = Progress::Undone;
                if is_written {
                    data.swap_changes();
                    data.progress = Progress::Written;
                }
            }
            // The next changes finish an interrupted change.
            for _ in 0..2 {
                store.write(|_| Ok::<_, ()>(())).await.unwrap().unwrap();
                let expected = if is_written { &after } else { &before };
                assert_eq!(seen(&store), *expected, "written: {is_written}");
            }
        }
    }

    #[tokio::test]
    async fn writing_keys_of_a_deleted_pool_is_an_error() {
        let file = DataFile::new("keys");
        let store = file.open();
        fill(&store).await;
        store.write_keys(Vec::new(), vec!["1".to_owned()]).unwrap();
        store.close(|_| Ok::<_, ()>(())).await.unwrap().unwrap();
        let error = store.write_keys(Vec::new(), vec!["1".to_owned()]).unwrap_err();
        assert!(matches!(error, StoreError::Deleted));
    }

    #[tokio::test]
    async fn accepted_changes_are_in_memory_and_on_disk() {
        let after = (texts(&["changed", "new"]), false, 7, Some(1), texts(&["new"]));
        for always in [false, true] {
            let file = DataFile::new(if always { "always" } else { "succeeds" });
            for store in [Store::open(POOL, None).unwrap(), file.open()] {
                fill(&store).await;
                if always {
                    let rejected = store.write_always(|data| {
                        change_all(data);
                        Err::<(), _>("rejected")
                    });
                    assert_eq!(rejected.await.unwrap(), Err("rejected"));
                } else {
                    store.write(change_all_and_succeed).await.unwrap().unwrap();
                }
                assert_eq!(seen(&store), after);
            }
            assert_eq!(seen(&file.open()), after);
        }
    }
}
