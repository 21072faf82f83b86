use serde::{Deserialize, Deserializer};

/// Deserializes a list and drops repeated items.
pub(crate) fn distinct<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + PartialEq,
{
    let mut items = Vec::new();
    for item in Vec::<T>::deserialize(deserializer)? {
        if !items.contains(&item) {
            items.push(item);
        }
    }
    Ok(items)
}
