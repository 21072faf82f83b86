// A hook around amazon-cognito-identity-js: the signed-in user, the next step of the sign-in, and the actions.
import {
  AuthenticationDetails, CognitoUser, CognitoUserAttribute, CognitoUserPool,
} from 'amazon-cognito-identity-js';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';

import { clientId, poolEndpoint, poolId } from './settings.js';

const pool = new CognitoUserPool({ UserPoolId: poolId, ClientId: clientId, endpoint: `${poolEndpoint}/` });

/**
 * `step` is the current step: `restore` (wait), `signIn`, `confirm`, `newPassword`, `totp`, or `done`.
 * All functions are asynchronous and throw the errors of Cognito.
 */
export function useCognito() {
  const [state, setState] = useState({ step: 'restore' });
  // The user who is signing in or signed in.
  const user = useRef(null);

  /** Returns the current access token. With `fresh`, refreshes it first, because the API rejected it. */
  const accessToken = useCallback(async ({ fresh = false } = {}) => {
    try {
      let session = await called(done => user.current.getSession(done));
      if (fresh) {
        session = await called(done => user.current.refreshSession(session.getRefreshToken(), done));
      }
      return session.getAccessToken().getJwtToken();
    } catch {
      user.current?.signOut();
      user.current = null;
      setState({ step: 'signIn', message: 'Your session has ended. Please sign in again.' });
      throw new Error('Your session has ended.');
    }
  }, []);

  /** Shows the signed-in user with the attributes from the pool. */
  const enter = useCallback(async () => {
    const data = await called(done => user.current.getUserData(done, { bypassCache: true }));
    const attributes = Object.fromEntries(data.UserAttributes.map(({ Name, Value }) => [Name, Value]));
    setState({ step: 'done', username: data.Username, attributes, hasTotp: data.PreferredMfaSetting !== undefined });
  }, []);

  // Restores the session of a user who was signed in when the page was closed.
  useEffect(() => {
    user.current = pool.getCurrentUser();
    if (!user.current) {
      setState({ step: 'signIn' });
      return;
    }
    accessToken().then(enter).catch(() => {
      // The stored session may have been ended elsewhere.
      user.current?.signOut();
      user.current = null;
      setState(({ message }) => ({ step: 'signIn', message }));
    });
  }, [accessToken, enter]);

  const actions = useMemo(() => {
    const named = username => new CognitoUser({ Username: username, Pool: pool });

    /** Runs a step of the sign-in. The result is a session or the next challenge. */
    const advance = async run => {
      const next = await new Promise((resolve, reject) => run({
        onSuccess: () => resolve('done'),
        onFailure: reject,
        newPasswordRequired: () => resolve('newPassword'),
        totpRequired: () => resolve('totp'),
      }));
      if (next === 'done') await enter();
      else setState({ step: next, username: user.current.getUsername() });
    };

    return {
      async signUp({ username, email, password }) {
        const attributes = [new CognitoUserAttribute({ Name: 'email', Value: email })];
        await called(done => pool.signUp(username, password, attributes, null, done));
        setState({ step: 'confirm', username, message: `A code was sent to ${email}.` });
      },
      async confirm({ username, code }) {
        await called(done => named(username).confirmRegistration(code, true, done));
        setState({ step: 'signIn', username, message: 'Confirmed. You can sign in now.' });
      },
      async resend(username) {
        await called(done => named(username).resendConfirmationCode(done));
        setState({ step: 'confirm', username, message: 'Another code was sent.' });
      },
      async signIn({ username, password }) {
        user.current = named(username);
        const details = new AuthenticationDetails({ Username: username, Password: password });
        try {
          await advance(done => user.current.authenticateUser(details, done));
        } catch (error) {
          if (error.code !== 'UserNotConfirmedException') throw error;
          setState({ step: 'confirm', username, message: 'Your address is not confirmed yet.' });
        }
      },
      chooseNewPassword: ({ password }) =>
        advance(done => user.current.completeNewPasswordChallenge(password, {}, done)),
      answerTotp: ({ code }) => advance(done => user.current.sendMFACode(code, done, 'SOFTWARE_TOKEN_MFA')),
      /** Returns the secret for an authenticator app. */
      setUpTotp: () => new Promise((resolve, reject) =>
        user.current.associateSoftwareToken({ associateSecretCode: resolve, onFailure: reject })),
      async confirmTotp({ code }) {
        await new Promise((resolve, reject) =>
          user.current.verifySoftwareToken(code, 'authenticator', { onSuccess: resolve, onFailure: reject }));
        await called(done => user.current.setUserMfaPreference(null, { Enabled: true, PreferredMfa: true }, done));
        await enter();
      },
      async signOut() {
        await new Promise(resolve => user.current.signOut(resolve));
        user.current = null;
        setState({ step: 'signIn', message: 'You are signed out.' });
      },
      startOver() {
        user.current = null;
        setState({ step: 'signIn' });
      },
    };
  }, [enter]);

  return { ...state, ...actions, accessToken };
}

function called(run) {
  return new Promise((resolve, reject) => run((error, value) => (error ? reject(error) : resolve(value))));
}
