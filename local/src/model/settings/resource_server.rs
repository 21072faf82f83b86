use crate::model::{
    ResourceServer,
    settings::violation::{Violation, check_length},
};

const MAX_LENGTH: usize = 256;

impl ResourceServer {
    /// Returns the scopes as clients request them, for example `orders/read`.
    pub(crate) fn full_scopes(&self) -> impl Iterator<Item = String> {
        self.scopes.iter().map(|scope| format!("{}/{}", self.identifier, scope.scope_name))
    }

    /// Returns the violations of Cognito's rules for resource servers.
    pub(crate) fn violations(&self) -> Vec<Violation> {
        let mut found = Vec::new();
        found.extend(check_identifier("identifier", &self.identifier, "\"\\").err());
        found.extend(check_length("name", &self.name, MAX_LENGTH).err());
        for (index, scope) in self.scopes.iter().enumerate() {
            let path = format!("scopes.{index}.scope_name");
            let name = &scope.scope_name;
            found.extend(check_identifier(&path, name, "\"\\/").err());
            if self.scopes.iter().take(index).any(|other| other.scope_name == *name) {
                found.push(Violation::new(path, format!("there is already a scope {name:?}")));
            }
            let description = format!("scopes.{index}.scope_description");
            found.extend(check_length(&description, &scope.scope_description, MAX_LENGTH).err());
        }
        found
    }

    /// Checks Cognito's rules for resource servers.
    ///
    /// # Errors
    /// Returns the first violation.
    pub(crate) fn validate(&self) -> Result<(), Violation> {
        self.violations().into_iter().next().map_or(Ok(()), Err)
    }
}

/// Checks that a text has only printable ASCII, and none of the `forbidden` characters.
fn check_identifier(path: &str, text: &str, forbidden: &str) -> Result<(), Violation> {
    check_length(path, text, MAX_LENGTH)?;
    if text.chars().all(|c| c.is_ascii_graphic() && !forbidden.contains(c)) {
        return Ok(());
    }
    Err(Violation::new(path, format!("expected printable ASCII without spaces and {forbidden}")))
}
