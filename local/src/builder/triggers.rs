use std::{future::Future, time::Duration};

use aws_lambda_events::event::cognito::{
    CognitoEventUserPoolsCreateAuthChallenge as CreateAuthChallenge,
    CognitoEventUserPoolsCustomMessage as CustomMessage,
    CognitoEventUserPoolsDefineAuthChallenge as DefineAuthChallenge,
    CognitoEventUserPoolsMigrateUser as MigrateUser,
    CognitoEventUserPoolsPostAuthentication as PostAuthentication,
    CognitoEventUserPoolsPostConfirmation as PostConfirmation,
    CognitoEventUserPoolsPreAuthentication as PreAuthentication,
    CognitoEventUserPoolsPreSignup as PreSignup, CognitoEventUserPoolsPreTokenGen as PreTokenGen,
    CognitoEventUserPoolsPreTokenGenV2 as PreTokenGenV2,
    CognitoEventUserPoolsVerifyAuthChallenge as VerifyAuthChallenge,
};
use serde_json::Value;

use crate::{
    builder::UserPoolBuilder,
    triggers::{Function, Trigger, TriggerError},
};

macro_rules! on {
    ($($(#[$doc:meta])* $method:ident($trigger:ident, $event:ty);)*) => {
        /// Triggers: functions that the pool calls where Cognito calls Lambda functions.
        ///
        /// A closure receives the event and returns it with its `response` filled in. The client receives the text of
        /// an error as `UserLambdaValidationException`. A function that is set here takes precedence over
        /// `lambda_config` in the configuration, and replaces an earlier function of the same trigger.
        impl UserPoolBuilder {
            $($(#[$doc])*
            pub fn $method<F>(
                mut self,
                function: impl Fn($event) -> F + Send + Sync + 'static,
            ) -> Self
            where
                F: Future<Output = Result<$event, TriggerError>> + Send + 'static,
            {
                self.triggers.set(Trigger::$trigger, Function::closure(function));
                self
            })*

            /// Sets the URL of a trigger's function, which can be in any language. It is called like the Lambda runtime
            /// interface emulator.
            ///
            /// A URL without a path, such as `http://127.0.0.1:9000`, gets the emulator's path. A URL with a path, such
            /// as one of `sam local start-lambda` or `cargo lambda watch`, is not changed. An invalid URL is an error
            /// of [`start`](Self::start).
            pub fn trigger_url(mut self, trigger: Trigger, url: impl Into<String>) -> Self {
                self.triggers.set_url(trigger, url.into());
                self
            }

            /// Sets the time limit of each call. A function that does not respond in time is called up to three times.
            ///
            /// Default: 5 seconds, as in Cognito.
            pub fn trigger_time_limit(mut self, limit: Duration) -> Self {
                self.triggers.set_time_limit(limit);
                self
            }
        }
    };
}

on! {
    /// Runs before a user is created.
    on_pre_sign_up(PreSignUp, PreSignup);
    /// Runs after a user was confirmed or has reset the password.
    on_post_confirmation(PostConfirmation, PostConfirmation);
    /// Runs before the password is checked.
    on_pre_authentication(PreAuthentication, PreAuthentication);
    /// Runs after a user signed in, before tokens are issued.
    on_post_authentication(PostAuthentication, PostAuthentication);
    /// Runs before a message is sent. It can change the text.
    on_custom_message(CustomMessage, CustomMessage);
    /// Custom sign-in: decides the next step.
    on_define_auth_challenge(DefineAuthChallenge, DefineAuthChallenge);
    /// Custom sign-in: creates a challenge.
    on_create_auth_challenge(CreateAuthChallenge, CreateAuthChallenge);
    /// Custom sign-in: verifies the answer to a challenge.
    on_verify_auth_challenge_response(VerifyAuthChallengeResponse, VerifyAuthChallenge);
    /// Runs before tokens are issued. It can change the ID token. Replaces the other versions of the trigger.
    on_pre_token_generation(PreTokenGeneration, PreTokenGen);
    /// Runs before tokens are issued to a user. It can change both tokens. Replaces the other versions of the trigger.
    on_pre_token_generation_v2(PreTokenGenerationV2, PreTokenGenV2);
    /// Runs before any tokens are issued, also for client credentials. Replaces the other versions of the trigger.
    ///
    /// The event is JSON, because the types of `aws_lambda_events` do not include client credentials.
    on_pre_token_generation_v3(PreTokenGenerationV3, Value);
    /// Runs when a user who is not in the pool signs in with a password or resets a password.
    on_user_migration(UserMigration, MigrateUser);
}
