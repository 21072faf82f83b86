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
        /// Triggers: functions that the pool calls, as Cognito calls functions on Lambda.
        ///
        /// A closure gets the event and gives it back with its `response` filled in. An error reaches the client
        /// as `UserLambdaValidationException`, with its text. A function set here goes before one of the
        /// configuration's `lambda_config`; of two for the same trigger, the last stands.
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

            /// Has a function run at this URL, in any language: it is called as the Lambda runtime interface
            /// emulator is. A URL without a path, such as `http://127.0.0.1:9000`, gets the emulator's; another is
            /// called as it is, such as one of `sam local start-lambda` or `cargo lambda watch`. What is wrong with
            /// a URL is told when the pool starts.
            pub fn trigger_url(mut self, trigger: Trigger, url: impl Into<String>) -> Self {
                self.triggers.set_url(trigger, url.into());
                self
            }

            /// How long a function may take: five seconds unless set. One that does not answer in time is called
            /// twice more.
            pub fn trigger_time_limit(mut self, limit: Duration) -> Self {
                self.triggers.set_limit(limit);
                self
            }
        }
    };
}

on! {
    /// Runs before a user is created.
    on_pre_sign_up(PreSignUp, PreSignup);
    /// Runs after a user was confirmed, or has reset their password.
    on_post_confirmation(PostConfirmation, PostConfirmation);
    /// Runs before a password is looked at.
    on_pre_authentication(PreAuthentication, PreAuthentication);
    /// Runs after a user signed in, before their tokens are made.
    on_post_authentication(PostAuthentication, PostAuthentication);
    /// Runs before a message is written.
    on_custom_message(CustomMessage, CustomMessage);
    /// Custom sign-in: runs to say what comes next.
    on_define_auth_challenge(DefineAuthChallenge, DefineAuthChallenge);
    /// Custom sign-in: runs to make a challenge.
    on_create_auth_challenge(CreateAuthChallenge, CreateAuthChallenge);
    /// Custom sign-in: runs to judge an answer.
    on_verify_auth_challenge_response(VerifyAuthChallengeResponse, VerifyAuthChallenge);
    /// Runs before tokens are made, and changes the ID token. Takes the place of the other versions.
    on_pre_token_generation(PreTokenGeneration, PreTokenGen);
    /// Runs before a user's tokens are made, and changes both. Takes the place of the other versions.
    on_pre_token_generation_v2(PreTokenGenerationV2, PreTokenGenV2);
    /// Runs before any tokens are made, those of machines too. Takes the place of the other versions.
    ///
    /// The event is JSON, since `aws_lambda_events` has no type with the source of machine tokens.
    on_pre_token_generation_v3(PreTokenGenerationV3, Value);
    /// Runs when someone signs in with a password, or has forgotten it, who is not in the pool.
    on_user_migration(UserMigration, MigrateUser);
}
