use crate::model::settings::{Contact, PoolSettings};

/// The longest user name.
const MAX_LENGTH: usize = 128;

impl PoolSettings {
    /// Checks the name of a new user. If users sign in with contacts, returns which contact the name is.
    ///
    /// # Errors
    /// Returns the message of Cognito's error.
    pub(crate) fn check_new_username(&self, given: &str) -> Result<Option<Contact>, String> {
        if given.is_empty()
            || given.chars().count() > MAX_LENGTH
            || given.contains(|character: char| character.is_whitespace() || character.is_control())
        {
            return Err(format!("expected 1 to {MAX_LENGTH} characters without spaces"));
        }
        if self.signs_in_with_contacts() {
            let contact = self.contact_of_name(given);
            let contact = contact.filter(|contact| self.username_attributes.contains(contact));
            return contact.map(Some).ok_or_else(|| self.expected_username().to_owned());
        }
        match self.alias_of_name(given) {
            None => Ok(None),
            Some(contact) => {
                let format = match contact {
                    Contact::Email => "email",
                    Contact::PhoneNumber => "phone number",
                };
                Err(format!(
                    "Username cannot be of {format} format, since user pool is configured for {format} alias."
                ))
            }
        }
    }

    /// Returns the contact that a name has the format of.
    pub(crate) fn contact_of_name(&self, name: &str) -> Option<Contact> {
        [Contact::Email, Contact::PhoneNumber].into_iter().find(|contact| {
            self.attribute(contact.attribute())
                .is_some_and(|schema| schema.violation(name).is_none())
        })
    }

    /// Returns the contact that a name has the format of, if that contact is an alias in this pool. A user name must not
    /// have the format of an alias.
    pub(crate) fn alias_of_name(&self, name: &str) -> Option<Contact> {
        let contact = self.contact_of_name(name)?;
        let mut aliases = self.alias_attributes.iter().filter_map(|alias| alias.contact());
        aliases.any(|alias| alias == contact).then_some(contact)
    }

    fn expected_username(&self) -> &'static str {
        match self.username_attributes[..] {
            [Contact::Email] => "Username should be an email.",
            [Contact::PhoneNumber] => "Username should be a phone number.",
            _ => "Username should be either an email or a phone number.",
        }
    }
}
