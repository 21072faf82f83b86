//! The report on a configuration: its errors, and its settings without effect.

use crate::{
    config::{
        error::{Place, Reason, SettingError},
        setting::Setting,
        words::without_effect,
    },
    model::settings::Violation,
    text::similar::similar,
};

/// The errors in settings, and the settings without effect.
#[derive(Default)]
pub(crate) struct Report {
    pub(crate) errors: Vec<SettingError>,
    pub(crate) ignored: Vec<Ignored>,
}

/// A setting without effect on a local pool.
pub(crate) struct Ignored {
    pub(crate) place: Place,
    /// Whether the name is not a known name of Terraform.
    pub(crate) is_unknown: bool,
}

impl Report {
    pub(crate) fn add(&mut self, error: SettingError) {
        self.errors.push(error);
    }

    pub(crate) fn add_ignored(&mut self, place: Place) {
        self.ignored.push(Ignored { place, is_unknown: false });
    }

    /// Reports a setting whose name is not one of the `known` names. A name that is similar to one of them is
    /// reported as misspelled. Any other name is a setting without effect, because it can be newer than this crate.
    pub(crate) fn add_unknown<'a>(&mut self, place: Place, known: impl Iterator<Item = &'a str>) {
        let name = place.path.rsplit('.').next().unwrap_or_default();
        match similar(name, known) {
            Some(known) => {
                let reason = Reason::Misspelled { known: known.to_owned() };
                self.add(SettingError::new(place, reason));
            }
            None => self.ignored.push(Ignored { place, is_unknown: true }),
        }
    }

    /// Adds an error of the deserializer. `block` is the path of the block without a label, and `root` its place.
    pub(crate) fn add_unreadable(&mut self, error: SettingError, block: &str, root: &Place) {
        let place = error.place();
        match error.reason {
            Reason::Unknown { allowed } => {
                let inner = place.path.strip_prefix(&root.path).unwrap_or_default();
                let (parents, name) = inner.rsplit_once('.').unwrap_or_default();
                let ignored: Vec<_> = without_effect(&format!("{block}{parents}")).collect();
                if name == "dynamic" {
                    self.add(place.error(
                        "dynamic blocks of Terraform are not evaluated: expected the blocks themselves",
                    ));
                } else if ignored.contains(&name) {
                    self.add_ignored(place);
                } else {
                    self.add_unknown(place, allowed.iter().copied().chain(ignored));
                }
            }
            // A required setting that is invalid was removed, and is missing now.
            Reason::Missing(_) if self.has_errors_in(&place.path) => {}
            _ => self.add(error),
        }
    }

    /// Returns whether there are errors in a setting or in one within it.
    fn has_errors_in(&self, path: &str) -> bool {
        self.errors.iter().any(|error| {
            let place = error.place();
            let inner = place.path.strip_prefix(path);
            inner.is_some_and(|inner| inner.is_empty() || inner.starts_with('.'))
        })
    }

    /// Adds the violations of settings within a setting.
    pub(crate) fn add_violations(&mut self, setting: &Setting, violations: Vec<Violation>) {
        self.errors.extend(violations.into_iter().map(|violation| setting.violation(violation)));
    }

    /// Returns what was read, for a caller that reports one error.
    ///
    /// # Errors
    /// Returns the first error.
    pub(crate) fn first_error<T>(self, read: T) -> Result<T, SettingError> {
        self.errors.into_iter().next().map_or(Ok(read), Err)
    }
}
