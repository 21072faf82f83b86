//! `SchemaAttributeType`: the definition of an attribute in the API.

use serde_json::{Map, Value, json};

use crate::model::settings::{
    AttributeSchema,
    schema::{AttributeType, Bound},
};

/// Returns an attribute as `DescribeUserPool` returns it.
pub(crate) fn attribute_schema(attribute: &AttributeSchema) -> Value {
    let mut description = json!({
        "Name": attribute.full_name(),
        "AttributeDataType": attribute.attribute_data_type,
        "DeveloperOnlyAttribute": attribute.developer_only_attribute,
        "Mutable": attribute.mutable,
        "Required": attribute.required,
    });
    let text = |bound: Option<Bound>| json!(bound.map(|Bound(number)| number.to_string()));
    let (name, bounds) = match attribute.attribute_data_type {
        AttributeType::String => {
            let bounds = attribute.string_attribute_constraints.unwrap_or_default();
            let bounds = [("MinLength", bounds.min_length), ("MaxLength", bounds.max_length)];
            ("StringAttributeConstraints", bounds)
        }
        AttributeType::Number => {
            let bounds = attribute.number_attribute_constraints.unwrap_or_default();
            let bounds = [("MinValue", bounds.min_value), ("MaxValue", bounds.max_value)];
            ("NumberAttributeConstraints", bounds)
        }
        AttributeType::DateTime | AttributeType::Boolean => return description,
    };
    let set = bounds.into_iter().filter(|(_, bound)| bound.is_some());
    let bounds: Map<_, _> = set.map(|(name, bound)| (name.to_owned(), text(bound))).collect();
    if let Value::Object(members) = &mut description {
        members.insert(name.to_owned(), Value::Object(bounds));
    }
    description
}
