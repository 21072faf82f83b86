use std::{fmt, str::FromStr};

use crate::error::ConfigError;

/// The id of a user pool, such as `eu-west-1_Ab12Cd34E`.
///
/// ```
/// use tower_cognito::verifier::PoolId;
///
/// let id: PoolId = "eu-west-1_Ab12Cd34E".parse()?;
/// assert_eq!(id.region(), Some("eu-west-1"));
/// assert!("https://example.com".parse::<PoolId>().is_err());
/// # Ok::<(), tower_cognito::ConfigError>(())
/// ```
///
/// As in the model of the Cognito API, an id has at most 55 characters: a region, an underscore, and letters and
/// digits. Ids of emulators without a region (`local_1a2b3c`) are accepted too; they need [`Pool::endpoint`](crate::Pool::endpoint).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PoolId {
    text: Box<str>,
    separator: usize,
}

/// The DNS suffix of each AWS partition other than the default one, by the prefix of its regions.
const DNS_SUFFIXES: [(&str, &str); 2] = [("cn-", "amazonaws.com.cn"), ("eusc-", "amazonaws.eu")];

impl PoolId {
    const MAX_LENGTH: usize = 55;

    /// Returns the id as text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the AWS region before the underscore, if it has the form of a region.
    pub fn region(&self) -> Option<&str> {
        self.text.get(..self.separator).filter(|region| is_region(region))
    }

    /// Returns the two issuers that Cognito may write for this pool in a region. A pool with replicas in several
    /// regions uses the second one (`issuer-cognito-idp`).
    pub(crate) fn issuers_in(&self, region: &str) -> [String; 2] {
        let suffix = DNS_SUFFIXES
            .iter()
            .find(|(prefix, _)| region.starts_with(prefix))
            .map_or("amazonaws.com", |(_, suffix)| suffix);
        ["cognito-idp", "issuer-cognito-idp"]
            .map(|host| format!("https://{host}.{region}.{suffix}/{self}"))
    }
}

/// Returns whether a text has the form of an AWS region: `eu-west-1`, `us-gov-west-1`, `eusc-de-east-1`.
pub(crate) fn is_region(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let Some((number, words)) = parts.split_last() else {
        return false;
    };
    (2..=3).contains(&words.len())
        && words.iter().all(|word| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase()))
        && (1..=2).contains(&number.len())
        && number.bytes().all(|b| b.is_ascii_digit())
}

impl FromStr for PoolId {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, ConfigError> {
        let word = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        text.rsplit_once('_')
            .filter(|(prefix, suffix)| {
                text.len() <= Self::MAX_LENGTH
                    && !prefix.is_empty()
                    && prefix.bytes().all(word)
                    && !suffix.is_empty()
                    && suffix.bytes().all(|b| b.is_ascii_alphanumeric())
            })
            .map(|(prefix, _)| Self { text: text.into(), separator: prefix.len() })
            .ok_or_else(|| ConfigError::PoolId { found: text.to_owned() })
    }
}

impl TryFrom<&str> for PoolId {
    type Error = ConfigError;

    fn try_from(text: &str) -> Result<Self, ConfigError> {
        text.parse()
    }
}

impl TryFrom<String> for PoolId {
    type Error = ConfigError;

    fn try_from(text: String) -> Result<Self, ConfigError> {
        text.parse()
    }
}

impl TryFrom<&String> for PoolId {
    type Error = ConfigError;

    fn try_from(text: &String) -> Result<Self, ConfigError> {
        text.parse()
    }
}

impl fmt::Display for PoolId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn issuer_has_the_domain_of_the_partition() {
        let cases = [
            ("eu-west-1_A", "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_A"),
            ("us-gov-west-1_A", "https://cognito-idp.us-gov-west-1.amazonaws.com/us-gov-west-1_A"),
            ("cn-north-1_A", "https://cognito-idp.cn-north-1.amazonaws.com.cn/cn-north-1_A"),
            (
                "eusc-de-east-1_A",
                "https://cognito-idp.eusc-de-east-1.amazonaws.eu/eusc-de-east-1_A",
            ),
        ];
        for (id, issuer) in cases {
            let id: PoolId = id.parse().unwrap();
            assert_eq!(id.issuers_in(id.region().unwrap())[0], issuer);
        }
    }

    #[test]
    fn second_issuer_has_the_host_for_replicated_pools() {
        let id: PoolId = "eu-west-1_A".parse().unwrap();
        assert_eq!(
            id.issuers_in("us-east-2")[1],
            "https://issuer-cognito-idp.us-east-2.amazonaws.com/eu-west-1_A"
        );
    }

    #[test]
    fn invalid_pool_ids_are_rejected() {
        let long = format!("eu-west-1_{}", "a".repeat(46));
        for text in ["", "_", "eu-west-1_", "_abc", "eu-west-1", "eu west_1", "a_b/c", "é_a", &long]
        {
            assert!(text.parse::<PoolId>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn id_without_an_aws_region_is_accepted() {
        for text in ["local_1a2b", "us-east_1a2b", "-_a", "eu-west-1-_a", "EU-WEST-1_a"] {
            assert_eq!(text.parse::<PoolId>().unwrap().region(), None, "{text:?}");
        }
    }
}
