//! The attributes of a pool, from a file or a request.

use crate::{
    config::{
        fields::Fields,
        read_pool::fields_flag,
        written::{Written, Wrong},
    },
    model::settings::{
        AttributeSchema, AttributeType, STANDARD_ATTRIBUTES,
        schema::{Bound, NumberConstraints, StringConstraints},
    },
};

const TYPES: [(&str, AttributeType); 4] = [
    ("String", AttributeType::String),
    ("Number", AttributeType::Number),
    ("DateTime", AttributeType::DateTime),
    ("Boolean", AttributeType::Boolean),
];

/// How long the name of an attribute can be.
const MAX_NAME: usize = 20;

/// How long the value of an attribute can be.
const MAX_LENGTH: i64 = 2048;

impl AttributeSchema {
    pub(crate) fn read(mut fields: Fields<'_>) -> Result<Self, Wrong> {
        let name = fields.required("name", attribute_name)?;
        let standard = Self::standard(&name);
        let mut read = standard.clone().unwrap_or_else(|| Self {
            name: name.clone(),
            attribute_data_type: AttributeType::String,
            mutable: true,
            required: false,
            developer_only_attribute: false,
            string_attribute_constraints: None,
            number_attribute_constraints: None,
        });
        fields.read("attribute_data_type", &mut read.attribute_data_type, |written| {
            let kind = written.word(&TYPES)?;
            if standard.is_some_and(|standard| standard.attribute_data_type != kind) {
                return Err(
                    written.breaks(format!("You can not change AttributeDataType of {name}"))
                );
            }
            Ok(kind)
        })?;
        fields_flag(&mut fields, "mutable", &mut read.mutable)?;
        fields_flag(&mut fields, "developer_only_attribute", &mut read.developer_only_attribute)?;
        let is_standard = read.is_standard();
        fields.read("required", &mut read.required, |written| {
            let required = written.flag()?;
            if required && !is_standard {
                return Err(
                    written.breaks("Required custom attributes are not supported currently.")
                );
            }
            Ok(required)
        })?;
        read.read_constraints(&mut fields)?;
        fields.finish()?;
        Ok(read)
    }

    /// Whether it is one of those that all pools have.
    pub(crate) fn is_standard(&self) -> bool {
        STANDARD_ATTRIBUTES.iter().any(|(name, _)| *name == self.name)
    }

    fn read_constraints(&mut self, fields: &mut Fields<'_>) -> Result<(), Wrong> {
        let kind = self.attribute_data_type;
        let place = fields.place_of("string_attribute_constraints");
        if let Some(mut block) = fields.block("string_attribute_constraints")? {
            if kind != AttributeType::String {
                return Err(place.breaks("it is for attributes of the type String"));
            }
            let [min_length, max_length] =
                bounds(&mut block, ["min_length", "max_length"], 0..=MAX_LENGTH)?;
            block.finish()?;
            self.string_attribute_constraints = Some(StringConstraints { min_length, max_length });
        }
        let place = fields.place_of("number_attribute_constraints");
        if let Some(mut block) = fields.block("number_attribute_constraints")? {
            if kind != AttributeType::Number {
                return Err(place.breaks("it is for attributes of the type Number"));
            }
            let [min_value, max_value] =
                bounds(&mut block, ["min_value", "max_value"], i64::MIN..=i64::MAX)?;
            block.finish()?;
            self.number_attribute_constraints = Some(NumberConstraints { min_value, max_value });
        }
        Ok(())
    }
}

/// A name, which files may write with the prefix that it has in tokens.
fn attribute_name(written: &Written) -> Result<String, Wrong> {
    let text = written.text()?;
    let name = text.strip_prefix("custom:").unwrap_or(&text);
    let fits = |sign: char| !sign.is_whitespace() && !sign.is_control() && sign != ':';
    if name.is_empty() || name.chars().count() > MAX_NAME || !name.chars().all(fits) {
        let rule =
            format!("the name of an attribute is to have 1 to {MAX_NAME} signs without spaces");
        return Err(written.breaks(rule));
    }
    Ok(name.to_owned())
}

fn bounds(
    fields: &mut Fields<'_>,
    [least, most]: [&'static str; 2],
    allowed: std::ops::RangeInclusive<i64>,
) -> Result<[Option<Bound>; 2], Wrong> {
    let mut read = |name| {
        let mut bound = None;
        fields.read(name, &mut bound, |written: &Written| {
            let number = written.as_decimal().unwrap_or_else(|| written.number(allowed.clone()))?;
            if allowed.contains(&number) {
                return Ok(Some(number));
            }
            Err(written.out_of(number, allowed.clone()))
        })?;
        Ok(bound)
    };
    let [low, high] = [read(least)?, read(most)?];
    if let (Some(low), Some(high)) = (low, high)
        && low > high
    {
        let message = format!("it is to be {low} or more, as {least} is");
        return Err(fields.place_of(most).breaks(message));
    }
    Ok([low, high].map(|bound| bound.and_then(Bound::of)))
}
