//! One-time passwords by time (RFC 6238): SHA-1, six digits, 30 seconds.
