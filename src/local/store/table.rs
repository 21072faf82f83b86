use std::collections::{BTreeMap, BTreeSet};

use serde::{Serialize, de::DeserializeOwned};

/// Rows by their keys, which knows what changed since it was last asked.
#[derive(Debug)]
pub(in crate::local) struct Table<T> {
    rows: BTreeMap<String, T>,
    changed: BTreeSet<String>,
    /// How many rows there have to be for the next [`prune`](Self::prune) to look at them.
    prune_at: usize,
}

/// So many rows are looked at in no time.
const FEW: usize = 64;

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

    /// Removes rows that nobody looks at any more, and tells whether it did. It acts once the table has twice as
    /// many rows as the last time left, so that many calls cost little.
    pub(in crate::local) fn prune(&mut self, wanted: impl FnMut(&str, &T) -> bool) -> bool {
        let before = self.len();
        if before < self.prune_at {
            return false;
        }
        self.retain(wanted);
        self.prune_at = FEW.max(self.len().saturating_mul(2));
        self.len() < before
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

    /// The keys of rows that changed since the changes were last taken.
    pub(super) fn changed(&self) -> impl Iterator<Item = &str> {
        self.changed.iter().map(String::as_str)
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
        Self { rows: BTreeMap::new(), changed: BTreeSet::new(), prune_at: 0 }
    }
}
