use std::{
    collections::BTreeSet,
    fs::{File, OpenOptions},
    io,
    path::Path,
    sync::{PoisonError, RwLock},
};

use redb::{Database, DatabaseError, ReadableDatabase, StorageError, TableDefinition};

use crate::store::table::Change;

/// An embedded database that keeps committed data even if the process is killed.
pub(crate) struct Disk(RwLock<Option<Database>>);

/// By pool, table and key.
const ROWS: TableDefinition<'_, (&str, &str, &str), &[u8]> = TableDefinition::new("rows");

/// Identifies a file as a local pool's, and the version of its format.
const ABOUT: TableDefinition<'_, &str, &str> = TableDefinition::new("about");
const FORMAT: (&str, &str) = ("format", "tower-cognito local pool 1");

/// The mode of the file: only its owner can read and write it.
#[cfg(unix)]
const PRIVATE: u32 = 0o600;

impl Disk {
    /// Opens a file, or creates it. On Unix only its owner can read it, because it contains private keys.
    ///
    /// # Errors
    /// Another process has it open, it belongs to another program, or it is damaged.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let named =
            |kind, what: String| io::Error::new(kind, format!("{}: {what}", path.display()));
        let file = open_private(path).map_err(|error| named(error.kind(), error.to_string()))?;
        let same_file = file.try_clone()?;
        let database = Database::builder().create_file(file).map_err(|error| match error {
            DatabaseError::DatabaseAlreadyOpen => named(
                io::ErrorKind::ResourceBusy,
                "another process has it open; each process needs a separate file".to_owned(),
            ),
            DatabaseError::Storage(StorageError::Io(error))
                if error.kind() != io::ErrorKind::InvalidData =>
            {
                named(error.kind(), error.to_string())
            }
            error => named(
                io::ErrorKind::InvalidData,
                format!("it is not a data file of a local pool, or it is damaged: {error}"),
            ),
        })?;
        check_format(&database).map_err(|what| named(io::ErrorKind::InvalidData, what))?;
        // The mode is changed only after the format check, so that files of other programs are not modified.
        make_private(&same_file, path);
        Ok(Self(RwLock::new(Some(database))))
    }

    /// Closes the file after the current write. Later writes fail.
    pub(crate) fn close(&self) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Returns the ids of all pools in the file.
    pub(crate) fn pools(&self) -> io::Result<Vec<String>> {
        let mut pools = BTreeSet::new();
        self.visit_from("", |pool, table, _, _| {
            if table == "pool" {
                pools.insert(pool.to_owned());
            }
            true
        })?;
        Ok(pools.into_iter().collect())
    }

    /// Returns table, key and content of each row of a pool.
    pub(crate) fn rows(&self, pool_id: &str) -> io::Result<Vec<(String, String, Vec<u8>)>> {
        let mut rows = Vec::new();
        self.visit_from(pool_id, |pool, table, key, row| {
            let is_of_pool = pool == pool_id;
            if is_of_pool {
                rows.push((table.to_owned(), key.to_owned(), row.to_vec()));
            }
            is_of_pool
        })?;
        Ok(rows)
    }

    /// Writes changes in one transaction. They are on disk when this returns.
    pub(crate) fn write(&self, pool_id: &str, changes: &[Change]) -> io::Result<()> {
        self.with(|database| try_write(database, pool_id, changes))
    }

    /// Deletes a pool.
    pub(crate) fn delete(&self, pool_id: &str) -> io::Result<()> {
        let rows: Vec<_> =
            self.rows(pool_id)?.into_iter().map(|(table, key, _)| (table, key)).collect();
        self.with(|database| try_delete(database, pool_id, &rows))
    }

    /// Visits the rows from a pool's first row on, until `wants_more` returns false.
    fn visit_from(
        &self,
        from: &str,
        mut wants_more: impl FnMut(&str, &str, &str, &[u8]) -> bool,
    ) -> io::Result<()> {
        self.with(|database| {
            let rows = database.begin_read()?.open_table(ROWS)?;
            for row in rows.range((from, "", "")..)? {
                let (row_key, row) = row?;
                let (pool, table, key) = row_key.value();
                if !wants_more(pool, table, key, row.value()) {
                    break;
                }
            }
            Ok(())
        })
    }

    fn with<R>(&self, run: impl FnOnce(&Database) -> Result<R, redb::Error>) -> io::Result<R> {
        let database = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let stopped = || io::Error::new(io::ErrorKind::NotConnected, "the pool was stopped");
        run(database.as_ref().ok_or_else(stopped)?).map_err(io::Error::other)
    }
}

