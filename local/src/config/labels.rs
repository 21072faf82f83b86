//! Blocks with Terraform's labels: `[aws_cognito_user_pool.main]`, or `[resource.aws_cognito_user_pool.main]`.
//!
//! A pool has no use for a label: each block is read as if it had none, and keeps its place, label included.

use crate::config::written::{Kind, Written};

/// Blocks and maps within resources, which are no labels.
const WITHIN: [&str; 24] = [
    "account_recovery_setting",
    "admin_create_user_config",
    "analytics_configuration",
    "attribute_mapping",
    "attributes",
    "device_configuration",
    "email_configuration",
    "email_mfa_configuration",
    "lambda_config",
    "password_policy",
    "provider",
    "provider_details",
    "refresh_token_rotation",
    "schema",
    "scope",
    "sign_in_policy",
    "sms_configuration",
    "software_token_mfa_configuration",
    "tags",
    "token_validity_units",
    "user_attribute_update_settings",
    "user_pool_add_ons",
    "username_configuration",
    "verification_message_template",
];

/// A file as it is without labels.
pub(crate) fn without(file: &Written) -> Written {
    let Kind::Table(members) = &file.kind else { return file.clone() };
    let mut resources = Resources::default();
    for (name, written) in members {
        match &written.kind {
            Kind::Table(inner) if name == "resource" => {
                for (name, written) in inner {
                    resources.add(name, written);
                }
            }
            _ => resources.add(name, written),
        }
    }
    Written { place: file.place.clone(), kind: Kind::Table(resources.found) }
}

#[derive(Default)]
struct Resources {
    found: Vec<(String, Written)>,
}

impl Resources {
    fn add(&mut self, name: &str, written: &Written) {
        let blocks = labelled(written);
        let known = self.found.iter_mut().find(|(other, _)| other == name);
        match (known, blocks) {
            (None, None) => self.found.push((name.to_owned(), written.clone())),
            (None, Some(blocks)) => {
                let place = written.place.clone();
                self.found.push((name.to_owned(), Written { place, kind: Kind::List(blocks) }));
            }
            // With a label and without one, both are there.
            (Some((_, known)), blocks) => {
                let mut all = known.one_or_many().to_vec();
                all.extend(blocks.unwrap_or_else(|| written.one_or_many().to_vec()));
                known.kind = Kind::List(all);
            }
        }
    }
}

/// The blocks under labels, if all that is there is labels.
fn labelled(written: &Written) -> Option<Vec<Written>> {
    let Kind::Table(members) = &written.kind else { return None };
    let is_label = |(name, block): &(String, Written)| {
        let is_block = |one: &Written| matches!(one.kind, Kind::Table(_));
        !WITHIN.contains(&name.as_str()) && block.one_or_many().iter().all(is_block)
    };
    if members.is_empty() || !members.iter().all(is_label) {
        return None;
    }
    Some(members.iter().flat_map(|(_, block)| block.one_or_many()).cloned().collect())
}
