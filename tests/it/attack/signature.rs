//! Invalid signatures, and edits of the signed message.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use tower_cognito::TokenUse;
use tower_cognito_local::UserPool;

use super::{ANY_CODE, Case, USER, claims, signed, with};
use crate::support::header;

pub(super) fn signatures(pool: &UserPool) -> Vec<Case> {
    let good = pool.token(USER).scope("profile").sign();
    let (message, signature) = good.rsplit_once('.').unwrap();
    let octets = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let mut cases = Vec::new();
    let mut case = |name: String, octets: &[u8]| {
        let token = format!("{message}.{}", URL_SAFE_NO_PAD.encode(octets));
        cases.push(Case::token(name, &token, 401, "bad_signature"));
    };
    for position in 0..octets.len() {
        let mut flipped = octets.clone();
        flipped[position] ^= 1 << (position % 8);
        case(format!("signature bit {} flipped", position * 8 + position % 8), &flipped);
    }
    for length in [1, 2, 64, 127, 128, 254, 255] {
        case(format!("signature cut to {length}"), &octets[..length]);
    }
    case("signature with a zero byte appended".into(), &[octets.as_slice(), &[0]].concat());
    case("signature with a zero byte prepended".into(), &[&[0], octets.as_slice()].concat());
    case("signature doubled".into(), &[octets.as_slice(), &octets].concat());
    case("signature of zeros".into(), &vec![0; octets.len()]);
    case("signature of ones".into(), &vec![0xff; octets.len()]);
    case("signature one".into(), &[vec![0; octets.len() - 1], vec![1]].concat());
    case("signature reversed".into(), &octets.iter().rev().copied().collect::<Vec<_>>());
    case("signature plus modulus".into(), &plus_modulus(pool, &octets));
    case("the digest alone".into(), aws_digest(message).as_slice());

    let other = pool.token("mallory").scope("profile").sign();
    let swapped = format!("{message}.{}", other.rsplit_once('.').unwrap().1);
    cases.push(Case::token("signature of another token", &swapped, 401, "bad_signature"));
    // Access and ID tokens are signed with different keys.
    let cross = with(header(pool), "kid", json!(pool.key_id(TokenUse::Id)));
    let token = signed(pool, &cross, &claims(pool));
    cases.push(Case::token("kid of the other key", &token, 401, "bad_signature"));
    cases
}

fn plus_modulus(pool: &UserPool, signature: &[u8]) -> Vec<u8> {
    let keys: Value = serde_json::from_str(&pool.key_set().unwrap().to_json()).unwrap();
    let kid = pool.key_id(TokenUse::Access);
    let key =
        keys["keys"].as_array().unwrap().iter().find(|key| key["kid"] == kid.as_str()).unwrap();
    let modulus = URL_SAFE_NO_PAD.decode(key["n"].as_str().unwrap()).unwrap();
    let mut sum = Vec::new();
    let mut carry = 0;
    for (a, b) in signature.iter().rev().zip(modulus.iter().rev()) {
        let digit = u16::from(*a) + u16::from(*b) + carry;
        sum.push((digit & 0xff) as u8);
        carry = digit >> 8;
    }
    if carry > 0 {
        sum.push(1);
    }
    sum.reverse();
    sum
}

fn aws_digest(message: &str) -> Vec<u8> {
    aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, message.as_bytes()).as_ref().to_vec()
}

/// The number of edited positions, spread over header and payload.
const EDITS: usize = 100;

/// Changes a single character anywhere in the signed message.
pub(super) fn edits(pool: &UserPool) -> Vec<Case> {
    let good = pool.token(USER).scope("profile").sign();
    let signed_length = good.rfind('.').unwrap();
    (0..EDITS)
        .map(|number| {
            let position = number * signed_length / EDITS;
            // The dot between the parts stays: a missing dot is a case of its own.
            position + usize::from(good.as_bytes()[position] == b'.')
        })
        .map(|position| {
            let mut edited = good.clone().into_bytes();
            edited[position] = if edited[position] == b'A' { b'B' } else { b'A' };
            let edited = String::from_utf8(edited).unwrap();
            Case::token(format!("character {position} changed"), &edited, 401, ANY_CODE)
        })
        .collect()
}
