//! The body of a request, with a size limit.

use std::{future::poll_fn, pin::Pin};

use axum::body::Body;
use http_body::Body as _;

use crate::error::{Error, ErrorKind};

/// The maximum length of a body, in bytes.
const MAX_LENGTH: usize = 1024 * 1024;

/// Reads a body of up to [`MAX_LENGTH`] bytes. A longer body is read to its end and dropped: some clients read a response
/// only after they have sent the whole request.
pub(crate) async fn read(mut body: Body) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    let mut is_too_long = false;
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        let frame = frame.map_err(|_| {
            Error::new(
                ErrorKind::Serialization,
                "The connection ended before the whole body was received.",
            )
        })?;
        let Ok(chunk) = frame.into_data() else {
            continue;
        };
        is_too_long |= bytes.len().saturating_add(chunk.len()) > MAX_LENGTH;
        if is_too_long {
            bytes.clear();
        } else {
            bytes.extend_from_slice(&chunk);
        }
    }
    if is_too_long {
        return Err(Error::new(
            ErrorKind::RequestEntityTooLarge,
            "The request body is larger than 1 MiB.",
        ));
    }
    Ok(bytes)
}
