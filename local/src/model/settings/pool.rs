use serde::{Deserialize, Serialize};

use crate::model::settings::{
    AttributeSchema, EmailOption, LambdaConfig, PasswordPolicy, STANDARD_ATTRIBUTES,
    VerificationTemplate,
    list::distinct,
    violation::{Violation, check_length},
};

/// The settings of a user pool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct PoolSettings {
    pub(crate) name: String,
    /// The contacts that users sign in with instead of a user name.
    #[serde(deserialize_with = "distinct")]
    pub(crate) username_attributes: Vec<Contact>,
    /// The attributes that users sign in with in addition to their user name.
    #[serde(deserialize_with = "distinct")]
    pub(crate) alias_attributes: Vec<Alias>,
    #[serde(deserialize_with = "distinct")]
    pub(crate) auto_verified_attributes: Vec<Contact>,
    pub(crate) password_policy: PasswordPolicy,
    pub(crate) mfa_configuration: Mfa,
    pub(crate) software_token_mfa_configuration: SoftwareTokenMfa,
    /// Attributes beyond the standard ones, or standard ones that are required.
    pub(crate) schema: Vec<AttributeSchema>,
    pub(crate) admin_create_user_config: AdminCreateUser,
    pub(crate) username_configuration: UsernameConfiguration,
    pub(crate) email_verification_subject: Option<String>,
    pub(crate) email_verification_message: Option<String>,
    pub(crate) sms_verification_message: Option<String>,
    pub(crate) verification_message_template: VerificationTemplate,
    pub(crate) deletion_protection: DeletionProtection,
    pub(crate) lambda_config: LambdaConfig,
}

/// An address to which codes are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Contact {
    Email,
    PhoneNumber,
}

/// An attribute that users can sign in with instead of their user name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Alias {
    Email,
    PhoneNumber,
    PreferredUsername,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Mfa {
    Off,
    #[default]
    Optional,
    On,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct SoftwareTokenMfa {
    pub(crate) enabled: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct AdminCreateUser {
    /// Whether only administrators create users.
    pub(crate) allow_admin_create_user_only: bool,
    pub(crate) invite_message_template: InviteMessageTemplate,
}

/// The messages of invitations, with the placeholders `{username}` and `{####}` for the temporary password. The default
/// is Cognito's message.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct InviteMessageTemplate {
    pub(crate) email_message: Option<String>,
    pub(crate) email_subject: Option<String>,
    pub(crate) sms_message: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct UsernameConfiguration {
    pub(crate) case_sensitive: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum DeletionProtection {
    Active,
    #[default]
    Inactive,
}

impl UsernameConfiguration {
    /// Returns the form of a user name or an alias that all its spellings share: lowercase, unless the pool is
    /// case-sensitive. Names with the same form are the same name.
    pub(crate) fn key(&self, name: &str) -> String {
        if self.case_sensitive { name.to_owned() } else { name.to_lowercase() }
    }
}

impl Contact {
    /// Returns the attribute of the contact.
    pub(crate) fn attribute(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::PhoneNumber => "phone_number",
        }
    }

    /// Returns the attribute that says whether the contact is verified.
    pub(crate) fn verified_attribute(self) -> &'static str {
        match self {
            Self::Email => "email_verified",
            Self::PhoneNumber => "phone_number_verified",
        }
    }

    /// Returns the contact of an attribute.
    pub(crate) fn of_attribute(name: &str) -> Option<Self> {
        [Self::Email, Self::PhoneNumber].into_iter().find(|contact| contact.attribute() == name)
    }

    /// Returns the API's name of the medium of its messages.
    pub(crate) fn medium(self) -> &'static str {
        match self {
            Self::Email => "EMAIL",
            Self::PhoneNumber => "SMS",
        }
    }
}

impl Alias {
    pub(crate) fn attribute(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::PhoneNumber => "phone_number",
            Self::PreferredUsername => "preferred_username",
        }
    }

    /// Returns the contact that must be verified before users can sign in with the alias, or `None` for a preferred user
    /// name.
    pub(crate) fn contact(self) -> Option<Contact> {
        Contact::of_attribute(self.attribute())
    }
}

/// The longest name of a pool.
const MAX_NAME: usize = 128;

/// The longest text of a message.
const MAX_MESSAGE: usize = 20_000;

/// The longest subject of an invitation.
const MAX_SUBJECT: usize = 140;

/// The maximum number of custom attributes of a pool.
const MAX_CUSTOM_ATTRIBUTES: usize = 50;

impl PoolSettings {
    /// Returns the violations of Cognito's rules for user pools.
    pub(crate) fn violations(&self) -> Vec<Violation> {
        let mut found = Vec::new();
        found.extend(self.check_name().err());
        if !self.username_attributes.is_empty() && !self.alias_attributes.is_empty() {
            found.push(Violation::new(
                "alias_attributes",
                "Only one of alias_attributes or username_attributes can be set in a user pool.",
            ));
        }
        let of_policy = self.password_policy.violations().into_iter();
        found.extend(of_policy.map(|violation| violation.within("password_policy")));
        for (index, attribute) in self.schema.iter().enumerate() {
            let path = format!("schema.{index}");
            let checked = attribute.validate().and_then(|()| self.check_attribute_is_new(index));
            found.extend(checked.err().map(|violation| violation.within(&path)));
        }
        found.extend(self.message_violations());
        found
    }

    fn check_name(&self) -> Result<(), Violation> {
        check_length("name", &self.name, MAX_NAME)?;
        let fits = |c: char| c.is_alphanumeric() || "_ +=,.@-".contains(c);
        if self.name.chars().all(fits) {
            return Ok(());
        }
        Err(Violation::new("name", "expected letters, digits, spaces and _+=,.@-"))
    }

