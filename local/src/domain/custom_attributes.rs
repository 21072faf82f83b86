//! Custom attributes of a pool.

use crate::{
    domain::pools::change,
    error::Error,
    model::settings::{CustomAttribute, PoolSettings},
    pool::Pool,
};

/// Adds custom attributes to a pool. If one of them is invalid, none is added.
///
/// # Errors
/// Returns an error if an attribute breaks a rule, if the pool already has an attribute with its name, or if the pool
/// would have too many attributes.
pub(crate) async fn add(pool: &Pool, attributes: Vec<CustomAttribute>) -> Result<(), Error> {
    for (index, CustomAttribute(attribute)) in attributes.iter().enumerate() {
        let path = format!("custom_attributes.{index}");
        attribute.validate().map_err(|violation| violation.within(&path))?;
    }
    change(pool, |record| {
        let mut settings = PoolSettings::clone(&record.settings);
        for CustomAttribute(attribute) in attributes {
            settings.add_attribute(attribute)?;
        }
        record.settings = settings.into();
        Ok(())
    })
    .await
}
