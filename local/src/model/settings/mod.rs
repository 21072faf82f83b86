//! The settings of a pool and its parts, with Terraform's names and Cognito's rules.

mod client;
mod function;
mod list;
mod password;
mod pool;
mod provider;
mod redirect;
mod resource_server;
pub(crate) mod schema;
mod user_name;
mod verification;
mod violation;

pub(crate) use self::{
    client::{
        AuthFlow, ClientContext, ClientSettings, ExistenceErrors, OAuthFlow, STANDARD_SCOPES,
        TimeUnit, TokenValidityUnits, check_client_id,
    },
    function::{FunctionUrl, LambdaConfig},
    password::{PasswordPolicy, SYMBOLS},
    pool::{Alias, Contact, Mfa, PoolSettings, SoftwareTokenMfa, UsernameConfiguration},
    provider::{OWN_PROVIDER, ProviderDetails, ProviderSettings, ProviderType, RequestMethod},
    redirect::is_resource,
    schema::{AttributeSchema, CustomAttribute, STANDARD_ATTRIBUTES},
    verification::{EmailOption, VerificationTemplate},
    violation::{BrokenRule, Violation, check_length, check_range},
};
