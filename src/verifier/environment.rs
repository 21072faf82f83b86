//! Reads the configuration of a verifier from environment variables.

use std::{collections::HashMap, env, ffi::OsString, time::Duration};

use crate::{
    error::{ConfigError, VariableError},
    pool::{PoolId, check_url},
    verifier::{
        builder::{VerifierBuilder, check_permissions_claim},
        pool::{Pool, check_client, check_resource},
        verify::Verifier,
    },
};

const USER_POOL_ID: &str = "COGNITO_USER_POOL_ID";
const CLIENT_ID: &str = "COGNITO_CLIENT_ID";
const TOKEN_USE: &str = "COGNITO_TOKEN_USE";
const RESOURCE: &str = "COGNITO_RESOURCE";
const PERMISSIONS_CLAIM: &str = "COGNITO_PERMISSIONS_CLAIM";
const REGION: &str = "COGNITO_REGION";
const ENDPOINT: &str = "COGNITO_ENDPOINT";
const ISSUER: &str = "COGNITO_ISSUER";
const JWKS_URI: &str = "COGNITO_JWKS_URI";
const REFRESH_INTERVAL: &str = "COGNITO_JWKS_TTL_SECS";
const UNKNOWN_KEY_WINDOW: &str = "COGNITO_JWKS_MIN_REFRESH_SECS";

const NAMES: [&str; 11] = [
    USER_POOL_ID,
    CLIENT_ID,
    TOKEN_USE,
    RESOURCE,
    PERMISSIONS_CLAIM,
    REGION,
    ENDPOINT,
    ISSUER,
    JWKS_URI,
    REFRESH_INTERVAL,
    UNKNOWN_KEY_WINDOW,
];

impl VerifierBuilder {
    /// Starts the configuration of a verifier for one pool from the environment of the process.
    ///
    /// | variable | content |
    /// |---|---|
    /// | `COGNITO_USER_POOL_ID` | the id of the user pool, such as `eu-west-1_Ab12Cd34E`. Required, unless `COGNITO_ISSUER` is set |
    /// | `COGNITO_CLIENT_ID` | the ids of the accepted app clients, separated by commas. Required |
    /// | `COGNITO_TOKEN_USE` | `access`, `id` or `access,id`: the accepted kinds of token. Default: `access`, because access tokens are for APIs |
    /// | `COGNITO_RESOURCE` | the resource identifiers of this API, separated by commas: see [`Pool::resources`] |
    /// | `COGNITO_PERMISSIONS_CLAIM` | the claim with the permissions: see [`permissions_claim`](Self::permissions_claim) |
    /// | `COGNITO_REGION` | the pool's region. Not needed; it must be that of the pool id |
    /// | `COGNITO_ENDPOINT` | the endpoint of an emulator that has this pool: see [`Pool::endpoint`] |
    /// | `COGNITO_ISSUER` | another issuer, instead of the pool id: see [`Pool::custom`] |
    /// | `COGNITO_JWKS_URI` | the URL of the keys. Default: `/.well-known/jwks.json` of the issuer |
    /// | `COGNITO_JWKS_TTL_SECS` | [`refresh_interval`](Self::refresh_interval), from 1 to 86400 |
    /// | `COGNITO_JWKS_MIN_REFRESH_SECS` | [`unknown_key_window`](Self::unknown_key_window), from 1 to 86400 |
    ///
    /// An empty variable counts as not set, because many deployment tools cannot leave a variable out. A name that
    /// differs in one character from one of these, such as `COGNITO_RESOURCES`, is an error: without it, a misspelled
    /// setting would not restrict anything. Other variables are ignored.
    ///
    /// Everything else, such as your own checks, is set on the returned builder.
    ///
    /// ```no_run
    /// # use tower_cognito::{ConfigError, VerifierBuilder};
    /// let verifier = VerifierBuilder::from_env()?.build()?;
    /// # Ok::<(), ConfigError>(())
    /// ```
    ///
    /// # Errors
    /// [`ConfigError::Environment`] with all variables that are missing or wrong.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::from_vars(env::vars_os())
    }

    /// Starts the configuration from these variables instead of the environment of the process, for tests and for
    /// settings from another source. Each item is a name and a value, as [`from_env`](Self::from_env) documents them.
    ///
    /// ```
    /// # use tower_cognito::{ConfigError, VerifierBuilder};
    /// let verifier = VerifierBuilder::from_vars([
    ///     ("COGNITO_USER_POOL_ID", "eu-west-1_Ab12Cd34E"),
    ///     ("COGNITO_CLIENT_ID", "1example23456789"),
    /// ])?
    /// .build()?;
    ///
    /// let error = VerifierBuilder::from_vars([("COGNITO_USER_POOL_ID", "eu-west-1")]).unwrap_err();
    /// assert!(error.to_string().contains("COGNITO_USER_POOL_ID: found \"eu-west-1\""));
    /// assert!(error.to_string().contains("COGNITO_CLIENT_ID: not set"));
    /// # Ok::<(), ConfigError>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`from_env`](Self::from_env).
    pub fn from_vars<N, V>(variables: impl IntoIterator<Item = (N, V)>) -> Result<Self, ConfigError>
    where
        N: Into<OsString>,
        V: Into<OsString>,
    {
        let mut variables = Variables::read(variables);
        let pool = variables.pool();
        let claim = variables.parsed(PERMISSIONS_CLAIM, |name| {
            check_permissions_claim(name).map(|()| name.to_owned())
        });
        let interval = variables.seconds(REFRESH_INTERVAL);
        let window = variables.seconds(UNKNOWN_KEY_WINDOW);
        let Some(pool) = pool.filter(|_| variables.problems.is_empty()) else {
            return Err(ConfigError::Environment { problems: variables.problems });
        };
        let mut builder = Verifier::builder(pool);
        if let Some(claim) = claim {
            builder = builder.permissions_claim(claim);
        }
        if let Some(interval) = interval {
            builder = builder.refresh_interval(interval);
        }
        if let Some(window) = window {
            builder = builder.unknown_key_window(window);
        }
        Ok(builder)
    }
}

