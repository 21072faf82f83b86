//! The AWS SDK for Rust.

mod kit;

use std::process::ExitCode;

use aws_sdk_cognitoidentityprovider::{
    Client, Config,
    config::{Credentials, Region},
    error::SdkError,
    operation::{
        get_user::{GetUserError, GetUserOutput},
        initiate_auth::{InitiateAuthError, InitiateAuthOutput},
    },
    types::{
        AttributeType, AuthFlowType, AuthenticationResultType, ChallengeNameType,
        ExplicitAuthFlowsType, SoftwareTokenMfaSettingsType, UserStatusType,
    },
};
use kit::{Outcome, Pool, Steps, claims, forged, refused, secret_hash, wrong};

const PASSWORD: &str = "Correct-Horse-1";

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let mut failed = 0;
    for (title, has_email_names) in [("plain user names", false), ("e-mail user names", true)] {
        let pool = Pool::start(title, has_email_names);
        let config = Config::builder()
            .endpoint_url(&pool.endpoint)
            .region(Region::new("us-east-1"))
            .credentials_provider(Credentials::new("local", "local", None, None, "local"))
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .build();
        let lifecycle = Lifecycle { client: Client::from_conf(config), pool };
        let mut steps = Steps::default();
        lifecycle.users(&mut steps).await;
        lifecycle.administrators(&mut steps).await;
        lifecycle.secrets(&mut steps).await;
        println!(
            "AWS SDK for Rust, {}: {} steps, {} failed",
            lifecycle.pool.title, steps.done, steps.failed
        );
        failed += steps.failed;
    }
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

struct Lifecycle {
    client: Client,
    pool: Pool,
}

