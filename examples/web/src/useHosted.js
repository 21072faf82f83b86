// The other way: the pool's hosted pages sign in, and give a code that only this page can turn into tokens (PKCE).
import { UserManager, WebStorageStateStore } from 'oidc-client-ts';
import { useCallback, useEffect, useState } from 'react';

import { clientId, issuer } from './settings.js';

const manager = new UserManager({
  authority: issuer,
  client_id: clientId,
  redirect_uri: `${location.origin}/callback`,
  scope: 'openid email profile',
  // Tokens are refreshed when the API asks for it, not in the background.
  automaticSilentRenew: false,
  userStore: new WebStorageStateStore({ store: sessionStorage }),
});

// A code is good once, so that it is turned in once, however often React asks.
let arrival;

/** Turns the code of the address into tokens, and forgets it. */
export function finishSignIn() {
  arrival ??= manager.signinCallback(location.href);
  return arrival;
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

  /** Ends the session here and at the hosted pages. Cognito asks for parameters of its own. */
  const signOut = useCallback(async () => {
    await manager.revokeTokens(['refresh_token']).catch(() => {});
    await manager.signoutRedirect({
      extraQueryParams: { client_id: clientId, logout_uri: `${location.origin}/hosted` },
    });
  }, []);

  return { ...state, accessToken, signIn, signOut };
}
