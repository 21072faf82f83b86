use crate::{domain::client_auth::check_secret_hash, error::Error, model::Client};

/// The maximum length of a sign-in name, in characters. The name can be the value of an attribute that is an alias.
const MAX_NAME: usize = 2048;

/// Checks the name that an app client sends for a step of a sign-in, and the client's secret hash for it.
pub(crate) fn check_caller(client: &Client, name: &str, hash: Option<&str>) -> Result<(), Error> {
    if name.chars().count() > MAX_NAME {
        let constraint = format!("Member must have length less than or equal to {MAX_NAME}");
        return Err(Error::broken("username", name, &constraint));
    }
    check_secret_hash(client, name, hash)
}
