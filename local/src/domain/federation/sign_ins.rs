//! Sign-ins at providers that are not completed yet.

use std::sync::Arc;

use crate::{
    crypto::secret::{self, digest_of, same},
    domain::pkce,
    error::Error,
    model::settings::ProviderSettings,
    pool::{Pool, site::Site},
    store::ExternalSignIn,
};

/// The time limit for a sign-in at the provider, in seconds.
pub(crate) const LIFETIME: u32 = 5 * 60;

/// The values that are generated for a sign-in. All but the cookie are sent to the provider.
pub(crate) struct StartedSignIn {
    pub(crate) state: String,
    pub(crate) nonce: String,
    pub(crate) code_challenge: String,
    /// The value of the browser's cookie for this sign-in.
    pub(crate) cookie: String,
}

/// Starts a sign-in. `request` is the app's authorization request as a query, and `redirect_uri` the address to which the
/// provider redirects the browser.
pub(crate) async fn start(
    pool: &Pool,
    provider: &ProviderSettings,
    request: String,
    redirect_uri: String,
) -> Result<StartedSignIn, Error> {
    let [state, nonce, code_verifier, cookie] = [(); 4].map(|()| secret::random_text());
    let now = pool.now();
    let code_challenge = pkce::challenge_of(&code_verifier);
    let sign_in = ExternalSignIn {
        provider: provider.provider_name.clone(),
        request,
        redirect_uri,
        browser: digest_of(&cookie),
        nonce: nonce.clone(),
        code_verifier,
        expires_at: now.saturating_add(u64::from(LIFETIME) * 1000),
    };
    pool.store
        .write(|data| {
            data.external_sign_ins.retain(|_, sign_in| now < sign_in.expires_at);
            data.external_sign_ins.insert(digest_of(&state), sign_in);
            Ok::<_, Error>(())
        })
        .await??;
    Ok(StartedSignIn { state, nonce, code_challenge, cookie })
}

/// Returns the pool of the sign-in with the given state.
pub(crate) fn pool_of(site: &Site, state: &str) -> Option<Arc<Pool>> {
    let key = digest_of(state);
    let has_sign_in =
        |pool: &Arc<Pool>| pool.store.read(|data| data.external_sign_ins.contains(&key));
    site.pools().into_iter().find(has_sign_in)
}

/// Removes and returns the sign-in with the given state, if the cookie belongs to it and it has not expired.
///
/// # Errors
/// The sign-in cannot be removed from the data file.
pub(crate) async fn take(
    pool: &Pool,
    state: &str,
    cookie: &str,
) -> Result<Option<Arc<ExternalSignIn>>, Error> {
    let (key, browser) = (digest_of(state), digest_of(cookie));
    let now = pool.now();
    let taken = pool
        .store
        .write(|data| {
            let sign_in = data.external_sign_ins.get(&key);
            let is_same_browser = sign_in.is_some_and(|sign_in| same(&sign_in.browser, &browser));
            let taken = is_same_browser.then(|| data.external_sign_ins.remove(&key)).flatten();
            Ok::<_, Error>(taken)
        })
        .await??;
    Ok(taken.filter(|sign_in| now < sign_in.expires_at))
}