impl Lifecycle {
    /// Operations of users.
    async fn users(&self, steps: &mut Steps) {
        let Self { client, pool } = self;
        let (username, email) = pool.user("jane");
        let sign_up = |password: &str| {
            client
                .sign_up()
                .client_id(Pool::CLIENT_ID)
                .username(&username)
                .password(password)
                .user_attributes(attribute("email", &email))
                .send()
        };
        let confirm = |code: &str| {
            client
                .confirm_sign_up()
                .client_id(Pool::CLIENT_ID)
                .username(&username)
                .confirmation_code(code)
                .send()
        };
        steps
            .step("a weak password is rejected at sign-up", async || {
                refused(sign_up("weakly"), &["InvalidPasswordException"]).await
            })
            .await;
        steps
            .step("a user signs up, and the name is then taken", async || {
                let answer = sign_up(PASSWORD).await?;
                assert!(!answer.user_confirmed());
                refused(sign_up(PASSWORD), &["UsernameExistsException"]).await
            })
            .await;
        steps
            .step("an unconfirmed user cannot sign in", async || {
                refused(self.initiate(&username, PASSWORD), &["UserNotConfirmedException"]).await
            })
            .await;
        steps
            .step("the right code confirms; wrong and used codes do not", async || {
                client
                    .resend_confirmation_code()
                    .client_id(Pool::CLIENT_ID)
                    .username(&username)
                    .send()
                    .await?;
                let code = pool.code(&username);
                refused(confirm(wrong(&code)), &["CodeMismatchException"]).await?;
                confirm(&code).await?;
                refused(confirm(&code), &["NotAuthorizedException"]).await
            })
            .await;
        steps
            .step("a password signs in, a wrong one does not", async || {
                let tokens = self.sign_in(&username, PASSWORD).await?;
                let access = claims(tokens.access_token().unwrap_or_default());
                assert_eq!(access["client_id"], Pool::CLIENT_ID);
                assert_eq!(tokens.expires_in(), 3600);
                refused(self.initiate(&username, "Correct-Horse-2"), &["NotAuthorizedException"])
                    .await
            })
            .await;
        steps
            .step("a user reads and changes their attributes", async || {
                let tokens = self.sign_in(&username, PASSWORD).await?;
                let access = tokens.access_token().unwrap_or_default();
                client
                    .update_user_attributes()
                    .access_token(access)
                    .user_attributes(attribute("name", "Jane"))
                    .send()
                    .await?;
                let user = client.get_user().access_token(access).send().await?;
                let has = |name, value| {
                    user.user_attributes().iter().any(|attribute| {
                        attribute.name() == name && attribute.value() == Some(value)
                    })
                };
                assert!(
                    has("name", "Jane") && has("email", &email) && has("email_verified", "true")
                );
                let call = client.get_user().access_token(forged(access)).send();
                refused(call, &["NotAuthorizedException"]).await
            })
            .await;
        steps
            .step("a software token is set up and required, and its codes work once", async || {
                self.software_token(&username).await
            })
            .await;
        steps
            .step("a session is refreshed and revoked", async || self.session(&username).await)
            .await;
        steps
            .step("a forgotten password can be reset only with the code, and once", async || {
                client
                    .forgot_password()
                    .client_id(Pool::CLIENT_ID)
                    .username(&username)
                    .send()
                    .await?;
                let code = pool.code(&username);
                let reset = |code: &str| {
                    client
                        .confirm_forgot_password()
                        .client_id(Pool::CLIENT_ID)
                        .username(&username)
                        .confirmation_code(code)
                        .password("Battery-Staple-2")
                        .send()
                };
                refused(reset(wrong(&code)), &["CodeMismatchException"]).await?;
                reset(&code).await?;
                refused(reset(&code), &["ExpiredCodeException", "CodeMismatchException"]).await?;
                refused(self.initiate(&username, PASSWORD), &["NotAuthorizedException"]).await?;
                self.sign_in(&username, "Battery-Staple-2").await.map(drop)
            })
            .await;
        steps
            .step("changing a password requires the old one", async || {
                let tokens = self.sign_in(&username, "Battery-Staple-2").await?;
                let change = |old: &str| {
                    client
                        .change_password()
                        .access_token(tokens.access_token().unwrap_or_default())
                        .previous_password(old)
                        .proposed_password(PASSWORD)
                        .send()
                };
                refused(change("wrong"), &["NotAuthorizedException"]).await?;
                change("Battery-Staple-2").await?;
                refused(self.initiate(&username, "Battery-Staple-2"), &["NotAuthorizedException"])
                    .await
            })
            .await;
        steps
            .step("an access token expires after an hour", async || {
                let tokens = self.sign_in(&username, PASSWORD).await?;
                pool.advance(60 * 60 + 1);
                refused(self.get_user(&tokens), &["NotAuthorizedException"]).await
            })
            .await;
        steps
            .step("a user can delete their own account", async || {
                let tokens = self.sign_in(&username, PASSWORD).await?;
                let access = tokens.access_token().unwrap_or_default();
                client.delete_user().access_token(access).send().await?;
                refused(
                    self.get_user(&tokens),
                    &["NotAuthorizedException", "UserNotFoundException"],
                )
                .await?;
                refused(self.initiate(&username, PASSWORD), &["NotAuthorizedException"]).await
            })
            .await;
    }

    async fn software_token(&self, username: &str) -> Outcome {
        let Self { client, pool } = self;
        let tokens = self.sign_in(username, PASSWORD).await?;
        let access = tokens.access_token().unwrap_or_default();
        let answer = client.associate_software_token().access_token(access).send().await?;
        let secret = answer.secret_code().unwrap_or_default();
        let verify =
            |code: &str| client.verify_software_token().access_token(access).user_code(code).send();
        let code = pool.totp(secret);
        refused(verify(wrong(&code)), &["EnableSoftwareTokenMFAException"]).await?;
        verify(&code).await?;
        let prefer = |wanted: bool| {
            let settings =
                SoftwareTokenMfaSettingsType::builder().enabled(wanted).preferred_mfa(wanted);
            client
                .set_user_mfa_preference()
                .access_token(access)
                .software_token_mfa_settings(settings.build())
                .send()
        };
        prefer(true).await?;
        let challenge = self.initiate(username, PASSWORD).await?;
        assert_eq!(challenge.challenge_name(), Some(&ChallengeNameType::SoftwareTokenMfa));
        let answer = |session: Option<&str>, code: &str| {
            client
                .respond_to_auth_challenge()
                .client_id(Pool::CLIENT_ID)
                .challenge_name(ChallengeNameType::SoftwareTokenMfa)
                .set_session(session.map(str::to_owned))
                .challenge_responses("USERNAME", username)
                .challenge_responses("SOFTWARE_TOKEN_MFA_CODE", code)
                .send()
        };
        let code = pool.totp(secret);
        refused(answer(challenge.session(), wrong(&code)), &["CodeMismatchException"]).await?;
        assert!(answer(challenge.session(), &code).await?.authentication_result().is_some());
        let again = self.initiate(username, PASSWORD).await?;
        let used = answer(again.session(), &code);
        refused(used, &["ExpiredCodeException", "CodeMismatchException"]).await?;
        prefer(false).await?;
        Ok(())
    }

