use std::{fmt, sync::Arc, time::SystemTime};

use crate::{
    clock::Clock,
    error::ConfigError,
    keys::{HttpSources, KeyCache, KeySet, KeySettings, KeySource},
    policy::Grants,
    pool::{PoolId, check_url, is_region},
    verifier::pool_rules::{KeyOrigin, PoolRules},
};

/// Configuration of one user pool: its issuers, its app clients, and where its keys are.
///
/// ```
/// use tower_cognito::{Pool, Verifier};
///
/// let staff = Pool::new("eu-west-1_Staff0001").access_tokens(["staffweb"]);
/// let customers = Pool::new("eu-west-1_Users0002").access_tokens(["web", "mobile"]);
/// let verifier = Verifier::builder(staff).add_pool(customers).build()?;
/// # Ok::<(), tower_cognito::ConfigError>(())
/// ```
#[derive(Clone)]
#[must_use]
pub struct Pool {
    /// `None` for a custom pool.
    id: Option<Result<PoolId, ConfigError>>,
    name: Option<String>,
    grants: Grants,
    issuers: Vec<String>,
    regions: Vec<String>,
    endpoint: Option<String>,
    jwks_uri: Option<String>,
    access_clients: Vec<String>,
    id_clients: Vec<String>,
    resources: Option<Vec<String>>,
    resources_or_unbound: Option<Vec<String>>,
    any_resource: bool,
    key_source: Option<Arc<dyn KeySource>>,
    static_keys: Option<KeySet>,
    initial_keys: Option<(KeySet, SystemTime)>,
    plain_http: bool,
}

/// Settings of a [`Pool`] that remove a protection. Returned by [`Pool::dangerous`].
#[derive(Debug, Clone)]
#[must_use]
pub struct DangerousPool(Pool);

impl Pool {
    /// Creates the configuration of a Cognito user pool from its id, such as `eu-west-1_Ab12Cd34E`. The id determines
    /// its issuers, in both forms that Cognito writes, and the URL of its keys.
    ///
    /// Accepts a [`PoolId`] or its text. An invalid id is reported when the verifier is
    /// [built](crate::VerifierBuilder::build).
    pub fn new<I>(id: I) -> Self
    where
        I: TryInto<PoolId>,
        I::Error: Into<ConfigError>,
    {
        Self::empty(Some(id.try_into().map_err(Into::into)), Vec::new(), None)
    }

    /// Creates the configuration of any other issuer from its name and the URL of its keys, for example an emulator or
    /// a pool behind its own domain. Both must be `https`, or `http` on loopback.
    pub fn custom(issuer: impl Into<String>, jwks_uri: impl Into<String>) -> Self {
        Self::empty(None, vec![issuer.into()], Some(jwks_uri.into()))
    }

    fn empty(
        id: Option<Result<PoolId, ConfigError>>,
        issuers: Vec<String>,
        jwks_uri: Option<String>,
    ) -> Self {
        Self {
            id,
            name: None,
            grants: Grants::new(),
            issuers,
            regions: Vec::new(),
            endpoint: None,
            jwks_uri,
            access_clients: Vec::new(),
            id_clients: Vec::new(),
            resources: None,
            resources_or_unbound: None,
            any_resource: false,
            key_source: None,
            static_keys: None,
            initial_keys: None,
            plain_http: false,
        }
    }

    /// Accepts access tokens of these app clients (`token_use` is `access` and `client_id` is one of them).
    ///
    /// They contain groups and scopes, but no user attributes:
    /// [Access token or ID token](crate::docs::which_token) lists what is in which token.
    ///
    /// Default: none, because an access token does not identify a user's profile and an ID token authorizes nothing:
    /// the service has to choose. A second call replaces the list.
    pub fn access_tokens<C>(mut self, clients: C) -> Self
    where
        C: IntoIterator,
        C::Item: Into<String>,
    {
        self.access_clients = clients.into_iter().map(Into::into).collect();
        self
    }

    /// Accepts ID tokens of these app clients (`token_use` is `id` and `aud` is one of them).
    ///
    /// They contain groups and the user's attributes, but no scopes:
    /// [Access token or ID token](crate::docs::which_token) lists what is in which token.
    ///
    /// Default: none. A second call replaces the list.
    pub fn id_tokens<C>(mut self, clients: C) -> Self
    where
        C: IntoIterator,
        C::Item: Into<String>,
    {
        self.id_clients = clients.into_iter().map(Into::into).collect();
        self
    }

