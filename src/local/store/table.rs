use std::collections::{BTreeMap, BTreeSet};

use serde::{Serialize, de::DeserializeOwned};

/// Rows by their keys, which knows what changed since it was last asked.
#[derive(Debug)]
pub(in crate::local) struct Table<T> {
    rows: BTreeMap<String, T>,
    changed: BTreeSet<String>,
}

/// A row that was written, or one that is gone.
pub(super) struct Change {
    pub(super) table: &'static str,
    pub(super) key: String,
    pub(super) row: Option<Vec<u8>>,
}

impl<T: Serialize + DeserializeOwned> Table<T> {
    pub(in crate::local) fn get(&self, key: &str) -> Option<&T> {
        self.rows.get(key)
    }

    /// A row to change. It counts as changed.
    pub(in crate::local) fn get_mut(&mut self, key: &str) -> Option<&mut T> {
        let row = self.rows.get_mut(key)?;
        self.changed.insert(key.to_owned());
        Some(row)
    }

    pub(in crate::local) fn insert(&mut self, key: impl Into<String>, row: T) -> Option<T> {
        let key = key.into();
        self.changed.insert(key.clone());
        self.rows.insert(key, row)
    }

    pub(in crate::local) fn remove(&mut self, key: &str) -> Option<T> {
        let row = self.rows.remove(key)?;
        self.changed.insert(key.to_owned());
        Some(row)
    }

    /// Removes the rows that are not wanted any more.
    pub(in crate::local) fn retain(&mut self, mut wanted: impl FnMut(&str, &T) -> bool) {
        let changed = &mut self.changed;
        self.rows.retain(|key, row| {
            let stays = wanted(key, row);
            if !stays {
                changed.insert(key.clone());
            }
            stays
        });
    }

    pub(in crate::local) fn contains(&self, key: &str) -> bool {
        self.rows.contains_key(key)
    }

    /// In the order of the keys.
    pub(in crate::local) fn iter(&self) -> impl DoubleEndedIterator<Item = (&str, &T)> {
        self.rows.iter().map(|(key, row)| (key.as_str(), row))
    }

    pub(in crate::local) fn values(&self) -> impl DoubleEndedIterator<Item = &T> {
        self.rows.values()
    }

    pub(in crate::local) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Takes note of a row that was kept.
    pub(super) fn load(&mut self, key: String, row: &[u8]) -> serde_json::Result<()> {
        self.rows.insert(key, serde_json::from_slice(row)?);
        Ok(())
    }

    /// What changed since the last call.
    pub(super) fn take_changes(&mut self, table: &'static str) -> Vec<Change> {
        std::mem::take(&mut self.changed)
            .into_iter()
            .map(|key| {
                // Rows are plain structs of texts and numbers, which always can be written.
                let row = self.rows.get(&key).and_then(|row| serde_json::to_vec(row).ok());
                Change { table, key, row }
            })
            .collect()
    }
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { rows: BTreeMap::new(), changed: BTreeSet::new() }
    }
}
