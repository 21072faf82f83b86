use std::collections::BTreeMap;

use serde::{Serialize, de::DeserializeOwned};

/// Rows by their keys, which knows what changed since it was last asked.
#[derive(Debug)]
pub(crate) struct Table<T> {
    rows: BTreeMap<String, T>,
    /// The rows that changed, as they were before; while the changes are undone, as they are to be.
    changed: BTreeMap<String, Option<T>>,
    /// How many rows there have to be for the next [`prune`](Self::prune) to look at them.
    prune_at: usize,
}

/// So many rows are looked at in no time.
const FEW: usize = 64;

/// A row that was written, or one that is gone.
pub(crate) struct Change {
    pub(crate) table: &'static str,
    pub(crate) key: String,
    pub(crate) row: Option<Vec<u8>>,
}

impl<T: Clone + Serialize + DeserializeOwned> Table<T> {
    pub(crate) fn get(&self, key: &str) -> Option<&T> {
        self.rows.get(key)
    }

    /// A row to change. It counts as changed.
    pub(crate) fn get_mut(&mut self, key: &str) -> Option<&mut T> {
        let row = self.rows.get_mut(key)?;
        if !self.changed.contains_key(key) {
            self.changed.insert(key.to_owned(), Some(row.clone()));
        }
        Some(row)
    }

    pub(crate) fn insert(&mut self, key: impl Into<String>, row: T) -> Option<T> {
        let key = key.into();
        let before = self.rows.insert(key.clone(), row);
        self.changed.entry(key).or_insert_with(|| before.clone());
        before
    }

    pub(crate) fn remove(&mut self, key: &str) -> Option<T> {
        let row = self.rows.remove(key)?;
        self.changed.entry(key.to_owned()).or_insert_with(|| Some(row.clone()));
        Some(row)
    }

    /// Removes the rows that are not wanted any more.
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

    /// Removes rows that nobody looks at any more, and tells whether it did. It acts once the table has twice as
    /// many rows as the last time left, so that many calls cost little.
    pub(crate) fn prune(&mut self, wanted: impl FnMut(&str, &T) -> bool) -> bool {
        let before = self.len();
        if before < self.prune_at {
            return false;
        }
        self.retain(wanted);
        self.prune_at = FEW.max(self.len().saturating_mul(2));
        self.len() < before
    }

    pub(crate) fn contains(&self, key: &str) -> bool {
        self.rows.contains_key(key)
    }

    /// In the order of the keys.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = (&str, &T)> {
        self.rows.iter().map(|(key, row)| (key.as_str(), row))
    }

    pub(crate) fn values(&self) -> impl DoubleEndedIterator<Item = &T> {
        self.rows.values()
    }

    /// The keys of rows that changed since the changes were last taken.
    pub(crate) fn changed(&self) -> impl Iterator<Item = &str> {
        self.changed.keys().map(String::as_str)
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Takes note of a row that was kept.
    pub(crate) fn load(&mut self, key: String, row: &[u8]) -> serde_json::Result<()> {
        self.rows.insert(key, serde_json::from_slice(row)?);
        Ok(())
    }

    /// What changed since the last time that changes were settled.
    pub(crate) fn changes(&self, table: &'static str) -> serde_json::Result<Vec<Change>> {
        self.changed
            .keys()
            .map(|key| {
                let row = self.rows.get(key).map(serde_json::to_vec).transpose()?;
                Ok(Change { table, key: key.clone(), row })
            })
            .collect()
    }

    /// Takes changes for good.
    pub(crate) fn settle(&mut self) {
        self.changed.clear();
    }

    /// Swaps the rows that changed and the rows as they were before: the first call undoes the changes, the second makes
    /// them again. They count as changed until they are settled.
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
        Self { rows: BTreeMap::new(), changed: BTreeMap::new(), prune_at: 0 }
    }
}