/// The variables that are set, and what is wrong with them.
#[derive(Default)]
struct Variables {
    values: HashMap<&'static str, String>,
    problems: Vec<VariableError>,
}

impl Variables {
    fn read<N: Into<OsString>, V: Into<OsString>>(
        variables: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        let mut read = Self::default();
        for (name, value) in variables {
            // No variable of this crate has a name that is not UTF-8.
            let Ok(name) = name.into().into_string() else { continue };
            let known = NAMES.into_iter().find(|known| *known == name);
            match (known, value.into().into_string()) {
                (_, Ok(value)) if value.is_empty() => {}
                (Some(known), Ok(value)) => drop(read.values.insert(known, value)),
                (Some(known), Err(_)) => {
                    read.report(known, "found a value that is not UTF-8; expected text")
                }
                (None, _) => {
                    if let Some(known) = NAMES.into_iter().find(|it| differ_by_one(it, &name)) {
                        read.report(&name, format!("no such variable; did you mean {known}?"));
                    }
                }
            }
        }
        read
    }

    fn report(&mut self, name: &str, problem: impl Into<String>) {
        self.problems.push(VariableError { name: name.to_owned(), problem: problem.into() });
    }

    /// Returns the value if it is accepted by `parse`, whose error is reported without the setting that it names.
    fn parsed<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T, ConfigError>,
    ) -> Option<T> {
        match parse(self.values.get(name)?) {
            Ok(value) => Some(value),
            Err(error) => {
                let text = error.to_string();
                let problem = text.split_once(": ").map_or(&*text, |(_, problem)| problem);
                self.report(name, problem);
                None
            }
        }
    }

    /// Returns the entries of a list that is separated by commas.
    fn list(
        &mut self,
        name: &'static str,
        check: impl Fn(&str) -> Result<(), ConfigError>,
    ) -> Option<Vec<String>> {
        let list = self.parsed(name, |text| {
            let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
            entries
                .map(|entry| check(entry).map(|()| entry.to_owned()))
                .collect::<Result<Vec<_>, _>>()
        })?;
        if list.is_empty() {
            self.report(name, "found no entry; expected at least one, separated by commas");
        }
        Some(list)
    }

    fn seconds(&mut self, name: &'static str) -> Option<Duration> {
        let text = self.values.get(name)?;
        let seconds = text.parse().ok().filter(|seconds| (1..=86_400).contains(seconds));
        if seconds.is_none() {
            let problem = format!("found {text:?}; expected a number of seconds from 1 to 86400");
            self.report(name, problem);
        }
        seconds.map(Duration::from_secs)
    }

    fn is_set(&self, name: &str) -> bool {
        self.values.contains_key(name) || self.problems.iter().any(|problem| problem.name == name)
    }

    /// Reports a variable that has no effect together with another one.
    fn reject_together(&mut self, name: &'static str, other: &'static str) {
        if self.values.contains_key(name) && self.values.contains_key(other) {
            self.report(
                name,
                format!("has no effect together with {other}; remove one of the two"),
            );
        }
    }

    fn pool(&mut self) -> Option<Pool> {
        self.reject_together(ISSUER, USER_POOL_ID);
        self.reject_together(ENDPOINT, ISSUER);
        self.reject_together(REGION, ISSUER);
        let url = |name| move |text: &str| check_url(name, text, false).map(|()| text.to_owned());
        let id = self.parsed(USER_POOL_ID, str::parse::<PoolId>);
        let issuer = self.parsed(ISSUER, url(ISSUER));
        let endpoint = self.parsed(ENDPOINT, url(ENDPOINT));
        let jwks_uri = self.parsed(JWKS_URI, url(JWKS_URI));
        if let Some(id) = &id {
            self.check_region(id);
        }
        let clients = self.list(CLIENT_ID, check_client);
        if !self.is_set(CLIENT_ID) {
            let problem =
                "not set; expected the ids of the accepted app clients, separated by commas";
            self.report(CLIENT_ID, problem);
        }
        if !self.is_set(USER_POOL_ID) && !self.is_set(ISSUER) {
            let problem =
                "not set; expected the id of the user pool, such as `eu-west-1_Ab12Cd34E`";
            self.report(USER_POOL_ID, problem);
        }
        let token_use = self.list(TOKEN_USE, |entry| match entry {
            "access" | "id" => Ok(()),
            _ => Err(ConfigError::Name {
                field: TOKEN_USE,
                found: entry.to_owned(),
                expected: "`access`, `id` or `access,id`",
            }),
        });
        let token_use = token_use.unwrap_or_else(|| vec!["access".to_owned()]);
        let accepts = |kind: &str| token_use.iter().any(|it| it == kind);
        let resources = self.list(RESOURCE, |entry| check_resource(RESOURCE, entry));
        if resources.is_some() && !accepts("access") {
            let problem = format!("has no effect unless {TOKEN_USE} contains `access`");
            self.report(RESOURCE, problem);
        }

        let mut pool = match (id, issuer) {
            (Some(id), _) => Pool::new(id),
            (None, Some(issuer)) => {
                let default = format!("{}/.well-known/jwks.json", issuer.trim_end_matches('/'));
                Pool::custom(issuer, default)
            }
            (None, None) => return None,
        };
        if let Some(endpoint) = endpoint {
            pool = pool.endpoint(endpoint);
        }
        if let Some(uri) = jwks_uri {
            pool = pool.jwks_uri(uri);
        }
        if let Some(resources) = resources {
            pool = pool.resources(resources);
        }
        let clients = clients?;
        if accepts("access") {
            pool = pool.access_tokens(&clients);
        }
        if accepts("id") {
            pool = pool.id_tokens(&clients);
        }
        Some(pool)
    }

    /// Checks that the region is that of the pool id, and that there is one unless there is an endpoint.
    fn check_region(&mut self, id: &PoolId) {
        match (id.region(), self.values.get(REGION)) {
            (Some(region), Some(found)) if region != found => {
                let problem = format!("found {found:?}; {USER_POOL_ID} has the region {region:?}");
                self.report(REGION, problem);
            }
            (None, _) if !self.values.contains_key(ENDPOINT) => {
                let problem = format!(
                    "found {:?}, which does not begin with an AWS region; set {ENDPOINT} for an emulator",
                    id.as_str()
                );
                self.report(USER_POOL_ID, problem);
            }
            _ => {}
        }
    }
}