    async fn session(&self, username: &str) -> Outcome {
        let client = &self.client;
        let refresh = |token: &str| {
            client
                .get_tokens_from_refresh_token()
                .client_id(Pool::CLIENT_ID)
                .refresh_token(token)
                .send()
        };
        let tokens = self.sign_in(username, PASSWORD).await?;
        let token = tokens.refresh_token().unwrap_or_default();
        assert!(refresh(token).await?.authentication_result().is_some());
        let flow = client
            .initiate_auth()
            .client_id(Pool::CLIENT_ID)
            .auth_flow(AuthFlowType::RefreshTokenAuth)
            .auth_parameters("REFRESH_TOKEN", token)
            .send()
            .await?;
        assert!(flow.authentication_result().is_some());
        client.revoke_token().client_id(Pool::CLIENT_ID).token(token).send().await?;
        refused(refresh(token), &["NotAuthorizedException"]).await?;
        refused(self.get_user(&tokens), &["NotAuthorizedException"]).await?;

        let tokens = self.sign_in(username, PASSWORD).await?;
        client.global_sign_out().set_access_token(tokens.access_token.clone()).send().await?;
        let token = tokens.refresh_token().unwrap_or_default();
        refused(refresh(token), &["NotAuthorizedException"]).await?;
        refused(self.get_user(&tokens), &["NotAuthorizedException"]).await
    }

    /// Operations of administrators on users.
    async fn administrators(&self, steps: &mut Steps) {
        let Self { client, pool } = self;
        let (username, email) = pool.user("bob");
        steps
            .step("an invited user must choose a password", async || {
                let answer = client
                    .admin_create_user()
                    .user_pool_id(Pool::ID)
                    .username(&username)
                    .user_attributes(attribute("email", &email))
                    .user_attributes(attribute("email_verified", "true"))
                    .temporary_password("Temporary-Word-1")
                    .send()
                    .await?;
                let status = answer.user().and_then(|user| user.user_status());
                assert_eq!(status, Some(&UserStatusType::ForceChangePassword));
                let challenge = self.initiate(&username, "Temporary-Word-1").await?;
                assert_eq!(
                    challenge.challenge_name(),
                    Some(&ChallengeNameType::NewPasswordRequired)
                );
                let answer = client
                    .respond_to_auth_challenge()
                    .client_id(Pool::CLIENT_ID)
                    .challenge_name(ChallengeNameType::NewPasswordRequired)
                    .set_session(challenge.session)
                    .challenge_responses("USERNAME", &username)
                    .challenge_responses("NEW_PASSWORD", PASSWORD)
                    .send()
                    .await?;
                assert!(answer.authentication_result().is_some());
                refused(self.initiate(&username, "Temporary-Word-1"), &["NotAuthorizedException"])
                    .await
            })
            .await;
        steps
            .step("tokens contain the groups of the user", async || {
                let create =
                    || client.create_group().user_pool_id(Pool::ID).group_name("staff").send();
                create().await?;
                refused(create(), &["GroupExistsException"]).await?;
                client
                    .admin_add_user_to_group()
                    .user_pool_id(Pool::ID)
                    .group_name("staff")
                    .username(&username)
                    .send()
                    .await?;
                let tokens = self.sign_in(&username, PASSWORD).await?;
                let access = claims(tokens.access_token().unwrap_or_default());
                assert_eq!(access["cognito:groups"], serde_json::json!(["staff"]));
                Ok(())
            })
            .await;
        steps
            .step("users are listed page by page", async || {
                for number in 0..4 {
                    client
                        .admin_create_user()
                        .user_pool_id(Pool::ID)
                        .username(pool.user(&format!("user{number}")).0)
                        .message_action("SUPPRESS".into())
                        .send()
                        .await?;
                }
                let mut pages =
                    client.list_users().user_pool_id(Pool::ID).limit(2).into_paginator().send();
                let (mut users, mut count) = (0, 0);
                while let Some(page) = pages.next().await {
                    users += page?.users().len();
                    count += 1;
                }
                assert!(users == 5 && count >= 3, "{users} users on {count} pages");
                let filter = format!("email = \"{email}\"");
                let found =
                    client.list_users().user_pool_id(Pool::ID).filter(filter).send().await?;
                assert_eq!(found.users().len(), 1);
                Ok(())
            })
            .await;
        steps
            .step("a disabled user cannot sign in until enabled, a deleted one never", async || {
                client
                    .admin_disable_user()
                    .user_pool_id(Pool::ID)
                    .username(&username)
                    .send()
                    .await?;
                refused(self.initiate(&username, PASSWORD), &["NotAuthorizedException"]).await?;
                client
                    .admin_enable_user()
                    .user_pool_id(Pool::ID)
                    .username(&username)
                    .send()
                    .await?;
                self.sign_in(&username, PASSWORD).await?;
                client
                    .admin_delete_user()
                    .user_pool_id(Pool::ID)
                    .username(&username)
                    .send()
                    .await?;
                let call =
                    client.admin_get_user().user_pool_id(Pool::ID).username(&username).send();
                refused(call, &["UserNotFoundException"]).await
            })
            .await;
    }

