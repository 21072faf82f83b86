//! The body of a request, with a size limit.

use std::{future::poll_fn, pin::Pin};

use axum::body::Body;
use http_body::Body as _;

use crate::error::{Error, ErrorKind};

/// No operation needs more, in octets.
const MAX_LENGTH: usize = 1024 * 1024;

/// Reads a body to its end, so that the client reads the answer, and keeps no more of it than is allowed.
pub(crate) async fn read(mut body: Body) -> Result<Vec<u8>, Error> {
    let mut kept = Vec::new();
    let mut is_too_long = false;
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        let frame = frame.map_err(|_| {
            Error::new(ErrorKind::Serialization, "The request ended before its body did.")
        })?;
        let Ok(part) = frame.into_data() else {
            continue;
        };
        is_too_long |= kept.len().saturating_add(part.len()) > MAX_LENGTH;
        if is_too_long {
            kept.clear();
        } else {
            kept.extend_from_slice(&part);
        }
    }
    if is_too_long {
        return Err(Error::new(
            ErrorKind::RequestEntityTooLarge,
            "The request is larger than a mebibyte.",
        ));
    }
    Ok(kept)
}
