use std::fmt;

use tower_cognito::{ConfigError, Pool, Verifier};
use tower_cognito_local::UserPool;

/// The addresses of the started pools and the settings for each kind of client. It shows no secrets.
pub(crate) struct Banner<'a> {
    pub(crate) pool: &'a UserPool,
    /// Where the data is: a path or a description.
    pub(crate) data: &'a str,
}

impl fmt::Display for Banner<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pool, data } = self;
        let (id, client) = (pool.id(), pool.client_id());
        let (issuer, keys, endpoint) = (pool.issuer(), pool.jwks_uri(), pool.endpoint());
        let region = id.as_str().split('_').next().unwrap_or_default();
        let pools = pool.pools();
        let what = match pools.len() {
            1 => "A user pool".to_owned(),
            count => format!("A server with {count} user pools"),
        };
        // Scripts read the address from this line.
        writeln!(
            f,
            "{what} for development and tests is at {endpoint}. It is not for production.\n"
        )?;
        for pool in &pools {
            let name = if pools.len() > 1 { format!(" ({})", pool.name()) } else { String::new() };
            writeln!(f, "  User pool id   {}{name}", pool.id())?;
            for (index, client) in clients(pool).iter().enumerate() {
                let label = if index == 0 { "App clients" } else { "" };
                writeln!(f, "  {label:<13}  {client}")?;
            }
            writeln!(f, "  Issuer         {}", pool.issuer())?;
            writeln!(f, "  JWKS           {}", pool.jwks_uri())?;
            if pools.len() > 1 {
                writeln!(f)?;
            }
        }
        writeln!(f, "  Users, codes   {endpoint}/_local/")?;
        writeln!(f, "  Health         {endpoint}/_local/health")?;
        if pool.ca_certificate().is_some() {
            writeln!(f, "  CA certificate {endpoint}/_local/ca.pem, also over plain HTTP")?;
        }
        writeln!(f, "  Data           {data}\n")?;
        let of_first = if pools.len() > 1 { " of the first pool" } else { "" };
        writeln!(
            f,
            "Settings for clients{of_first}:

  aws-amplify
      Amplify.configure({{ Auth: {{ Cognito: {{
          userPoolId: '{id}', userPoolClientId: '{client}', userPoolEndpoint: '{endpoint}/' }} }} }})
  amazon-cognito-identity-js
      new CognitoUserPool({{ UserPoolId: '{id}', ClientId: '{client}', endpoint: '{endpoint}/' }})
  AWS SDKs, boto3 and the aws command (any credentials are accepted)
      AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER={endpoint} AWS_REGION={region} AWS_DEFAULT_REGION={region}
  OpenID Connect clients
      {endpoint}/{id}/.well-known/openid-configuration
  tower-cognito
      Verifier::builder(Pool::custom(\"{issuer}\", \"{keys}\").access_tokens([\"{client}\"]){})

Press Ctrl-C to stop.",
            self.plain_http()
        )
    }
}

impl Banner<'_> {
    /// Returns the call that a verifier needs if the issuer uses plain HTTP and is not on this machine.
    fn plain_http(&self) -> &'static str {
        let pool = Pool::custom(self.pool.issuer(), self.pool.jwks_uri())
            .access_tokens([self.pool.client_id()]);
        match Verifier::builder(pool).build() {
            Err(ConfigError::PlainHttp { .. }) => ".dangerous().allow_plain_http()",
            _ => "",
        }
    }
}

/// Returns all app clients of a pool, the default client first.
fn clients(pool: &UserPool) -> Vec<String> {
    let default = pool.client_id();
    let mut ids = pool.client_ids();
    ids.sort_by_key(|id| id != default);
    let secret = |id: &str| match pool.client_secret(id) {
        Some(_) => "with a secret",
        None => "without a secret",
    };
    ids.iter().map(|id| format!("{id} ({})", secret(id))).collect()
}
