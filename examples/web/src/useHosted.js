// Sign-in at the pool's hosted pages. They return a code that only this page can exchange for tokens (PKCE).
import { UserManager, WebStorageStateStore } from 'oidc-client-ts';
import { useCallback, useEffect, useState } from 'react';

import { clientId, issuer } from './settings.js';

const manager = new UserManager({
  authority: issuer,
  client_id: clientId,
  redirect_uri: `${location.origin}/callback`,
  scope: 'openid email profile',
  // Tokens are refreshed when the API rejects them, not in the background.
  automaticSilentRenew: false,
  userStore: new WebStorageStateStore({ store: sessionStorage }),
});

// React may call `finishSignIn` more than once, but a code can be exchanged only once.
let exchange;

/** Exchanges the code in the URL for tokens. */
export function finishSignIn() {
  exchange ??= manager.signinCallback(location.href);
  return exchange;
}

/** `step` is `restore` (wait), `signIn` or `done`. */
export function useHosted() {
  const [state, setState] = useState({ step: 'restore' });

  useEffect(() => {
    manager.getUser().then(user => setState(user ? { step: 'done', profile: user.profile } : { step: 'signIn' }));
  }, []);

  const accessToken = useCallback(async ({ fresh = false } = {}) => {
    try {
      const user = await manager.getUser();
      const current = fresh || user.expired ? await manager.signinSilent() : user;
      return current.access_token;
    } catch {
      await manager.removeUser();
      setState({ step: 'signIn', message: 'Your session has ended. Please sign in again.' });
      throw new Error('Your session has ended.');
    }
  }, []);

  const signIn = useCallback(() => manager.signinRedirect(), []);

  /** Ends the session here and at the hosted pages. Cognito requires parameters that are not part of OpenID Connect. */
  const signOut = useCallback(async () => {
    await manager.revokeTokens(['refresh_token']).catch(() => {});
    await manager.signoutRedirect({
      extraQueryParams: { client_id: clientId, logout_uri: `${location.origin}/hosted` },
    });
  }, []);

  return { ...state, accessToken, signIn, signOut };
}
