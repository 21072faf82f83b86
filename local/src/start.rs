//! Which pool and which app client a start is about.

use std::io;

use crate::{config::Config, store::Store};

const POOL: &str = "us-east-1_Local0001";
const CLIENT: &str = "localclient0000000000000000";

/// The pool that is asked for. A file that has pools already has to have it.
pub(crate) fn pool_id(asked: Option<String>, kept: &[String]) -> io::Result<String> {
    let is_kept = |id: &str| kept.iter().any(|kept| kept == id);
    match asked {
        Some(id) if kept.is_empty() || is_kept(&id) => Ok(id),
        Some(id) => Err(unfit(format!(
            "the data has no pool {id:?}, but {}: start with that id, or with another file",
            kept.join(", ")
        ))),
        None if kept.is_empty() || is_kept(POOL) => Ok(POOL.to_owned()),
        None => match kept {
            [id] => Ok(id.clone()),
            _ => {
                Err(unfit(format!("the data has several pools: say which of {}", kept.join(", "))))
            }
        },
    }
}

/// The app client that is asked for, which has to be among those of a pool that was kept, or fit the
/// configuration of a new one.
pub(crate) fn client_id(
    asked: Option<String>,
    store: &Store,
    config: &Config,
) -> io::Result<String> {
    let (is_kept, kept) = store.read(|data| {
        let ids: Vec<_> = data.clients.iter().map(|(id, _)| id.to_owned()).collect();
        (data.pool.len() > 0, ids)
    });
    let configured = &config.seed.clients;
    let ids: Vec<_> = if is_kept {
        kept
    } else {
        configured.iter().map(|client| client.client_id.clone()).collect()
    };
    // A client of the configuration that has no id takes the one that is asked for.
    let has_room = !is_kept && (ids.is_empty() || ids.iter().any(String::is_empty));
    let is_there = |id: &str| ids.iter().any(|other| other == id);
    match asked {
        Some(id) if has_room || is_there(&id) => Ok(id),
        Some(id) => Err(unfit(format!(
            "there is no app client {id:?}, but {}",
            if ids.is_empty() { "none".to_owned() } else { ids.join(", ") }
        ))),
        None if is_there(CLIENT) => Ok(CLIENT.to_owned()),
        None => {
            let first = ids.into_iter().next().filter(|id| !id.is_empty());
            Ok(first.unwrap_or_else(|| CLIENT.to_owned()))
        }
    }
}

/// Rejects an id that the verifier rejects: no token of the pool could be verified.
pub(crate) fn check_client_id(id: &str) -> io::Result<()> {
    let is_plain = |byte: u8| byte.is_ascii_graphic() && byte != b',';
    if (1..=128).contains(&id.len()) && id.bytes().all(is_plain) {
        return Ok(());
    }
    Err(unfit(format!(
        "the client id {id:?} is impossible: it has to be 1 to 128 visible ASCII characters without a comma"
    )))
}

fn unfit(what: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, what)
}
