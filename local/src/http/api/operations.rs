//! The table of all operations. The dispatcher, the access rules, the documentation and the tests use it.

use std::{future::Future, pin::Pin, sync::Arc};

use serde_json::Value;

use crate::{
    error::Error,
    http::api::{
        account, clients, groups, identity_links, identity_providers, invitations, passwords,
        pool_parts, pools, resource_servers, sessions, sign_in, sign_up, software_token, users,
    },
    pool::site::Site,
};

/// An operation of the API.
pub(crate) struct Operation {
    /// The name of the operation in Cognito's API.
    pub(crate) name: &'static str,
    pub(crate) audience: Audience,
    handler: fn(Arc<Site>, Request) -> RunningOperation,
    /// A one-sentence summary of the operation.
    #[cfg_attr(not(test), expect(dead_code, reason = "a test compares the documentation with it"))]
    pub(crate) description: &'static str,
}

/// What an operation gets from a request.
pub(crate) struct Request {
    /// The input, which was checked against the service model.
    pub(crate) input: Value,
    /// The region for which the request is signed.
    pub(crate) region: Option<String>,
}

/// Who calls an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Audience {
    /// Apps, without AWS credentials and from pages of any origin.
    App,
    /// Administrators, with AWS credentials.
    Administrator,
}

type RunningOperation = Pin<Box<dyn Future<Output = Result<Value, Error>> + Send>>;

impl Operation {
    /// Returns the operation of a name.
    pub(crate) fn of_name(name: &str) -> Option<&'static Self> {
        OPERATIONS.iter().find(|operation| operation.name == name)
    }

    /// Runs the operation.
    pub(crate) fn run(&self, site: &Arc<Site>, request: Request) -> RunningOperation {
        (self.handler)(Arc::clone(site), request)
    }
}

macro_rules! operations {
    ($(
        #[doc = $description:literal]
        $name:ident($audience:ident) => $group:ident::$handler:ident $(with $part:ident)?;
    )*) => {
        /// The table.
        pub(crate) static OPERATIONS: &[Operation] = &[$(Operation {
            name: stringify!($name),
            audience: Audience::$audience,
            handler: |site, request| Box::pin(async move {
                $group::$handler(&site, request.input $(, request.$part)?).await
            }),
            description: $description.trim_ascii_start(),
        }),*];
    };
}

