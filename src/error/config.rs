use std::time::Duration;

/// What is wrong with a configuration, told when it is built.
///
/// Each message names the setting, what was found, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The user pool id is not of Cognito's form.
    #[error(
        "pool id: found {found:?}; expected `<region>_<suffix>` of at most 55 characters, \
         such as `eu-west-1_Ab12Cd34E` (see the user pool's overview page)"
    )]
    PoolId {
        /// The text that was given.
        found: String,
    },

    /// The pool id does not start with an AWS region, so that its hosts are not known.
    #[error(
        "pool id: {found:?} does not begin with an AWS region, so its issuer is not known; \
         call `Pool::endpoint` for an emulator, or use `Pool::custom(issuer, jwks_uri)`"
    )]
    UnknownRegion {
        /// The pool id that was given.
        found: String,
    },

    /// A pool accepts no client at all.
    #[error(
        "clients of {pool}: none were given; call `access_tokens([..])`, `id_tokens([..])` or both \
         with the app client ids whose tokens to accept"
    )]
    NoClients {
        /// The pool's issuer.
        pool: String,
    },

    /// An empty list of resources was given.
    #[error(
        "{setting}: the list is empty; name at least one resource, such as \
         `https://api.example.com`, or leave the setting out"
    )]
    NoResources {
        /// The setting.
        setting: &'static str,
    },

    /// A client id cannot be one of Cognito's.
    #[error(
        "client id: found {found:?}; expected 1 to 128 visible ASCII characters without spaces \
         or commas (one list entry for each app client)"
    )]
    ClientId {
        /// The text that was given.
        found: String,
    },

    /// An address is not an absolute `https` or `http` URL.
    #[error("{field}: found {found:?}; expected an absolute https URL {hint}")]
    Url {
        /// The setting.
        field: &'static str,
        /// The text that was given.
        found: String,
        /// What precisely is asked for.
        hint: &'static str,
    },

    /// An address is plain HTTP and does not stay on this machine.
    #[error(
        "{field}: {found:?} is plain HTTP, on which anybody between can swap the keys; use https, \
         a loopback address, or accept the danger with `Pool::dangerous().allow_plain_http()`"
    )]
    PlainHttp {
        /// The setting.
        field: &'static str,
        /// The text that was given.
        found: String,
    },

    /// A setting has no effect beside another.
    #[error("{setting}: has no effect together with {with}; remove one of the two")]
    Conflict {
        /// The setting without effect.
        setting: &'static str,
        /// What makes it so.
        with: &'static str,
    },

    /// Two pools, or one pool twice, claim the same issuer.
    #[error("issuer: {issuer:?} belongs to two pools; give each issuer to one pool")]
    DuplicateIssuer {
        /// The issuer that stands twice.
        issuer: String,
    },

    /// A duration is zero or outside of its range.
    #[error("{field}: found {found:?}; expected {expected}")]
    Duration {
        /// The setting.
        field: &'static str,
        /// The value that was given.
        found: Duration,
        /// The allowed range.
        expected: &'static str,
    },

    /// A name (of a claim, cookie, header, query parameter or realm) cannot be used.
    #[error("{field}: found {found:?}; expected {expected}")]
    Name {
        /// The setting.
        field: &'static str,
        /// The text that was given.
        found: String,
        /// What is allowed.
        expected: &'static str,
    },

    /// Keys would have to be fetched, but the feature `fetch` is off.
    #[error(
        "keys of {pool}: the feature `fetch` is off, so nothing can fetch them; \
         turn it on, or call `Pool::static_keys` or `Pool::key_source`"
    )]
    NoKeySource {
        /// The pool's issuer.
        pool: String,
    },

    /// The HTTP client could not be set up.
    #[error(
        "key fetching: the HTTP client could not be set up ({reason}); \
         check that the machine has CA certificates installed"
    )]
    HttpClient {
        /// What the client reported.
        reason: String,
    },

    /// Two pools have one name.
    #[error(
        "pool name: {name:?} belongs to two pools; give each a name of its own with `Pool::name`"
    )]
    DuplicatePoolName {
        /// The name that stands twice.
        name: String,
    },

    /// The document given to `import_keys` is not one that `export_keys` wrote.
    #[error("imported keys: {reason}; pass the text that `Verifier::export_keys` returned")]
    ImportedKeys {
        /// What does not fit.
        reason: String,
    },
}

/// A [`PoolId`](crate::verifier::PoolId) that is given as such cannot be wrong: see [`Pool::new`](crate::Pool::new).
impl From<std::convert::Infallible> for ConfigError {
    fn from(never: std::convert::Infallible) -> Self {
        match never {}
    }
}
