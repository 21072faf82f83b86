//! Attributes in requests.

use serde::Deserialize;

use crate::{domain::attributes, error::Error, http::api::required, triggers::Metadata};

/// A name and a value. An absent value is treated as an empty one, which removes the attribute.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct AttributeInput {
    name: Option<String>,
    value: Option<String>,
}

pub(crate) fn read_attributes(
    list: Option<Vec<AttributeInput>>,
) -> Result<Vec<attributes::AttributeInput>, Error> {
    list.unwrap_or_default()
        .into_iter()
        .map(|AttributeInput { name, value }| {
            let (name, value) = (required(name, "Name")?, value.unwrap_or_default());
            Ok(attributes::AttributeInput { name, value })
        })
        .collect()
}

/// Reads the data for the pre-sign-up trigger.
pub(crate) fn read_validation_data(list: Option<Vec<AttributeInput>>) -> Metadata {
    let pair = |input: AttributeInput| Some((input.name?, input.value?));
    Metadata::from_pairs(list.unwrap_or_default().into_iter().filter_map(pair))
}