/// Returns whether one name becomes the other if one character is added, removed or replaced.
fn differ_by_one(a: &str, b: &str) -> bool {
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    let common = short.bytes().zip(long.bytes()).take_while(|(a, b)| a == b).count();
    let (short_rest, long_rest) = (short.as_bytes().get(common..), long.as_bytes().get(common..));
    match (short_rest, long_rest) {
        (Some(short), Some(long)) if short.len() == long.len() => {
            !long.is_empty() && short.get(1..) == long.get(1..)
        }
        (Some(short), Some(long)) => Some(short) == long.get(1..),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_differ_by_one_character_are_recognized() {
        for (a, b, expected) in [
            ("ab", "ab", false),
            ("ab", "abc", true),
            ("abc", "ac", true),
            ("bc", "abc", true),
            ("abc", "axc", true),
            ("abc", "abd", true),
            ("abc", "acb", false),
            ("abc", "abcde", false),
            ("", "a", true),
            ("", "", false),
        ] {
            assert_eq!(differ_by_one(a, b), expected, "{a} {b}");
        }
    }

    #[test]
    fn names_of_variables_differ_by_more_than_one_character() {
        for (position, a) in NAMES.iter().enumerate() {
            assert!(NAMES.iter().skip(position + 1).all(|b| !differ_by_one(a, b)), "{a}");
        }
    }
}
