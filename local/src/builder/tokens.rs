//! The tokens of a [`UserPool`], and what a verifier of them needs.

use std::sync::Arc;

use tower_cognito::{Pool, TokenUse, Verifier, VerifierBuilder};

use crate::{
    builder::UserPool,
    testing::{SignInError, SignedIn, TokenBuilder, sign_in},
};

impl UserPool {
    /// Returns the issuer of this pool and the URL of its keys, for the function of your service that builds its
    /// verifier.
    ///
    /// It accepts no app client yet: app clients, kinds of tokens, claims and grants are the configuration of your
    /// service. Write one function for production and tests:
    ///
    /// ```
    /// use tower_cognito::{ConfigError, Pool, Verifier};
    /// use tower_cognito_local::UserPool;
    ///
    /// const CLIENT_ID: &str = "1example23456789";
    ///
    /// fn verifier(pool: Pool) -> Result<Verifier, ConfigError> {
    ///     Verifier::builder(pool.access_tokens([CLIENT_ID])).build()
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// // In production.
    /// let production = verifier(Pool::new("eu-west-1_Ab12Cd34E"))?;
    ///
    /// // In tests.
    /// let pool = UserPool::builder().client_id(CLIENT_ID).start().await?;
    /// let test = verifier(pool.pool())?;
    /// # drop(production);
    /// assert!(test.verify(&pool.token("alice").sign()).await.is_ok());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Plain HTTP is [allowed](tower_cognito::verifier::DangerousPool::allow_plain_http) for any issuer, because the
    /// pool serves its keys itself.
    pub fn pool(&self) -> Pool {
        self.pool.trusted()
    }

    /// Returns a builder of a verifier that accepts access tokens of the default app client, and uses the
    /// [pool's time](Self::time). It has no other setting.
    ///
    /// For short experiments. To test a service, call its own function with [`pool`](Self::pool), so that the tests use
    /// the configuration of production.
    pub fn verifier(&self) -> VerifierBuilder {
        let clock = self.pool.clock();
        let verifier = Verifier::builder(self.pool().access_tokens([self.client_id()]));
        verifier.clock(move || clock.time())
    }

    /// Returns a builder of a user's access token. By default, it has the claims of a sign-in through the API.
    ///
    /// The user need not exist. [`sign`](TokenBuilder::sign) panics for scopes and claims that no sign-in of this pool
    /// would issue: see [`TokenBuilder`].
    pub fn token(&self, username: impl Into<String>) -> TokenBuilder {
        TokenBuilder::user(Arc::clone(&self.pool), TokenUse::Access, username.into())
    }

    /// Returns a builder of a user's ID token. See [`token`](Self::token).
    pub fn id_token(&self, username: impl Into<String>) -> TokenBuilder {
        TokenBuilder::user(Arc::clone(&self.pool), TokenUse::Id, username.into())
    }

    /// Returns a builder of an access token of the client credentials grant for this app client. See
    /// [`token`](Self::token).
    pub fn machine_token(&self, client_id: impl Into<String>) -> TokenBuilder {
        TokenBuilder::machine(Arc::clone(&self.pool), client_id.into())
    }

    /// Signs a user in at the default app client, and returns the same tokens as a sign-in through the API: with the
    /// user's attributes and groups, the client's token lifetimes, and the changes of your triggers. The triggers of a
    /// sign-in run, and a session begins.
    ///
    /// The name is a user name or an alias, as in the API. Neither the password nor a second factor is checked, so a
    /// user who has set up MFA is signed in without a code.
    ///
    /// # Errors
    /// - There is no such user in the configuration, and none has signed up.
    /// - The user is disabled or not confirmed, has to reset or change the password, or belongs to an identity provider.
    /// - MFA is required, and the user has not set up a factor.
    /// - A trigger rejected the sign-in or failed.
    /// - The default app client was deleted.
    pub async fn sign_in(&self, username: &str) -> Result<SignedIn, SignInError> {
        sign_in(&self.pool, username).await
    }
}
