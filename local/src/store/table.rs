use std::{collections::BTreeMap, sync::Arc};

use serde::{Serialize, de::DeserializeOwned};

/// Rows by their keys, with the changes that are not settled yet. Readers share a row. A change copies it first.
///
/// A change is settled once it is on disk, or at once if the pool has no disk. Until then it can be undone.
pub(crate) struct Table<T> {
    rows: BTreeMap<String, Arc<T>>,
    /// The changed rows as they were before the change. While the changes are undone: as they are after it.
    changed: BTreeMap<String, Option<Arc<T>>>,
    /// Counts the settled changes.
    generation: u64,
    /// The number of rows from which the next [`prune`](Self::prune) acts.
    prune_at: usize,
}

/// The number of rows below which a table is never pruned.
const MIN_PRUNE: usize = 64;

/// A changed row for the disk. `row` is `None` if it was removed.
pub(crate) struct Change {
    pub(crate) table: &'static str,
    pub(crate) key: String,
    pub(crate) row: Option<Vec<u8>>,
}

impl<T> Table<T> {
    /// Returns all rows, in the order of their keys.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = (&str, &Arc<T>)> {
        self.rows.iter().map(|(key, row)| (key.as_str(), row))
    }
}

impl<T: Clone + Serialize + DeserializeOwned> Table<T> {
    pub(crate) fn get(&self, key: &str) -> Option<&Arc<T>> {
        self.rows.get(key)
    }

    /// Returns a row for a change.
    pub(crate) fn get_mut(&mut self, key: &str) -> Option<&mut T> {
        let row = self.rows.get_mut(key)?;
        if !self.changed.contains_key(key) {
            self.changed.insert(key.to_owned(), Some(Arc::clone(row)));
        }
        Some(Arc::make_mut(row))
    }

    pub(crate) fn insert(
        &mut self,
        key: impl Into<String>,
        row: impl Into<Arc<T>>,
    ) -> Option<Arc<T>> {
        let key = key.into();
        let before = self.rows.insert(key.clone(), row.into());
        self.changed.entry(key).or_insert_with(|| before.clone());
        before
    }

    pub(crate) fn remove(&mut self, key: &str) -> Option<Arc<T>> {
        let row = self.rows.remove(key)?;
        self.changed.entry(key.to_owned()).or_insert_with(|| Some(row.clone()));
        Some(row)
    }

    /// Removes the rows for which `wanted` is false.
    pub(crate) fn retain(&mut self, mut wanted: impl FnMut(&str, &T) -> bool) {
        let changed = &mut self.changed;
        self.rows.retain(|key, row| {
            let stays = wanted(key, row);
            if !stays {
                changed.entry(key.clone()).or_insert_with(|| Some(row.clone()));
            }
            stays
        });
    }

    /// Removes the rows for which `wanted` is false, and returns whether any was removed. It only acts once the table
    /// has twice as many rows as the last call left, so that frequent calls are cheap.
    pub(crate) fn prune(&mut self, wanted: impl FnMut(&str, &T) -> bool) -> bool {
        let before = self.len();
        if before < self.prune_at {
            return false;
        }
        self.retain(wanted);
        self.prune_at = MIN_PRUNE.max(self.len().saturating_mul(2));
        self.len() < before
    }

    pub(crate) fn contains(&self, key: &str) -> bool {
        self.rows.contains_key(key)
    }

    pub(crate) fn values(&self) -> impl DoubleEndedIterator<Item = &Arc<T>> {
        self.rows.values()
    }

    /// Returns the keys of unsettled changes.
    pub(crate) fn changed(&self) -> impl Iterator<Item = &str> {
        self.changed.keys().map(String::as_str)
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Adds a row that was read from disk.
    pub(crate) fn load(&mut self, key: String, row: &[u8]) -> serde_json::Result<()> {
        self.rows.insert(key, Arc::new(serde_json::from_slice(row)?));
        Ok(())
    }

    /// Returns the unsettled changes, for the disk.
    pub(crate) fn changes(&self, table: &'static str) -> serde_json::Result<Vec<Change>> {
        self.changed
            .keys()
            .map(|key| {
                let row = self.rows.get(key).map(|row| serde_json::to_vec(&**row)).transpose()?;
                Ok(Change { table, key: key.clone(), row })
            })
            .collect()
    }

    /// Settles all changes.
    pub(crate) fn settle(&mut self) {
        if !self.changed.is_empty() {
            self.changed.clear();
            self.generation += 1;
        }
    }

    /// Returns a number that is different after each settled change of the table.
    pub(crate) fn generation(&self) -> u64 {
        self.generation
    }

    /// Exchanges the changed rows with the rows before the change. The first call undoes the changes, the second
    /// repeats them. They stay unsettled.
    pub(crate) fn swap_changes(&mut self) {
        for (key, other) in &mut self.changed {
            *other = match other.take() {
                Some(row) => self.rows.insert(key.clone(), row),
                None => self.rows.remove(key),
            };
        }
    }
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { rows: BTreeMap::new(), changed: BTreeMap::new(), generation: 0, prune_at: 0 }
    }
}