    /// Accepts access tokens that are bound to one of these resources, and no others. A second call
    /// replaces the list; an empty list is an error.
    ///
    /// An app client that sends `resource=https://api.example.com` to the authorization endpoint
    /// (RFC 8707, in Cognito since October 2025) gets an access token whose `aud` is that resource.
    /// With this setting `aud` must be one of these resources, or a list that contains one; otherwise the token is
    /// rejected with `wrong_audience`. The comparison is exact: a resource with a trailing slash is another one. ID
    /// tokens are not affected: if [`id_tokens`](Self::id_tokens) are accepted too, they pass as before.
    ///
    /// Default: no resource. Then an access token passes if it has no `aud`, or if its `aud` contains only accepted
    /// client ids, as a pre-token-generation trigger may write it. A token that is bound to another resource is
    /// rejected (RFC 7519, section 4.1.3).
    ///
    /// ```
    /// # use tower_cognito::{Pool, Verifier};
    /// let pool = Pool::new("eu-west-1_Ab12Cd34E")
    ///     .access_tokens(["web"])
    ///     .resources(["https://api.example.com"]);
    /// # Verifier::builder(pool).build()?;
    /// # Ok::<(), tower_cognito::ConfigError>(())
    /// ```
    pub fn resources<R>(mut self, resources: R) -> Self
    where
        R: IntoIterator,
        R::Item: Into<String>,
    {
        self.resources = Some(resources.into_iter().map(Into::into).collect());
        self
    }

    /// Accepts access tokens that are bound to one of these resources, and those that are bound to none.
    /// A second call replaces the list; an empty list is an error.
    ///
    /// Use it to introduce resource binding: tokens of app clients that do not send `resource` yet have no `aud`, and
    /// [`resources`](Self::resources) rejects them. Change to `resources` when all clients send it. Tokens that are
    /// bound to another resource are rejected.
    pub fn resources_or_unbound<R>(mut self, resources: R) -> Self
    where
        R: IntoIterator,
        R::Item: Into<String>,
    {
        self.resources_or_unbound = Some(resources.into_iter().map(Into::into).collect());
        self
    }

    /// Sets the name by which policies refer to this pool: see [`policy::pool`](crate::policy::pool()).
    ///
    /// Default: the pool's id, or the issuer of a custom pool.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Sets the permissions that the groups of this pool grant. Default: none.
    pub fn grants(mut self, grants: Grants) -> Self {
        self.grants = grants;
        self
    }

