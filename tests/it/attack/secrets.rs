//! Secrets that must not appear in logs or responses: pieces of tokens, and the values of their claims.

use std::collections::HashSet;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;
use tower_cognito_local::UserPool;

use super::Case;

/// The length of the compared pieces, in bytes. A leak of at least twice that length is always found.
const PIECE: usize = 12;

/// Shorter words of a request, such as header names, also appear in the crate's own messages.
const SHORTEST_CREDENTIAL: usize = 16;

/// Pieces of all values in requests: headers of any name, cookies and queries.
#[derive(Default)]
pub(super) struct Secrets {
    pieces: HashSet<Vec<u8>>,
}

impl Secrets {
    /// Public values of the pool, such as its issuer, are not secrets.
    pub(super) fn of<'a>(pool: &UserPool, cases: impl IntoIterator<Item = &'a Case>) -> Self {
        let mut pieces = HashSet::new();
        for case in cases {
            for sent in sent_values(case) {
                add_runs(&sent, &mut pieces);
            }
        }
        let public = [pool.issuer(), &pool.jwks_uri(), pool.client_id(), pool.id().as_str()];
        // In a log, the issuer is surrounded by spaces.
        let public = public.map(|text| format!(" {text} ").into_bytes());
        let is_public =
            |piece: &[u8]| public.iter().any(|text| text.windows(PIECE).any(|part| part == piece));
        pieces.retain(|piece: &Vec<u8>| !is_public(piece));
        Self { pieces }
    }

    pub(super) fn len(&self) -> usize {
        self.pieces.len()
    }

    pub(super) fn are_in(&self, text: &str) -> bool {
        text.as_bytes().windows(PIECE).any(|window| self.pieces.contains(window))
    }

    /// Returns the origins of the log lines that contain a piece, without the lines themselves.
    pub(super) fn places_in(&self, logs: &str) -> Vec<String> {
        let lines = logs.lines().filter(|line| self.are_in(line));
        lines.map(|line| line.split_whitespace().skip(1).take(2).collect()).collect()
    }
}

/// Returns the values of all headers and of the query.
fn sent_values(case: &Case) -> Vec<String> {
    let lines = String::from_utf8_lossy(&case.lines);
    let headers = lines.split("\r\n").filter_map(|line| line.split_once(':'));
    let query = case.path.split_once('?').map(|(_, query)| query.to_owned());
    headers.map(|(_, value)| value.to_owned()).chain(query).collect()
}

fn add_runs(sent: &str, pieces: &mut HashSet<Vec<u8>>) {
    let is_base64url = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    for token in sent.split(|c| !is_base64url(c) && c != '.') {
        for part in token.split('.').filter(|part| part.len() >= SHORTEST_CREDENTIAL) {
            add(part.as_bytes(), pieces);
            let decoded = URL_SAFE_NO_PAD.decode(part).ok();
            if let Some(value) = decoded.and_then(|bytes| serde_json::from_slice(&bytes).ok()) {
                add_values(&value, pieces);
            }
        }
    }
}

/// Adds the strings in a header or payload, such as the subject and the user name.
fn add_values(value: &Value, pieces: &mut HashSet<Vec<u8>>) {
    match value {
        Value::String(text) => add(text.as_bytes(), pieces),
        Value::Array(values) => values.iter().for_each(|value| add_values(value, pieces)),
        Value::Object(members) => members.values().for_each(|value| add_values(value, pieces)),
        _ => {}
    }
}

fn add(bytes: &[u8], pieces: &mut HashSet<Vec<u8>>) {
    pieces.extend(bytes.chunks_exact(PIECE).map(<[u8]>::to_vec));
    pieces.extend(bytes.last_chunk::<PIECE>().map(|last| last.to_vec()));
}
