//! The blocks of a file: the resources of pools, with Terraform's labels.
//!
//! `[aws_cognito_user_pool]`, `[[aws_cognito_user_pool]]`, `[aws_cognito_user_pool.main]` and
//! `[resource.aws_cognito_user_pool.main]` are all blocks of a pool. The places of settings have the label.

use crate::config::{
    report::Report,
    setting::{Setting, Value},
    words::{RESOURCES_WITHOUT_EFFECT, TERRAFORM_BLOCKS, is_nested_block, resembles_nested_block},
};

/// The resources that have an effect, in the order in which they are read. Later ones refer to earlier ones.
pub(crate) const RESOURCES: [&str; 8] = [
    "aws_cognito_user_pool",
    "aws_cognito_user_pool_domain",
    "aws_cognito_resource_server",
    "aws_cognito_identity_provider",
    "aws_cognito_user_group",
    "aws_cognito_user_pool_client",
    "aws_cognito_user",
    "aws_cognito_user_in_group",
];

/// The settings that give a resource its name.
const NAMES: [&str; 6] =
    ["domain", "group_name", "identifier", "name", "provider_name", "username"];

/// A resource of a file.
pub(crate) struct Block {
    pub(crate) resource: &'static str,
    pub(crate) label: Option<String>,
    pub(crate) setting: Setting,
}

/// Splits a file into its blocks. Everything else in the file is reported.
pub(crate) fn split(file: Setting, report: &mut Report) -> Vec<Block> {
    let mut blocks = Vec::new();
    for (name, setting) in file.into_members() {
        if name != "resource" {
            add(&name, setting, &mut blocks, report);
            continue;
        }
        for item in setting.into_items() {
            if !matches!(item.value, Value::Table(_)) {
                let message = format!("expected a table of resources, found {}", item.kind());
                report.add(item.place.error(message));
            }
            for (name, setting) in item.into_members() {
                add(&name, setting, &mut blocks, report);
            }
        }
    }
    blocks
}

fn add(name: &str, setting: Setting, blocks: &mut Vec<Block>, report: &mut Report) {
    let Some(resource) = RESOURCES.into_iter().find(|resource| *resource == name) else {
        let without_effect = || RESOURCES_WITHOUT_EFFECT.iter().chain(&TERRAFORM_BLOCKS).copied();
        if without_effect().any(|known| known == name) || is_other_resource(name) {
            report.add_ignored(setting.place);
        } else {
            report.add_unknown(setting.place, RESOURCES.into_iter().chain(without_effect()));
        }
        return;
    };
    for mut item in setting.into_items() {
        remove_empty_blocks(&mut item);
        if !has_labels(&item) {
            report_mixed_labels(&mut item, report);
            blocks.push(Block { resource, label: None, setting: item });
            continue;
        }
        for (label, labelled) in item.into_members() {
            for setting in labelled.into_items() {
                blocks.push(Block { resource, label: Some(label.clone()), setting });
            }
        }
    }
}

/// Returns whether a name is a resource of AWS outside of user pools.
fn is_other_resource(name: &str) -> bool {
    name.starts_with("aws_") && !name.starts_with("aws_cognito_")
}

/// Returns whether all members of a table are blocks under labels.
fn has_labels(setting: &Setting) -> bool {
    let Value::Table(members) = &setting.value else { return false };
    let is_label = |(name, block): &(String, Setting)| {
        let is_table = |one: &Setting| matches!(one.value, Value::Table(_));
        let items = block.items();
        !resembles_nested_block(name) && !items.is_empty() && items.iter().all(is_table)
    };
    !members.is_empty() && members.iter().all(is_label)
}

/// Removes and reports blocks with a label within a block without one. They would have no effect.
fn report_mixed_labels(setting: &mut Setting, report: &mut Report) {
    let Value::Table(members) = &mut setting.value else { return };
    members.retain(|(name, member)| {
        let is_named = |block: &Setting| NAMES.iter().any(|name| block.member(name).is_some());
        let is_labelled = !resembles_nested_block(name) && member.items().iter().any(is_named);
        if is_labelled {
            report.add(member.place.error(
                "a block with a label is within a block without one: expected a label for both, or for none",
            ));
        }
        !is_labelled
    });
}

/// Removes empty lists of blocks. Terraform writes them for absent blocks.
fn remove_empty_blocks(setting: &mut Setting) {
    match &mut setting.value {
        Value::List(items) => items.iter_mut().for_each(remove_empty_blocks),
        Value::Table(members) => {
            members.retain(|(name, member)| {
                let is_empty = matches!(&member.value, Value::List(items) if items.is_empty());
                !(is_empty && is_nested_block(name))
            });
            members.iter_mut().for_each(|(_, member)| remove_empty_blocks(member));
        }
        _ => {}
    }
}
