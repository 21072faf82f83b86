use std::{io, path::Path};

use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};

use super::table::Change;

/// An embedded store that holds what was committed, whenever the process is killed.
pub(in crate::local) struct Disk(Database);

/// By pool, table and key.
const ROWS: TableDefinition<'_, (&str, &str, &str), &[u8]> = TableDefinition::new("rows");

impl Disk {
    /// Opens a file, or makes it.
    pub(in crate::local) fn open(path: &Path) -> io::Result<Self> {
        let database = Database::create(path).map_err(io::Error::other)?;
        let disk = Self(database);
        disk.write("", &[])?;
        Ok(disk)
    }

    /// The ids of all pools that are kept.
    pub(in crate::local) fn pools(&self) -> io::Result<Vec<String>> {
        let mut pools = Vec::new();
        self.each(|(pool, table, _), _| {
            if table == "pool" {
                pools.push(pool.to_owned());
            }
        })?;
        Ok(pools)
    }

    /// Table, key and row of all that is kept of a pool.
    pub(super) fn rows(&self, pool_id: &str) -> io::Result<Vec<(String, String, Vec<u8>)>> {
        let mut rows = Vec::new();
        self.each(|(pool, table, key), row| {
            if pool == pool_id {
                rows.push((table.to_owned(), key.to_owned(), row.to_vec()));
            }
        })?;
        Ok(rows)
    }

    /// Keeps changes, all or none. They are on disk when this returns.
    pub(super) fn write(&self, pool_id: &str, changes: &[Change]) -> io::Result<()> {
        self.try_write(pool_id, changes).map_err(io::Error::other)
    }

    /// Forgets a pool.
    pub(in crate::local) fn forget(&self, pool_id: &str) -> io::Result<()> {
        let gone: Vec<_> =
            self.rows(pool_id)?.into_iter().map(|(table, key, _)| (table, key)).collect();
        self.try_forget(pool_id, &gone).map_err(io::Error::other)
    }

    fn each(&self, mut each: impl FnMut((&str, &str, &str), &[u8])) -> io::Result<()> {
        let transaction = self.0.begin_read().map_err(io::Error::other)?;
        let table = transaction.open_table(ROWS).map_err(io::Error::other)?;
        for row in table.iter().map_err(io::Error::other)? {
            let (key, value) = row.map_err(io::Error::other)?;
            each(key.value(), value.value());
        }
        Ok(())
    }

    fn try_write(&self, pool_id: &str, changes: &[Change]) -> Result<(), redb::Error> {
        let transaction = self.0.begin_write()?;
        {
            let mut table = transaction.open_table(ROWS)?;
            for Change { table: name, key, row } in changes {
                let place = (pool_id, *name, key.as_str());
                match row {
                    Some(row) => table.insert(place, row.as_slice())?,
                    None => table.remove(place)?,
                };
            }
        }
        transaction.commit()?;
        Ok(())
    }

    fn try_forget(&self, pool_id: &str, gone: &[(String, String)]) -> Result<(), redb::Error> {
        let transaction = self.0.begin_write()?;
        {
            let mut table = transaction.open_table(ROWS)?;
            for (name, key) in gone {
                table.remove((pool_id, name.as_str(), key.as_str()))?;
            }
        }
        transaction.commit()?;
        Ok(())
    }
}
