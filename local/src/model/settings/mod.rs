//! What a pool is set to, in the words of Terraform's `aws_cognito_user_pool` and its kin.

mod client;
mod password;
mod provider;
pub(crate) mod schema;

use serde::{Deserialize, Serialize};

pub(crate) use self::{
    client::{
        AuthFlow, ClientSettings, ExistenceErrors, OAuthFlow, RefreshTokenRotation, Rotation,
        TimeUnit, TokenValidityUnits,
    },
    password::PasswordPolicy,
    provider::{OWN_PROVIDER, ProviderDetails, ProviderSettings, RequestMethod},
    schema::{AttributeSchema, AttributeType, STANDARD_ATTRIBUTES},
};
use crate::config::LambdaConfig;

/// The settings of a user pool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct PoolSettings {
    pub(crate) name: String,
    /// What users sign in with instead of a user name of their own.
    pub(crate) username_attributes: Vec<Contact>,
    /// What users sign in with beside their user name.
    pub(crate) alias_attributes: Vec<Alias>,
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
    pub(crate) deletion_protection: DeletionProtection,
    pub(crate) lambda_config: LambdaConfig,
}

/// Where a code can be sent, and what it verifies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Contact {
    Email,
    PhoneNumber,
}

/// An attribute that may stand for the user name.
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
#[serde(deny_unknown_fields)]
pub(crate) struct SoftwareTokenMfa {
    pub(crate) enabled: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct AdminCreateUser {
    /// Whether users cannot sign up by themselves.
    pub(crate) allow_admin_create_user_only: bool,
    pub(crate) invite_message_template: InviteMessageTemplate,
}

/// How invitations read, with `{username}` and `{####}` for name and first password; as Cognito's, if nothing is
/// said.
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

impl Contact {
    /// The attribute that holds it.
    pub(crate) fn attribute(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::PhoneNumber => "phone_number",
        }
    }

    /// The attribute that says whether it is proven.
    pub(crate) fn verified_attribute(self) -> &'static str {
        match self {
            Self::Email => "email_verified",
            Self::PhoneNumber => "phone_number_verified",
        }
    }

    /// The contact that an attribute holds.
    pub(crate) fn of_attribute(name: &str) -> Option<Self> {
        [Self::Email, Self::PhoneNumber].into_iter().find(|contact| contact.attribute() == name)
    }

    /// How a message is sent to it.
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

    /// The contact that has to be verified before it can stand for the user name.
    pub(crate) fn contact(self) -> Option<Contact> {
        Contact::of_attribute(self.attribute())
    }
}

impl PoolSettings {
    /// What is known of an attribute: `email`, `custom:tenant_id`.
    pub(crate) fn attribute(&self, name: &str) -> Option<AttributeSchema> {
        let own = |schema: &&AttributeSchema| schema.full_name() == name;
        self.schema.iter().find(own).cloned().or_else(|| AttributeSchema::standard(name))
    }

    /// The attributes that a sign-up has to bring.
    pub(crate) fn required_attributes(&self) -> impl Iterator<Item = String> {
        self.schema.iter().filter(|schema| schema.required).map(AttributeSchema::full_name)
    }

    /// Whether the pool cannot be deleted.
    pub(crate) fn is_protected(&self) -> bool {
        self.deletion_protection == DeletionProtection::Active
    }

    /// Whether users have no user name of their own, but sign in with a contact.
    pub(crate) fn signs_in_with_contacts(&self) -> bool {
        !self.username_attributes.is_empty()
    }

    /// All names of attributes that a user of this pool can have.
    pub(crate) fn attribute_names(&self) -> Vec<String> {
        let standard = STANDARD_ATTRIBUTES.iter().map(|(name, _)| (*name).to_owned());
        let own = self.schema.iter().map(AttributeSchema::full_name);
        let own = own.filter(|name| AttributeSchema::standard(name).is_none());
        standard.chain(own).collect()
    }
}

impl Default for PoolSettings {
    /// What a pool is that nobody configured: plain user names, e-mail verified by a code, and MFA for those
    /// who want it.
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
