use std::time::Duration;

use http::{HeaderMap, HeaderValue, StatusCode, header};

use crate::error::{AuthError, AuthErrorKind, ConfigError};

/// Writes `WWW-Authenticate` (RFC 6750, section 3) and `Retry-After` (RFC 9110, section 10.2.3).
/// The headers contain nothing from the request.
pub(super) fn write_headers(headers: &mut HeaderMap, error: &AuthError, realm: &str) {
    if let Some(challenge) = challenge(error, realm) {
        headers.insert(header::WWW_AUTHENTICATE, challenge);
    }
    if let Some(after) = error.retry_after() {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(whole_seconds(after)));
    }
}

/// Checks that a realm needs no escaping in a quoted string.
pub(super) fn check_realm(realm: &str) -> Result<(), ConfigError> {
    if is_quotable(realm) {
        return Ok(());
    }
    Err(ConfigError::Name {
        field: "realm",
        found: realm.to_owned(),
        expected: "printable ASCII without `\"` and `\\`",
    })
}

/// Capacity for a typical challenge.
const TYPICAL_LENGTH: usize = 192;

fn challenge(error: &AuthError, realm: &str) -> Option<HeaderValue> {
    let code = match error.kind().status() {
        StatusCode::BAD_REQUEST => Some("invalid_request"),
        StatusCode::UNAUTHORIZED if error.kind() == AuthErrorKind::MissingCredential => None,
        StatusCode::UNAUTHORIZED => Some("invalid_token"),
        // Another token would not help.
        StatusCode::FORBIDDEN if error.kind() == AuthErrorKind::CrossSiteRequest => return None,
        StatusCode::FORBIDDEN => Some("insufficient_scope"),
        _ => return None,
    };
    let parameters = [
        ("Bearer realm", Some(realm)),
        (", error", code),
        (", error_description", code.map(|_| error.detail())),
        (", scope", error.required_scope()),
    ];
    let mut text = String::with_capacity(TYPICAL_LENGTH);
    for (name, value) in parameters {
        if let Some(value) = value.filter(|value| is_quotable(value)) {
            text.extend([name, "=\"", value, "\""]);
        }
    }
    HeaderValue::try_from(text).ok()
}

/// Returns whether RFC 6750, section 3, allows a text in a quoted parameter.
fn is_quotable(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e))
}

/// Rounds up, because a client that retries too early would be rejected again.
fn whole_seconds(duration: Duration) -> u64 {
    duration.as_secs().saturating_add(u64::from(duration.subsec_nanos() > 0)).max(1)
}
