//! Pagination of lists. Each page begins after the last row of the previous page, so no row is skipped or repeated when
//! rows are added or removed in between.

use std::sync::Arc;

use crate::{
    crypto::secret::digest_of,
    error::Error,
    pool::Pool,
    store::{Data, Table},
    text::base64url,
};

/// The number of rows in a page, unless the caller requests fewer.
const MAX_LIMIT: usize = 60;

/// The page of a list that a caller requests.
pub(crate) struct Paging {
    /// Identifies the list. Tokens of other lists are rejected.
    list: String,
    after: Option<String>,
    limit: usize,
}

impl Paging {
    /// Reads the paging parameters of a request. `list` identifies the list by its operation, pool and filter.
    pub(crate) fn new(list: &str, limit: Option<i64>, token: Option<&str>) -> Result<Self, Error> {
        // The service model allows 0, which requests as many rows as a page can have.
        let limit = limit.and_then(|limit| usize::try_from(limit).ok()).filter(|limit| *limit > 0);
        let limit = limit.unwrap_or(MAX_LIMIT);
        let list = digest_of(list);
        let after =
            token.map(|token| key_of(&list, token).ok_or_else(invalid_token)).transpose()?;
        Ok(Self { list, after, limit })
    }

    /// Returns the page of rows, which are in the order of their keys, and the token of the next page if there is one.
    pub(crate) fn page<'a, T>(
        &self,
        rows: impl Iterator<Item = (&'a str, T)>,
    ) -> (Vec<T>, Option<String>) {
        let after = self.after.as_deref();
        let mut rows = rows.skip_while(|(key, _)| after.is_some_and(|after| *key <= after));
        let (mut page, mut last) = (Vec::new(), "");
        for (key, row) in rows.by_ref().take(self.limit) {
            page.push(row);
            last = key;
        }
        let next = rows.next().map(|_| base64url::encode(format!("{} {last}", self.list)));
        (page, next)
    }
}

/// Returns a page of a table of a pool, and the token of the next page. `operation` is the name of the list operation.
pub(crate) fn table_page<T>(
    pool: &Pool,
    operation: &str,
    limit: Option<i64>,
    token: Option<&str>,
    table: impl FnOnce(&Data) -> &Table<T>,
) -> Result<(Vec<Arc<T>>, Option<String>), Error> {
    let paging = Paging::new(&format!("{operation} {}", pool.id()), limit, token)?;
    pool.store.read(|data| {
        let (rows, next) = paging.page(table(data).iter());
        Ok((rows.into_iter().cloned().collect(), next))
    })
}

fn key_of(list: &str, token: &str) -> Option<String> {
    let text = String::from_utf8(base64url::decode(token)?).ok()?;
    let key = text.strip_prefix(list)?.strip_prefix(' ')?;
    Some(key.to_owned())
}

fn invalid_token() -> Error {
    Error::invalid_parameter("Invalid pagination token")
}