    /// Accepts one more issuer for this pool. `iss` must match it exactly.
    pub fn add_issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuers.push(issuer.into());
        self
    }

    /// Accepts the pool's issuers in these regions too, for a pool with replicas. The default is the region of the
    /// pool's id.
    pub fn add_regions<R>(mut self, regions: R) -> Self
    where
        R: IntoIterator,
        R::Item: Into<String>,
    {
        self.regions.extend(regions.into_iter().map(Into::into));
        self
    }

    /// Sets the endpoint of an emulator that has this pool. The issuer is `{endpoint}/{pool id}`, and the keys are at
    /// `{issuer}/.well-known/jwks.json`. The AWS issuers are then not accepted.
    pub fn endpoint(mut self, endpoint: impl Into<String>) -> Self {
        self.endpoint = Some(endpoint.into());
        self
    }

    /// Sets the URL that the keys are fetched from. Default: `/.well-known/jwks.json` of the first issuer.
    pub fn jwks_uri(mut self, uri: impl Into<String>) -> Self {
        self.jwks_uri = Some(uri.into());
        self
    }

    /// Fetches the keys from your own source instead of over HTTP. They are cached and refreshed in the same way.
    pub fn key_source(mut self, source: impl KeySource) -> Self {
        self.key_source = Some(Arc::new(source));
        self
    }

    /// Uses only these keys. Nothing is fetched, and a key rotation needs a new verifier.
    pub fn static_keys(mut self, keys: KeySet) -> Self {
        self.static_keys = Some(keys);
        self
    }

    /// Sets the keys to start with, and the time at which they were fetched. The first request then needs no fetch. Use
    /// it for a JWKS document that is deployed with the service, for example in the image of a function.
    ///
    /// The keys are refreshed like all others. If they are older than the
    /// [refresh interval](crate::VerifierBuilder::refresh_interval), the first request waits for a fetch. They are
    /// used if it fails. Keys older than [`max_staleness`](crate::VerifierBuilder::max_staleness) are not used. Pass
    /// the time of the download, not the time of the start. Otherwise a key that was withdrawn in between is accepted for
    /// longer.
    ///
    /// ```no_run
    /// # use std::time::{Duration, UNIX_EPOCH};
    /// # use tower_cognito::{Pool, Verifier, keys::KeySet};
    /// // Written by the deployment: `curl -o jwks.json "$ISSUER/.well-known/jwks.json"`, and `date +%s`.
    /// # /*
    /// const JWKS: &str = include_str!("jwks.json");
    /// # */
    /// # const JWKS: &str = "";
    /// # const FETCHED_AT: u64 = 0;
    /// let keys = KeySet::from_json(JWKS)?;
    /// let pool = Pool::new("eu-west-1_Ab12Cd34E")
    ///     .access_tokens(["web"])
    ///     .initial_keys(keys, UNIX_EPOCH + Duration::from_secs(FETCHED_AT));
    /// let verifier = Verifier::builder(pool).refresh_on_demand().build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn initial_keys(mut self, keys: KeySet, fetched_at: SystemTime) -> Self {
        self.initial_keys = Some((keys, fetched_at));
        self
    }

    /// Returns the settings that remove a protection.
    pub fn dangerous(self) -> DangerousPool {
        DangerousPool(self)
    }

    pub(super) fn build(
        self,
        settings: &KeySettings,
        clock: &Arc<dyn Clock>,
        http: &HttpSources,
    ) -> Result<PoolRules, ConfigError> {
        let id = self.id.clone().transpose()?;
        self.check_conflicts()?;
        let issuers = self.all_issuers(id.as_ref())?;
        let issuer: Arc<str> =
            issuers.first().map(|first| Arc::from(first.as_str())).ok_or(ConfigError::Url {
                field: "issuer",
                found: String::new(),
                hint: "for each pool",
            })?;
        for issuer in &issuers {
            check_url("issuer", issuer, self.plain_http)?;
        }
        if self.access_clients.is_empty() && self.id_clients.is_empty() {
            return Err(ConfigError::NoClients { pool: issuer.to_string() });
        }
        for client in self.access_clients.iter().chain(&self.id_clients) {
            check_client(client)?;
        }
        check_resources("resources", self.resources.as_deref())?;
        check_resources("resources_or_unbound", self.resources_or_unbound.as_deref())?;
        let cache = |source| {
            KeyCache::new(Arc::clone(&issuer), source, settings.clone(), Arc::clone(clock))
        };
        let (keys, keys_from) = match (self.static_keys, self.key_source) {
            (Some(set), _) => (KeyCache::fixed(set), KeyOrigin::Static),
            (None, Some(source)) => (cache(source), KeyOrigin::Source),
            (None, None) => {
                let uri =
                    self.jwks_uri.unwrap_or_else(|| format!("{issuer}/.well-known/jwks.json"));
                check_url("jwks_uri", &uri, self.plain_http)?;
                (cache(http.source(&issuer, &uri)?), KeyOrigin::Url(uri))
            }
        };
        if let Some((set, fetched_at)) = self.initial_keys {
            keys.import(fetched_at, None, set);
        }
        let name = self.name.or_else(|| id.map(|id| id.to_string()));
        let dangerous =
            [(self.plain_http, "allow_plain_http"), (self.any_resource, "accept_any_resource")];
        Ok(PoolRules {
            number: PoolRules::next_number(),
            name: name.map_or_else(|| Arc::clone(&issuer), Arc::from),
            grants: self.grants,
            issuer,
            issuers: issuers.into_iter().map(Arc::from).collect(),
            keys: Arc::new(keys),
            keys_from,
            dangerous: dangerous
                .into_iter()
                .filter_map(|(is_set, name)| is_set.then_some(name))
                .collect(),
            access_clients: self.access_clients,
            id_clients: self.id_clients,
            accepts_unbound: self.resources.is_none(),
            accepts_any_resource: self.any_resource,
            resources: self.resources.or(self.resources_or_unbound).unwrap_or_default(),
        })
    }

    /// Rejects settings that have no effect, because they are a mistake.
    fn check_conflicts(&self) -> Result<(), ConfigError> {
        let conflict = |setting, with| Err(ConfigError::Conflict { setting, with });
        let fetched = self.key_source.is_none() && self.static_keys.is_none();
        match self {
            Self { id: None, endpoint: Some(_), .. } => conflict("endpoint", "Pool::custom"),
            Self { id: None, regions, .. } if !regions.is_empty() => {
                conflict("add_regions", "Pool::custom")
            }
            Self { endpoint: Some(_), regions, .. } if !regions.is_empty() => {
                conflict("add_regions", "endpoint")
            }
            Self { resources: Some(_), resources_or_unbound: Some(_), .. } => {
                conflict("resources_or_unbound", "resources")
            }
            Self { key_source: Some(_), static_keys: Some(_), .. } => {
                conflict("key_source", "static_keys")
            }
            Self { initial_keys: Some(_), static_keys: Some(_), .. } => {
                conflict("initial_keys", "static_keys")
            }
            // A custom pool always has a URL. A key source or a static set replaces it.
            Self { id: Some(_), jwks_uri: Some(_), .. } if !fetched => {
                conflict("jwks_uri", "key_source or static_keys")
            }
            _ => Ok(()),
        }?;
        let setting = match (&self.resources, &self.resources_or_unbound) {
            (Some(_), _) => Some("resources"),
            (None, Some(_)) => Some("resources_or_unbound"),
            (None, None) => None,
        };
        if let Some(setting) = setting {
            if self.any_resource {
                return conflict(setting, "accept_any_resource");
            }
            if self.access_clients.is_empty() && !self.id_clients.is_empty() {
                return conflict(setting, "id_tokens without access_tokens");
            }
        }
        match self.regions.iter().find(|region| !is_region(region)) {
            Some(region) => Err(ConfigError::Name {
                field: "add_regions",
                found: region.clone(),
                expected: "an AWS region, such as `eu-west-1`",
            }),
            None => Ok(()),
        }
    }

    /// Returns the issuers that follow from the id, then those that were added.
    fn all_issuers(&self, id: Option<&PoolId>) -> Result<Vec<String>, ConfigError> {
        let mut issuers = Vec::new();
        if let Some(id) = id {
            if let Some(endpoint) = &self.endpoint {
                issuers.push(format!("{}/{id}", endpoint.trim_end_matches('/')));
            } else if let Some(region) = id.region() {
                issuers.extend(id.issuers_in(region));
                issuers.extend(self.regions.iter().flat_map(|region| id.issuers_in(region)));
            } else if self.issuers.is_empty() {
                return Err(ConfigError::UnknownRegion { found: id.to_string() });
            }
        }
        issuers.extend(self.issuers.iter().cloned());
        let mut distinct = Vec::with_capacity(issuers.len());
        for issuer in issuers {
            if !distinct.contains(&issuer) {
                distinct.push(issuer);
            }
        }
        Ok(distinct)
    }
}

