//! Removes Terraform's labels: `[aws_cognito_user_pool.main]` and `[resource.aws_cognito_user_pool.main]` are both read
//! as `[aws_cognito_user_pool]`. The places of settings still have the label.

use crate::config::setting::{Setting, Value};

/// The names of tables within resources. They are not labels.
const NESTED: [&str; 28] = [
    "account_recovery_setting",
    "admin_create_user_config",
    "analytics_configuration",
    "attribute_mapping",
    "attributes",
    "device_configuration",
    "email_configuration",
    "email_mfa_configuration",
    "invite_message_template",
    "lambda_config",
    "number_attribute_constraints",
    "password_policy",
    "pre_token_generation_config",
    "provider",
    "provider_details",
    "refresh_token_rotation",
    "schema",
    "scope",
    "sign_in_policy",
    "sms_configuration",
    "software_token_mfa_configuration",
    "string_attribute_constraints",
    "tags",
    "token_validity_units",
    "user_attribute_update_settings",
    "user_pool_add_ons",
    "username_configuration",
    "verification_message_template",
];

/// Returns the resources of a file without labels.
pub(crate) fn remove_labels(file: Setting) -> Setting {
    let Value::Table(members) = file.value else { return file };
    let mut resources = Resources::default();
    for (name, setting) in members {
        match setting.value {
            Value::Table(inner) if name == "resource" => {
                for (name, setting) in inner {
                    resources.add(name, setting);
                }
            }
            value => resources.add(name, Setting { value, place: setting.place }),
        }
    }
    Setting { place: file.place, value: Value::Table(resources.found) }
}

#[derive(Default)]
struct Resources {
    found: Vec<(String, Setting)>,
}

impl Resources {
    fn add(&mut self, name: String, setting: Setting) {
        let mut setting = without_label(setting);
        remove_empty_blocks(&mut setting);
        match self.found.iter_mut().find(|(other, _)| *other == name) {
            None => self.found.push((name, setting)),
            // A file can have blocks with and without a label.
            Some((_, known)) => {
                let all = known.items().iter().cloned().chain(setting.into_items()).collect();
                known.value = Value::List(all);
            }
        }
    }
}

/// Returns the list of the blocks under labels, or the setting itself if it has other members than labels.
fn without_label(setting: Setting) -> Setting {
    let Value::Table(members) = &setting.value else { return setting };
    let is_label = |(name, block): &(String, Setting)| {
        let is_table = |one: &Setting| matches!(one.value, Value::Table(_));
        !NESTED.contains(&name.as_str()) && block.items().iter().all(is_table)
    };
    if members.is_empty() || !members.iter().all(is_label) {
        return setting;
    }
    let blocks = members.iter().flat_map(|(_, block)| block.items()).cloned().collect();
    Setting { value: Value::List(blocks), place: setting.place }
}

/// Removes empty lists of blocks. Terraform writes them for absent blocks.
fn remove_empty_blocks(setting: &mut Setting) {
    match &mut setting.value {
        Value::List(items) => items.iter_mut().for_each(remove_empty_blocks),
        Value::Table(members) => {
            members.retain(|(name, member)| {
                let is_empty = matches!(&member.value, Value::List(items) if items.is_empty());
                !(is_empty && NESTED.contains(&name.as_str()))
            });
            members.iter_mut().for_each(|(_, member)| remove_empty_blocks(member));
        }
        _ => {}
    }
}
