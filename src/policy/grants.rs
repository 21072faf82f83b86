use std::{borrow::Cow, collections::BTreeMap};

/// The permissions that the groups of a pool grant: see [`Pool::grants`](crate::Pool::grants).
///
/// ```
/// use tower_cognito::policy::Grants;
///
/// let grants = Grants::new()
///     .add_group("support", ["orders:read"])
///     .add_group("admin", ["orders:read", "orders:write"]);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[must_use]
pub struct Grants(BTreeMap<String, Vec<String>>);

impl Grants {
    /// Returns an empty set of grants.
    pub fn new() -> Self {
        Self::default()
    }

    /// Grants these permissions to the members of a group, in addition to those that the group already grants.
    pub fn add_group<P>(mut self, group: impl Into<String>, permissions: P) -> Self
    where
        P: IntoIterator,
        P::Item: Into<String>,
    {
        let granted = self.0.entry(group.into()).or_default();
        granted.extend(permissions.into_iter().map(Into::into));
        self
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.values().all(Vec::is_empty)
    }

    /// Adds the permissions that these groups grant, unless the list has them already.
    pub(crate) fn extend<'a, 'g>(
        &'a self,
        groups: impl Iterator<Item = &'g str>,
        permissions: &mut Vec<Cow<'a, str>>,
    ) {
        for granted in groups.filter_map(|group| self.0.get(group)).flatten() {
            if !permissions.iter().any(|listed| listed == granted) {
                permissions.push(Cow::Borrowed(granted));
            }
        }
    }
}
