//! The client side of the Secure Remote Password protocol, as Cognito's JavaScript clients implement it: numbers are
//! hexadecimal strings, and hashes are over the bytes that the strings encode.

use aws_lc_rs::{
    digest::{SHA256, digest},
    hmac, rand,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use num_bigint::BigUint;
use serde_json::{Value, json};

/// The prime of the 3072-bit group of RFC 3526.
const N: &str = "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74\
    020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B302B0A6DF25F1437\
    4FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED\
    EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF05\
    98DA48361C55D39A69163FA8FD24CF5F83655D23DCA3AD961C62F356208552BB\
    9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3B\
    E39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF695581718\
    3995497CEA956AE515D2261898FA051015728E5A8AAAC42DAD33170D04507A33\
    A85521ABDF1CBA64ECFB850458DBEF0A8AEA71575D060C7DB3970F85A6E1E4C7\
    ABF5AE8CDB0933D71E8C94E04A25619DCEE3D2261AD2EE6BF12FFA06D98A0864\
    D87602733EC86A64521F2B18177B200CBBE117577A615D6C770988C0BAD946E2\
    08E24FA074E5AB3143DB5BFCE0FD108E4B82D120A93AD2CAFFFFFFFFFFFFFFFF";

/// The day is not padded.
pub(crate) const TIMESTAMP: &str = "Mon Nov 3 15:13:13 UTC 2026";

/// One sign-in attempt: the ephemeral secret and its public value.
pub(crate) struct SrpClient {
    secret: BigUint,
    pub(crate) public: String,
}

pub(crate) fn prime() -> BigUint {
    number(N)
}

impl SrpClient {
    pub(crate) fn new() -> Self {
        let mut octets = [0; 128];
        rand::fill(&mut octets).unwrap();
        let secret = BigUint::from_bytes_be(&octets);
        let public = BigUint::from(2_u8).modpow(&secret, &prime()).to_str_radix(16);
        Self { secret, public }
    }

    /// Computes the responses to a `PASSWORD_VERIFIER` challenge.
    pub(crate) fn answers(&self, pool_name: &str, challenge: &Value, password: &str) -> Value {
        let parameter = |name: &str| challenge["ChallengeParameters"][name].as_str().unwrap();
        let (user, block) = (parameter("USER_ID_FOR_SRP"), parameter("SECRET_BLOCK"));
        let (n, g) = (prime(), BigUint::from(2_u8));
        let server = number(parameter("SRP_B"));

        let k = number(&hash_hex(&format!("{}{}", pad_hex(&n), pad_hex(&g))));
        let u =
            number(&hash_hex(&format!("{}{}", pad_hex(&number(&self.public)), pad_hex(&server))));
        let identity =
            to_hex(digest(&SHA256, format!("{pool_name}{user}:{password}").as_bytes()).as_ref());
        let x = number(&hash_hex(&format!("{}{identity}", pad_hex(&number(parameter("SALT"))))));
        // S = (B - k * g^x) ^ (a + u * x)
        let known = (&k * g.modpow(&x, &n)) % &n;
        let s = ((server + &n) - known).modpow(&(&self.secret + &u * &x), &n);

        let extracted = mac(&from_hex(&pad_hex(&u)), &from_hex(&pad_hex(&s)));
        let key = &mac(&extracted, b"Caldera Derived Key\x01")[..16];
        let mut message = format!("{pool_name}{user}").into_bytes();
        message.extend(STANDARD.decode(block).unwrap());
        message.extend(TIMESTAMP.as_bytes());
        json!({
            "USERNAME": user,
            "PASSWORD_CLAIM_SECRET_BLOCK": block,
            "PASSWORD_CLAIM_SIGNATURE": STANDARD.encode(mac(key, &message)),
            "TIMESTAMP": TIMESTAMP,
        })
    }
}

/// Pads to an even number of digits, and prepends `00` if the first digit is 8 or more.
fn pad_hex(number: &BigUint) -> String {
    let text = number.to_str_radix(16);
    if text.len() % 2 == 1 {
        format!("0{text}")
    } else if "89abcdef".contains(&text[..1]) {
        format!("00{text}")
    } else {
        text
    }
}

fn hash_hex(hex: &str) -> String {
    to_hex(digest(&SHA256, &from_hex(hex)).as_ref())
}

fn mac(key: &[u8], message: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message).as_ref().to_vec()
}

fn number(hex: &str) -> BigUint {
    BigUint::parse_bytes(hex.as_bytes(), 16).unwrap()
}

fn to_hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

fn from_hex(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}
