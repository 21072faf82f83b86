//! Custom attributes of a pool.

use crate::{
    domain::pools::change,
    error::Error,
    model::settings::{CustomAttribute, PoolSettings},
    pool::Pool,
};

/// Adds custom attributes to a pool, all or none.
///
/// # Errors
/// An attribute breaks a rule, the pool has an attribute of the same name, or it would have too many.
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