operations! {
    /// Adds custom attributes to a pool.
    AddCustomAttributes(Administrator) => pool_parts::add_attributes;
    /// Adds a user to a group.
    AdminAddUserToGroup(Administrator) => groups::add_user;
    /// Confirms a user without a code.
    AdminConfirmSignUp(Administrator) => users::confirm_sign_up;
    /// Creates a user with a temporary password, or sends the invitation again.
    AdminCreateUser(Administrator) => invitations::create_user;
    /// Deletes a user.
    AdminDeleteUser(Administrator) => users::delete_user;
    /// Deletes attributes of a user.
    AdminDeleteUserAttributes(Administrator) => users::delete_attributes;
    /// Removes the link between a user and an account at a provider.
    AdminDisableProviderForUser(Administrator) => identity_links::unlink;
    /// Disables a user and ends all sessions.
    AdminDisableUser(Administrator) => users::disable_user;
    /// Enables a user.
    AdminEnableUser(Administrator) => users::enable_user;
    /// Describes a user.
    AdminGetUser(Administrator) => users::get_user;
    /// Starts a sign-in from a server.
    AdminInitiateAuth(Administrator) => sign_in::admin_initiate_auth;
    /// Links an account at a provider to a user.
    AdminLinkProviderForUser(Administrator) => identity_links::link;
    /// Lists the groups of a user.
    AdminListGroupsForUser(Administrator) => groups::list_groups_for_user;
    /// Removes a user from a group.
    AdminRemoveUserFromGroup(Administrator) => groups::remove_user;
    /// Invalidates the password and sends a code to set a new one.
    AdminResetUserPassword(Administrator) => users::reset_user_password;
    /// Responds to a challenge of a sign-in from a server.
    AdminRespondToAuthChallenge(Administrator) => sign_in::admin_respond_to_auth_challenge;
    /// Sets the second factors of a user.
    AdminSetUserMFAPreference(Administrator) => software_token::admin_set_preference;
    /// Sets a temporary or a permanent password of a user.
    AdminSetUserPassword(Administrator) => users::set_user_password;
    /// Writes attributes of a user.
    AdminUpdateUserAttributes(Administrator) => users::update_attributes;
    /// Ends all sessions of a user.
    AdminUserGlobalSignOut(Administrator) => sessions::admin_user_global_sign_out;
    /// Returns the secret of a new software token.
    AssociateSoftwareToken(App) => software_token::associate;
    /// Changes the password of the signed-in user.
    ChangePassword(App) => passwords::change_password;
    /// Sets a new password with a code.
    ConfirmForgotPassword(App) => passwords::confirm_forgot_password;
    /// Confirms a user with a code.
    ConfirmSignUp(App) => sign_up::confirm_sign_up;
    /// Creates a group.
    CreateGroup(Administrator) => groups::create_group;
    /// Creates an identity provider.
    CreateIdentityProvider(Administrator) => identity_providers::create;
    /// Creates a resource server with its scopes.
    CreateResourceServer(Administrator) => resource_servers::create;
    /// Creates a pool.
    CreateUserPool(Administrator) => pools::create with region;
    /// Creates an app client.
    CreateUserPoolClient(Administrator) => clients::create;
    /// Assigns a domain to a pool.
    CreateUserPoolDomain(Administrator) => pool_parts::create_domain;
    /// Deletes a group.
    DeleteGroup(Administrator) => groups::delete_group;
    /// Deletes an identity provider.
    DeleteIdentityProvider(Administrator) => identity_providers::delete;
    /// Deletes a resource server.
    DeleteResourceServer(Administrator) => resource_servers::delete;
    /// Deletes the signed-in user.
    DeleteUser(App) => account::delete_user;
    /// Deletes attributes of the signed-in user.
    DeleteUserAttributes(App) => account::delete_attributes;
    /// Deletes a pool.
    DeleteUserPool(Administrator) => pools::delete;
    /// Deletes an app client.
    DeleteUserPoolClient(Administrator) => clients::delete;
    /// Removes the domain of a pool.
    DeleteUserPoolDomain(Administrator) => pool_parts::delete_domain;
    /// Describes an identity provider.
    DescribeIdentityProvider(Administrator) => identity_providers::describe;
    /// Describes a resource server.
    DescribeResourceServer(Administrator) => resource_servers::describe;
    /// Describes a pool.
    DescribeUserPool(Administrator) => pools::describe;
    /// Describes an app client.
    DescribeUserPoolClient(Administrator) => clients::describe;
    /// Describes a domain.
    DescribeUserPoolDomain(Administrator) => pool_parts::describe_domain;
    /// Sends a code to set a new password.
    ForgotPassword(App) => passwords::forgot_password;
    /// Describes a group.
    GetGroup(Administrator) => groups::get_group;
    /// Describes the identity provider that has an identifier.
    GetIdentityProviderByIdentifier(Administrator) => identity_providers::get_by_identifier;
    /// Exchanges a refresh token, and rotates it if the app client uses rotation.
    GetTokensFromRefreshToken(App) => sessions::get_tokens;
    /// Describes the signed-in user.
    GetUser(App) => account::get_user;
    /// Sends a code to verify a contact.
    GetUserAttributeVerificationCode(App) => account::send_code;
    /// Returns the factors of the signed-in user.
    GetUserAuthFactors(App) => software_token::auth_factors;
    /// Describes the second factors of a pool.
    GetUserPoolMfaConfig(Administrator) => pool_parts::mfa;
    /// Ends all sessions of the signed-in user.
    GlobalSignOut(App) => sessions::global_sign_out;
    /// Starts a sign-in, or refreshes tokens.
    InitiateAuth(App) => sign_in::initiate_auth;
    /// Lists the groups of a pool.
    ListGroups(Administrator) => groups::list_groups;
    /// Lists the identity providers of a pool.
    ListIdentityProviders(Administrator) => identity_providers::list;
    /// Lists the resource servers of a pool.
    ListResourceServers(Administrator) => resource_servers::list;
    /// Lists the app clients of a pool.
    ListUserPoolClients(Administrator) => clients::list;
    /// Lists all pools.
    ListUserPools(Administrator) => pools::list;
    /// Lists the users of a pool that match a filter.
    ListUsers(Administrator) => users::list_users;
    /// Lists the users in a group.
    ListUsersInGroup(Administrator) => groups::list_users_in_group;
    /// Sends another code to confirm a user.
    ResendConfirmationCode(App) => sign_up::resend_confirmation_code;
    /// Responds to a challenge of a sign-in.
    RespondToAuthChallenge(App) => sign_in::respond_to_auth_challenge;
    /// Revokes a refresh token and its session.
    RevokeToken(App) => sessions::revoke_token;
    /// Sets the second factors of the signed-in user.
    SetUserMFAPreference(App) => software_token::set_preference;
    /// Sets the second factors of a pool.
    SetUserPoolMfaConfig(Administrator) => pool_parts::set_mfa;
    /// Signs a user up.
    SignUp(App) => sign_up::sign_up;
    /// Changes a group.
    UpdateGroup(Administrator) => groups::update_group;
    /// Changes an identity provider.
    UpdateIdentityProvider(Administrator) => identity_providers::update;
    /// Replaces a resource server.
    UpdateResourceServer(Administrator) => resource_servers::update;
    /// Writes attributes of the signed-in user.
    UpdateUserAttributes(App) => account::update_attributes;
    /// Replaces the settings of a pool.
    UpdateUserPool(Administrator) => pools::update;
    /// Replaces the settings of an app client.
    UpdateUserPoolClient(Administrator) => clients::update;
    /// Verifies a software token with one of its codes.
    VerifySoftwareToken(App) => software_token::verify;
    /// Verifies a contact with a code.
    VerifyUserAttribute(App) => account::verify_attribute;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service_model::MODEL;

    #[test]
    fn table_has_the_operations_and_audiences_of_the_service_model() {
        for operation in OPERATIONS {
            let name = operation.name;
            let model =
                MODEL.operation(name).unwrap_or_else(|| panic!("{name} is not in the model"));
            assert_eq!(model.is_for_apps, operation.audience == Audience::App, "{name}");
            assert!(operation.description.ends_with('.'), "{name}");
        }
        let names: Vec<_> = OPERATIONS.iter().map(|operation| operation.name).collect();
        assert!(names.is_sorted(), "the table is not sorted by name");
        assert_eq!(names.len(), MODEL.operations().count());
    }

    #[test]
    fn documentation_lists_the_operations_of_the_table() {
        let documented: Vec<_> = include_str!("../../docs/operations.md")
            .lines()
            .filter(|line| line.starts_with("| `"))
            .collect();
        let expected: Vec<_> = OPERATIONS
            .iter()
            .map(|Operation { name, audience, description, .. }| {
                let audience = match audience {
                    Audience::App => "apps",
                    Audience::Administrator => "administrators",
                };
                format!("| `{name}` | {audience} | {description} |")
            })
            .collect();
        assert_eq!(documented, expected);
    }
}
