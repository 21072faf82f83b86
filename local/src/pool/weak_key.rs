//! RSA keys that are generated in a few milliseconds, also in debug builds. Any RSA library accepts them, and they protect nothing.
//!
//! The modulus is the product of many random primes of 32 bits (RFC 8017, section 3.2, allows more than two), so anyone
//! can factor it. Generating a real key takes hundreds of milliseconds, which a unit test with a mock should not wait for.

use aws_lc_rs::digest::{SHA256, digest};
use num_bigint::BigUint;

use crate::crypto::secret::random_octets;

pub(super) struct WeakKey {
    primes: Vec<u64>,
    modulus: BigUint,
}

/// The shortest modulus that verifiers of RS256 accept.
const MODULUS_BITS: u64 = 2048;

pub(super) const EXPONENT: u8 = 3;

/// `DigestInfo` of SHA-256 without the hash (RFC 8017, section 9.2).
const DIGEST_INFO: [u8; 19] = [
    0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05,
    0x00, 0x04, 0x20,
];

impl WeakKey {
    pub(super) fn generate() -> Self {
        let (mut primes, mut modulus) = (Vec::new(), BigUint::from(1_u8));
        while modulus.bits() < MODULUS_BITS {
            let candidate = u64::from(u32::from_be_bytes(random_octets()) | 0x8000_0001);
            // The public exponent must have an inverse modulo `candidate - 1`.
            if candidate % 3 == 2 && is_prime(candidate) && !primes.contains(&candidate) {
                modulus *= candidate;
                primes.push(candidate);
            }
        }
        Self { primes, modulus }
    }

    pub(super) fn modulus(&self) -> Vec<u8> {
        self.modulus.to_bytes_be()
    }

    /// Signs with RSASSA-PKCS1-v1_5 and SHA-256 (RFC 8017, section 8.2.1).
    pub(super) fn sign(&self, message: &[u8]) -> Vec<u8> {
        let length = self.modulus().len();
        let hash = digest(&SHA256, message);
        let suffix = [&[0][..], &DIGEST_INFO, hash.as_ref()].concat();
        let mut encoded = vec![0xff; length.saturating_sub(suffix.len())];
        encoded.iter_mut().zip([0, 1]).for_each(|(octet, value)| *octet = value);
        encoded.extend(suffix);
        let signature = self.root(&BigUint::from_bytes_be(&encoded)).to_bytes_be();
        [vec![0; length.saturating_sub(signature.len())], signature].concat()
    }

    /// Returns the number whose power with the public exponent is `value`: the root modulo each prime, combined by the
    /// Chinese remainder theorem.
    fn root(&self, value: &BigUint) -> BigUint {
        let (mut root, mut product) = (BigUint::ZERO, BigUint::from(1_u8));
        for &prime in &self.primes {
            // 3 * (2 * prime - 1) / 3 = 2 * (prime - 1) + 1
            let wanted = power(low_digit(&(value % prime)), (2 * prime - 1) / 3, prime);
            let difference = (wanted + prime - low_digit(&(&root % prime))) % prime;
            let inverse = power(low_digit(&(&product % prime)), prime - 2, prime);
            root += &product * (difference * inverse % prime);
            product *= prime;
        }
        root
    }
}

/// Returns a number below 2^64.
fn low_digit(number: &BigUint) -> u64 {
    number.iter_u64_digits().next().unwrap_or_default()
}

/// Returns a power modulo a number below 2^32.
fn power(base: u64, mut exponent: u64, modulus: u64) -> u64 {
    let (mut base, mut result) = (base % modulus, 1);
    while exponent > 0 {
        if exponent % 2 == 1 {
            result = result * base % modulus;
        }
        base = base * base % modulus;
        exponent /= 2;
    }
    result
}

/// Returns whether an odd number of 32 bits is prime. The bases of the Miller-Rabin test are exact in this range.
fn is_prime(number: u64) -> bool {
    let twos = (number - 1).trailing_zeros();
    let odd = (number - 1) >> twos;
    [2, 7, 61].into_iter().all(|base| {
        let mut value = power(base, odd, number);
        value == 1
            || (0..twos).any(|_| {
                let is_minus_one = value == number - 1;
                value = value * value % number;
                is_minus_one
            })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn primes_are_told_from_composite_numbers() {
        let is_prime_by_division = |number: u64| {
            (3..).step_by(2).take_while(|it| it * it <= number).all(|it| !number.is_multiple_of(it))
        };
        for number in (0xffff_fc01..=0xffff_ffff).step_by(2) {
            assert_eq!(is_prime(number), is_prime_by_division(number), "{number}");
        }
        // A product of two primes that passes the test with the base 2 alone.
        assert!(!is_prime(3_215_031_751));
    }

    #[test]
    fn signatures_are_valid_for_an_rsa_library_and_for_one_message() {
        use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
        for _ in 0..20 {
            let key = WeakKey::generate();
            let public = RsaPublicKeyComponents { n: key.modulus(), e: vec![EXPONENT] };
            let signature = key.sign(b"message");
            let verify = |message| public.verify(&RSA_PKCS1_2048_8192_SHA256, message, &signature);
            assert!(verify(b"message").is_ok());
            assert!(verify(b"another message").is_err());
        }
    }
}