impl DangerousPool {
    /// Allows plain HTTP to other machines.
    ///
    /// Anyone on the network can then replace the keys and sign in as any user. Use it only in closed test networks.
    pub fn allow_plain_http(mut self) -> Pool {
        self.0.plain_http = true;
        self.0
    }

    /// Accepts access tokens whatever resource they are bound to, and those that are bound to none.
    ///
    /// A token that was issued for another API then passes, which RFC 8707 and RFC 7519, section 4.1.3, forbid. Only
    /// for a service that is not itself an API, such as a proxy in front of several APIs that each check their own
    /// resource.
    pub fn accept_any_resource(mut self) -> Pool {
        self.0.any_resource = true;
        self.0
    }
}

fn check_resources(field: &'static str, resources: Option<&[String]>) -> Result<(), ConfigError> {
    match resources {
        Some([]) => Err(ConfigError::NoResources { setting: field }),
        Some(resources) => {
            resources.iter().try_for_each(|resource| check_resource(field, resource))
        }
        None => Ok(()),
    }
}

/// RFC 8707, section 2: an absolute URI without a fragment.
pub(super) fn check_resource(field: &'static str, resource: &str) -> Result<(), ConfigError> {
    let is_scheme = |scheme: &str| {
        scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
    };
    let fits = resource.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#')
        && resource
            .split_once(':')
            .is_some_and(|(scheme, rest)| is_scheme(scheme) && !rest.is_empty());
    if fits {
        return Ok(());
    }
    Err(ConfigError::Name {
        field,
        found: resource.to_owned(),
        expected: "an absolute URI without a fragment, such as `https://api.example.com`",
    })
}

pub(super) fn check_client(client: &str) -> Result<(), ConfigError> {
    let fits = (1..=128).contains(&client.len())
        && client.bytes().all(|byte| byte.is_ascii_graphic() && byte != b',');
    if fits {
        return Ok(());
    }
    Err(ConfigError::ClientId { found: client.to_owned() })
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("id", &self.id)
            .field("issuers", &self.issuers)
            .field("access_clients", &self.access_clients)
            .field("id_clients", &self.id_clients)
            .field("resources", &self.resources)
            .field("resources_or_unbound", &self.resources_or_unbound)
            .finish_non_exhaustive()
    }
}
