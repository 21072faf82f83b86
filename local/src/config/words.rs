//! The names in Terraform and in its AWS provider that have no effect on a local pool.

use crate::text::similar::is_misspelled;

/// Resources that have no effect.
pub(crate) const RESOURCES_WITHOUT_EFFECT: [&str; 8] = [
    "aws_cognito_identity_pool",
    "aws_cognito_identity_pool_provider_principal_tag",
    "aws_cognito_identity_pool_roles_attachment",
    "aws_cognito_log_delivery_configuration",
    "aws_cognito_managed_login_branding",
    "aws_cognito_managed_user_pool_client",
    "aws_cognito_risk_configuration",
    "aws_cognito_user_pool_ui_customization",
];

/// Blocks of a Terraform file that are not resources.
pub(crate) const TERRAFORM_BLOCKS: [&str; 13] = [
    "check",
    "data",
    "ephemeral",
    "import",
    "local",
    "locals",
    "module",
    "moved",
    "output",
    "provider",
    "removed",
    "terraform",
    "variable",
];

/// Arguments of every resource.
const META_ARGUMENTS: [&str; 9] = [
    "connection",
    "count",
    "depends_on",
    "for_each",
    "lifecycle",
    "provider",
    "provisioner",
    "region",
    "timeouts",
];

/// Settings that have no effect, by the block that they are in.
const SETTINGS: [(&str, &[&str]); 10] = [
    (
        "aws_cognito_user_pool",
        &[
            "account_recovery_setting",
            "arn",
            "creation_date",
            "custom_domain",
            "device_configuration",
            "domain",
            "email_configuration",
            "email_mfa_configuration",
            "endpoint",
            "estimated_number_of_users",
            "last_modified_date",
            "sign_in_policy",
            "sms_authentication_message",
            "sms_configuration",
            "tags",
            "tags_all",
            "user_attribute_update_settings",
            "user_pool_add_ons",
            "user_pool_tier",
            "web_authn_configuration",
        ],
    ),
    ("aws_cognito_user_pool.admin_create_user_config", &["unused_account_validity_days"]),
    (
        "aws_cognito_user_pool.lambda_config",
        &["custom_email_sender", "custom_sms_sender", "inbound_federation", "kms_key_id"],
    ),
    (
        "aws_cognito_user_pool_client",
        &["analytics_configuration", "enable_propagate_additional_user_context_data", "id"],
    ),
    (
        "aws_cognito_user_pool_domain",
        &[
            "aws_account_id",
            "certificate_arn",
            "cloudfront_distribution",
            "cloudfront_distribution_arn",
            "cloudfront_distribution_zone_id",
            "id",
            "managed_login_version",
            "s3_bucket",
            "version",
        ],
    ),
    ("aws_cognito_resource_server", &["id", "scope_identifiers"]),
    ("aws_cognito_identity_provider", &["id"]),
    ("aws_cognito_user_group", &["id"]),
    (
        "aws_cognito_user",
        &[
            "client_metadata",
            "creation_date",
            "desired_delivery_mediums",
            "force_alias_creation",
            "id",
            "last_modified_date",
            "message_action",
            "mfa_setting_list",
            "preferred_mfa_setting",
            "status",
            "sub",
            "validation_data",
        ],
    ),
    ("aws_cognito_user_in_group", &["id"]),
];

/// The names of tables within resources. They are not labels.
const NESTED: [&str; 36] = [
    "account_recovery_setting",
    "admin_create_user_config",
    "analytics_configuration",
    "attribute_mapping",
    "attributes",
    "client_metadata",
    "connection",
    "custom_email_sender",
    "custom_sms_sender",
    "device_configuration",
    "dynamic",
    "email_configuration",
    "email_mfa_configuration",
    "inbound_federation",
    "invite_message_template",
    "lambda_config",
    "lifecycle",
    "number_attribute_constraints",
    "password_policy",
    "pre_token_generation_config",
    "provider_details",
    "provisioner",
    "refresh_token_rotation",
    "schema",
    "scope",
    "sign_in_policy",
    "sms_configuration",
    "software_token_mfa_configuration",
    "string_attribute_constraints",
    "tags",
    "timeouts",
    "token_validity_units",
    "user_attribute_update_settings",
    "user_pool_add_ons",
    "username_configuration",
    "verification_message_template",
];

/// Returns the words that a block of Terraform can have and that have no effect. `block` is the path of the block without
/// a label, for example `aws_cognito_user_pool.lambda_config`.
pub(crate) fn without_effect(block: &str) -> impl Iterator<Item = &'static str> {
    let own = SETTINGS.iter().find(|(known, _)| *known == block).map_or(&[][..], |(_, own)| own);
    let meta: &[_] = if block.contains('.') { &[] } else { &META_ARGUMENTS };
    own.iter().chain(meta).copied()
}

/// Returns whether a table of this name within a resource is a block of Terraform.
pub(crate) fn is_nested_block(name: &str) -> bool {
    NESTED.contains(&name)
}

/// Returns whether a table of this name within a resource is a block of Terraform, perhaps with a misspelled name.
pub(crate) fn resembles_nested_block(name: &str) -> bool {
    NESTED.into_iter().any(|known| is_misspelled(name, known))
}
