//! The settings of a pool, from a file or a request.

use crate::{
    config::{
        fields::Fields,
        written::{Place, Wrong},
    },
    model::settings::{
        AdminCreateUser, Alias, AttributeSchema, Contact, DeletionProtection, Mfa, PasswordPolicy,
        PoolSettings,
    },
};

const CONTACTS: [(&str, Contact); 2] =
    [("email", Contact::Email), ("phone_number", Contact::PhoneNumber)];

const ALIASES: [(&str, Alias); 3] = [
    ("email", Alias::Email),
    ("phone_number", Alias::PhoneNumber),
    ("preferred_username", Alias::PreferredUsername),
];

pub(crate) const MFA_WORDS: [(&str, Mfa); 3] =
    [("OFF", Mfa::Off), ("OPTIONAL", Mfa::Optional), ("ON", Mfa::On)];

const DELETION_PROTECTION: [(&str, DeletionProtection); 2] =
    [("ACTIVE", DeletionProtection::Active), ("INACTIVE", DeletionProtection::Inactive)];

/// What Cognito can be set to besides, and what makes no difference here.
const WITHOUT_EFFECT: [&str; 16] = [
    "account_recovery_setting",
    "arn",
    "device_configuration",
    "domain",
    "email_configuration",
    "email_mfa_configuration",
    "id",
    "provider",
    "region",
    "sign_in_policy",
    "sms_authentication_message",
    "sms_configuration",
    "tags",
    "user_attribute_update_settings",
    "user_pool_add_ons",
    "user_pool_tier",
];

impl PoolSettings {
    /// Reads what is written over what is not.
    pub(crate) fn read(
        mut fields: Fields<'_>,
        base: Self,
        notes: &mut Vec<Place>,
    ) -> Result<Self, Wrong> {
        let mut read = base;
        fields.read("name", &mut read.name, |written| {
            let name = written.text_up_to(128)?;
            let fits = |sign: char| sign.is_alphanumeric() || "_ +=,.@-".contains(sign);
            if !name.chars().all(fits) {
                return Err(
                    written.breaks("it is to have letters, digits, spaces and _+=,.@- alone")
                );
            }
            Ok(name)
        })?;
        fields.read("username_attributes", &mut read.username_attributes, |written| {
            written.words(&CONTACTS)
        })?;
        fields.read("alias_attributes", &mut read.alias_attributes, |written| {
            written.words(&ALIASES)
        })?;
        fields.read("auto_verified_attributes", &mut read.auto_verified_attributes, |written| {
            written.words(&CONTACTS)
        })?;
        fields.read("mfa_configuration", &mut read.mfa_configuration, |written| {
            written.word(&MFA_WORDS)
        })?;
        fields.read("deletion_protection", &mut read.deletion_protection, |written| {
            written.word(&DELETION_PROTECTION)
        })?;
        if let Some(block) = fields.block("password_policy")? {
            read.password_policy = PasswordPolicy::read(block, &read.password_policy)?;
        }
        if let Some(mut block) = fields.block("software_token_mfa_configuration")? {
            let enabled = &mut read.software_token_mfa_configuration.enabled;
            fields_flag(&mut block, "enabled", enabled)?;
            block.finish()?;
        }
        if let Some(mut block) = fields.block("username_configuration")? {
            fields_flag(
                &mut block,
                "case_sensitive",
                &mut read.username_configuration.case_sensitive,
            )?;
            block.finish()?;
        }
        if let Some(block) = fields.block("admin_create_user_config")? {
            read.admin_create_user_config = AdminCreateUser::read(block, notes)?;
        }
        if let Some(block) = fields.block("lambda_config")? {
            read.lambda_config = crate::config::LambdaConfig::read(block, notes)?;
        }
        read.read_schema(&mut fields)?;
        read.read_messages(&mut fields, notes)?;
        fields.ignore(&WITHOUT_EFFECT, notes);
        read.check(&fields)?;
        fields.finish()?;
        Ok(read)
    }

    fn read_schema(&mut self, fields: &mut Fields<'_>) -> Result<(), Wrong> {
        let blocks = fields.blocks("schema")?;
        if !blocks.is_empty() {
            self.schema.clear();
        }
        for block in blocks {
            let place = block.place();
            let attribute = AttributeSchema::read(block)?;
            self.add_attribute(attribute, place)?;
        }
        Ok(())
    }

    /// Adds an attribute unless there is one of its name.
    pub(crate) fn add_attribute(
        &mut self,
        attribute: AttributeSchema,
        place: &Place,
    ) -> Result<(), Wrong> {
        let name = attribute.full_name();
        if self.schema.iter().any(|other| other.full_name() == name) {
            return Err(
                place.breaks(format!("{name}: Existing attribute already has name {name}."))
            );
        }
        self.schema.push(attribute);
        let own = self.schema.iter().filter(|one| !one.is_standard()).count();
        if own > MAX_CUSTOM_ATTRIBUTES {
            return Err(place
                .breaks(format!("a pool can have {MAX_CUSTOM_ATTRIBUTES} attributes of its own")));
        }
        Ok(())
    }