    async fn secrets(&self, steps: &mut Steps) {
        let Self { client, pool } = self;
        let (username, email) = pool.user("dave");
        steps
            .step("a client with a secret requires the secret hash", async || {
                let made = client
                    .create_user_pool_client()
                    .user_pool_id(Pool::ID)
                    .client_name("server")
                    .generate_secret(true)
                    .explicit_auth_flows(ExplicitAuthFlowsType::AllowUserPasswordAuth)
                    .send()
                    .await?;
                let made = made.user_pool_client().ok_or("no client")?;
                let id = made.client_id().unwrap_or_default();
                let secret = made.client_secret().unwrap_or_default();
                let sign_up = |hash: Option<String>| {
                    client
                        .sign_up()
                        .client_id(id)
                        .username(&username)
                        .password(PASSWORD)
                        .user_attributes(attribute("email", &email))
                        .set_secret_hash(hash)
                        .send()
                };
                refused(sign_up(None), &["NotAuthorizedException"]).await?;
                let wrong = secret_hash(&username, id, "wrong");
                refused(sign_up(Some(wrong)), &["NotAuthorizedException"]).await?;
                sign_up(Some(secret_hash(&username, id, secret))).await?;
                client
                    .delete_user_pool_client()
                    .user_pool_id(Pool::ID)
                    .client_id(id)
                    .send()
                    .await?;
                let gone = sign_up(Some(secret_hash(&username, id, secret)));
                refused(gone, &["ResourceNotFoundException"]).await
            })
            .await;
        steps
            .step("a pool is created, described and deleted", async || {
                let made = client.create_user_pool().pool_name("second").send().await?;
                let id = made.user_pool().and_then(|pool| pool.id()).unwrap_or_default();
                client.describe_user_pool().user_pool_id(id).send().await?;
                client.delete_user_pool().user_pool_id(id).send().await?;
                let call = client.describe_user_pool().user_pool_id(id).send();
                refused(call, &["ResourceNotFoundException"]).await
            })
            .await;
    }

    async fn initiate(
        &self,
        username: &str,
        password: &str,
    ) -> Result<InitiateAuthOutput, SdkError<InitiateAuthError>> {
        self.client
            .initiate_auth()
            .client_id(Pool::CLIENT_ID)
            .auth_flow(AuthFlowType::UserPasswordAuth)
            .auth_parameters("USERNAME", username)
            .auth_parameters("PASSWORD", password)
            .send()
            .await
    }

    async fn sign_in(
        &self,
        username: &str,
        password: &str,
    ) -> Result<AuthenticationResultType, Box<dyn std::error::Error>> {
        let answer = self.initiate(username, password).await?;
        answer.authentication_result.ok_or_else(|| "expected tokens, found a challenge".into())
    }

    async fn get_user(
        &self,
        tokens: &AuthenticationResultType,
    ) -> Result<GetUserOutput, SdkError<GetUserError>> {
        self.client.get_user().set_access_token(tokens.access_token.clone()).send().await
    }
}

fn attribute(name: &str, value: &str) -> AttributeType {
    AttributeType::builder().name(name).value(value).build().unwrap()
}