/// Opens a file to read and write. A new file is private from the start.
fn open_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, PRIVATE);
    options.open(path)
}

/// Sets the mode of the file to 0600. Logs a warning if other users had access.
#[cfg(unix)]
fn make_private(file: &File, path: &Path) {
    use std::{fs::Permissions, os::unix::fs::PermissionsExt};

    let Ok(found) = file.metadata().map(|metadata| metadata.permissions().mode() & 0o777) else {
        return;
    };
    if found == PRIVATE {
        return;
    }
    let path = path.display();
    match file.set_permissions(Permissions::from_mode(PRIVATE)) {
        Ok(()) if found & 0o077 != 0 => tracing::warn!(
            "{path}: other users had access to this file with private keys (mode {found:04o}); its mode is \
             now {PRIVATE:04o}"
        ),
        Ok(()) => {}
        Err(error) => tracing::warn!(
            %error,
            "{path}: the mode of this file with private keys cannot be changed from {found:04o} to {PRIVATE:04o}; \
             restrict access to its folder"
        ),
    }
}

/// Does nothing. Other systems have no such modes: the permissions of the folder apply.
#[cfg(not(unix))]
fn make_private(_: &File, _: &Path) {}

/// Checks the format of a file that was opened. Writes the format into a new file.
fn check_format(database: &Database) -> Result<(), String> {
    let foreign = || "it is not a data file of a local pool".to_owned();
    let broken = |error: redb::Error| error.to_string();
    let transaction = database.begin_read().map_err(|error| broken(error.into()))?;
    let is_new = transaction.list_tables().map_err(|error| broken(error.into()))?.next().is_none();
    if is_new {
        return write_format(database).map_err(broken);
    }
    let about = transaction.open_table(ABOUT).map_err(|_| foreign())?;
    let (key, format) = FORMAT;
    let found = about.get(key).map_err(|error| broken(error.into()))?.ok_or_else(foreign)?;
    if found.value() != format {
        return Err(format!(
            "its format is {:?}, and this version reads {format:?}",
            found.value()
        ));
    }
    transaction.open_table(ROWS).map(drop).map_err(|_| foreign())
}

fn write_format(database: &Database) -> Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    transaction.open_table(ABOUT)?.insert(FORMAT.0, FORMAT.1)?;
    transaction.open_table(ROWS)?;
    transaction.commit()?;
    Ok(())
}

fn try_write(database: &Database, pool_id: &str, changes: &[Change]) -> Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    {
        let mut table = transaction.open_table(ROWS)?;
        for Change { table: name, key, row } in changes {
            let row_key = (pool_id, *name, key.as_str());
            match row {
                Some(row) => table.insert(row_key, row.as_slice())?,
                None => table.remove(row_key)?,
            };
        }
    }
    transaction.commit()?;
    Ok(())
}

fn try_delete(
    database: &Database,
    pool_id: &str,
    rows: &[(String, String)],
) -> Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    {
        let mut table = transaction.open_table(ROWS)?;
        for (name, key) in rows {
            table.remove((pool_id, name.as_str(), key.as_str()))?;
        }
    }
    transaction.commit()?;
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn new_file_is_private_before_anything_is_written() {
        let path =
            std::env::temp_dir().join(format!("tower-cognito-private-{}", std::process::id()));
        let _ = std::fs::remove_file(&path);
        let found = open_private(&path).unwrap().metadata().unwrap();
        std::fs::remove_file(&path).unwrap();
        assert_eq!((found.permissions().mode() & 0o777, found.len()), (0o600, 0));
    }
}