    /// Adds an attribute.
    ///
    /// # Errors
    /// An attribute has the same name, or there are too many attributes.
    pub(crate) fn add_attribute(&mut self, attribute: AttributeSchema) -> Result<(), Violation> {
        self.schema.push(attribute);
        self.check_attribute_is_new(self.schema.len().saturating_sub(1))
    }

    fn check_attribute_is_new(&self, index: usize) -> Result<(), Violation> {
        let Some(attribute) = self.schema.get(index) else { return Ok(()) };
        let name = attribute.full_name();
        let mut earlier = self.schema.iter().take(index);
        if earlier.any(|other| other.full_name() == name) {
            let message = format!("{name}: Existing attribute already has name {name}.");
            return Err(Violation::new("", message));
        }
        let attributes_so_far = self.schema.iter().take(index.saturating_add(1));
        if attributes_so_far.filter(|one| !one.is_standard()).count() > MAX_CUSTOM_ATTRIBUTES {
            let message = format!("expected at most {MAX_CUSTOM_ATTRIBUTES} custom attributes");
            return Err(Violation::new("", message));
        }
        Ok(())
    }

    fn message_violations(&self) -> Vec<Violation> {
        let template = &self.admin_create_user_config.invite_message_template;
        let within =
            |name: &str| format!("admin_create_user_config.invite_message_template.{name}");
        let subjects = [
            (
                "email_verification_subject".to_owned(),
                &self.email_verification_subject,
                MAX_MESSAGE,
            ),
            (within("email_subject"), &template.email_subject, MAX_SUBJECT),
        ];
        let subjects = subjects.iter().map(|(path, text, max)| {
            text.iter().try_for_each(|text| check_length(path, text, *max))
        });
        let code: &[&str] = &["{####}"];
        let invitation: &[&str] = &["{username}", "{####}"];
        let messages = [
            ("email_verification_message".to_owned(), &self.email_verification_message, code),
            ("sms_verification_message".to_owned(), &self.sms_verification_message, code),
            (within("email_message"), &template.email_message, invitation),
            (within("sms_message"), &template.sms_message, invitation),
        ];
        let messages = messages
            .iter()
            .map(|(path, text, placeholders)| check_message(path, text.as_deref(), placeholders));
        let by_link = self.verification_message_template.validate();
        let by_link =
            by_link.map_err(|violation| violation.within("verification_message_template"));
        subjects.chain(messages).chain([by_link]).filter_map(Result::err).collect()
    }

    /// Returns the schema of an attribute by its full name, for example `custom:tenant_id`.
    pub(crate) fn attribute(&self, name: &str) -> Option<AttributeSchema> {
        let own = |schema: &&AttributeSchema| schema.full_name() == name;
        self.schema.iter().find(own).cloned().or_else(|| AttributeSchema::standard(name))
    }

    /// Returns the attributes that a new user must have.
    pub(crate) fn required_attributes(&self) -> impl Iterator<Item = String> {
        self.schema.iter().filter(|schema| schema.required).map(AttributeSchema::full_name)
    }

    /// Returns whether deletion protection is active.
    pub(crate) fn is_protected(&self) -> bool {
        self.deletion_protection == DeletionProtection::Active
    }

    /// Returns whether users can sign in with a verified contact in addition to their user name.
    pub(crate) fn has_alias(&self, contact: Contact) -> bool {
        self.alias_attributes.iter().any(|alias| alias.contact() == Some(contact))
    }

    /// Returns whether new users verify a contact by a link. Messages to phones always have a code.
    pub(crate) fn verifies_by_link(&self, contact: Contact) -> bool {
        contact == Contact::Email
            && self.verification_message_template.default_email_option
                == EmailOption::ConfirmWithLink
    }

    /// Returns whether users sign in with a contact instead of a user name.
    pub(crate) fn signs_in_with_contacts(&self) -> bool {
        !self.username_attributes.is_empty()
    }

    /// Returns the full names of all attributes of this pool.
    pub(crate) fn attribute_names(&self) -> Vec<String> {
        let standard = STANDARD_ATTRIBUTES.iter().map(|(name, _)| (*name).to_owned());
        let own = self.schema.iter().map(AttributeSchema::full_name);
        let own = own.filter(|name| AttributeSchema::standard(name).is_none());
        standard.chain(own).collect()
    }
}

impl Default for PoolSettings {
    /// Returns the settings without a configuration: user names, e-mail addresses verified by a code, and optional MFA.
    fn default() -> Self {
        Self {
            name: "local".to_owned(),
            username_attributes: Vec::new(),
            alias_attributes: Vec::new(),
            auto_verified_attributes: vec![Contact::Email],
            password_policy: PasswordPolicy::default(),
            mfa_configuration: Mfa::default(),
            software_token_mfa_configuration: SoftwareTokenMfa::default(),
            schema: Vec::new(),
            admin_create_user_config: AdminCreateUser::default(),
            username_configuration: UsernameConfiguration::default(),
            email_verification_subject: None,
            email_verification_message: None,
            sms_verification_message: None,
            verification_message_template: VerificationTemplate::default(),
            deletion_protection: DeletionProtection::default(),
            lambda_config: LambdaConfig::default(),
        }
    }
}

impl Default for SoftwareTokenMfa {
    fn default() -> Self {
        Self { enabled: true }
    }
}

fn check_message(path: &str, text: Option<&str>, placeholders: &[&str]) -> Result<(), Violation> {
    let Some(text) = text else { return Ok(()) };
    check_length(path, text, MAX_MESSAGE)?;
    match placeholders.iter().find(|placeholder| !text.contains(**placeholder)) {
        Some(missing) => {
            Err(Violation::new(path, format!("expected a text that contains {missing}")))
        }
        None => Ok(()),
    }
}