    /// The text of messages, which Terraform knows in a block and outside of it.
    fn read_messages(
        &mut self,
        fields: &mut Fields<'_>,
        notes: &mut Vec<Place>,
    ) -> Result<(), Wrong> {
        let mut template = fields.block("verification_message_template")?;
        for (outside, inside, text) in [
            ("email_verification_subject", "email_subject", &mut self.email_verification_subject),
            ("email_verification_message", "email_message", &mut self.email_verification_message),
            ("sms_verification_message", "sms_message", &mut self.sms_verification_message),
        ] {
            let read = |written: &crate::config::Written| {
                let body = written.text_up_to(MAX_MESSAGE)?;
                if outside != "email_verification_subject" && !body.contains("{####}") {
                    return Err(
                        written.breaks("it is to have {####}, which is where the code goes")
                    );
                }
                Ok(Some(body))
            };
            fields.read(outside, text, read)?;
            if let Some(template) = &mut template {
                template.read(inside, text, read)?;
            }
        }
        if let Some(mut template) = template {
            let mut by_link = false;
            let place = template.place_of("default_email_option");
            template.read("default_email_option", &mut by_link, |written| {
                written.word(&[("CONFIRM_WITH_CODE", false), ("CONFIRM_WITH_LINK", true)])
            })?;
            if by_link {
                // Messages have codes all the same.
                notes.push(place);
            }
            template.ignore(&["email_message_by_link", "email_subject_by_link"], notes);
            template.finish()?;
        }
        Ok(())
    }

    fn check(&self, fields: &Fields<'_>) -> Result<(), Wrong> {
        if !self.username_attributes.is_empty() && !self.alias_attributes.is_empty() {
            return Err(fields.place_of("alias_attributes").breaks(
                "Only one of alias_attributes or username_attributes can be set in a user pool.",
            ));
        }
        Ok(())
    }
}

/// How long the text of a message can be.
const MAX_MESSAGE: usize = 20_000;

/// How many attributes a pool can have beside the standard ones.
const MAX_CUSTOM_ATTRIBUTES: usize = 50;

impl PasswordPolicy {
    /// A policy asks for the kinds of signs that it names, as Terraform and the API have it.
    pub(crate) fn read(mut fields: Fields<'_>, base: &Self) -> Result<Self, Wrong> {
        let mut read = Self {
            require_uppercase: false,
            require_lowercase: false,
            require_numbers: false,
            require_symbols: false,
            ..*base
        };
        fields.read("minimum_length", &mut read.minimum_length, |written| written.count(6..=99))?;
        for (name, flag) in [
            ("require_uppercase", &mut read.require_uppercase),
            ("require_lowercase", &mut read.require_lowercase),
            ("require_numbers", &mut read.require_numbers),
            ("require_symbols", &mut read.require_symbols),
        ] {
            fields_flag(&mut fields, name, flag)?;
        }
        fields.read("password_history_size", &mut read.password_history_size, |written| {
            written.count(0..=24)
        })?;
        let days = &mut read.temporary_password_validity_days;
        fields.read("temporary_password_validity_days", days, |written| {
            match written.count(0..=365)? {
                // Cognito takes none for its default.
                0 => Ok(Self::default().temporary_password_validity_days),
                days => Ok(days),
            }
        })?;
        fields.finish()?;
        Ok(read)
    }
}

impl AdminCreateUser {
    fn read(mut fields: Fields<'_>, notes: &mut Vec<Place>) -> Result<Self, Wrong> {
        let mut read = Self::default();
        fields_flag(
            &mut fields,
            "allow_admin_create_user_only",
            &mut read.allow_admin_create_user_only,
        )?;
        if let Some(mut block) = fields.block("invite_message_template")? {
            let template = &mut read.invite_message_template;
            block.read("email_subject", &mut template.email_subject, |written| {
                written.text_up_to(140).map(Some)
            })?;
            for (name, text) in [
                ("email_message", &mut template.email_message),
                ("sms_message", &mut template.sms_message),
            ] {
                block.read(name, text, |written| {
                    let body = written.text_up_to(MAX_MESSAGE)?;
                    if !body.contains("{####}") || !body.contains("{username}") {
                        return Err(written.breaks(
                            "it is to have {username} and {####}, which is where the password goes",
                        ));
                    }
                    Ok(Some(body))
                })?;
            }
            block.finish()?;
        }
        fields.ignore(&["unused_account_validity_days"], notes);
        fields.finish()?;
        Ok(read)
    }
}

pub(crate) fn fields_flag(
    fields: &mut Fields<'_>,
    name: &'static str,
    into: &mut bool,
) -> Result<(), Wrong> {
    fields.read(name, into, crate::config::Written::flag)
}
