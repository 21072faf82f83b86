// Amplify v6, as browser apps use it.
import assert from 'node:assert/strict';

import { Amplify } from 'aws-amplify';
import * as auth from 'aws-amplify/auth';
import { cognitoUserPoolsTokenProvider } from 'aws-amplify/auth/cognito';

import { forgeries, refused, runClient, wrong } from './kit.mjs';

async function lifecycle({ pool, step }) {
  use(pool, pool.clientId);
  const jane = pool.user('jane');
  const { username } = jane;
  let { password } = jane;
  const userAttributes = { email: jane.email, given_name: 'Jane' };
  if (pool.hasCustomAttributes) {
    Object.assign(userAttributes, { 'custom:tenant': 'acme', 'custom:seats': '3' });
  }
  const signUp = (password, more = {}) =>
    auth.signUp({ username, password, options: { userAttributes, ...more } });

  await step('a weak password is rejected at sign-up', () => refused(signUp('weakly'), 'InvalidPasswordException'));
  await step('a user signs up', async () => {
    const { isSignUpComplete, nextStep, userId } = await signUp(password);
    assert.equal(isSignUpComplete, false);
    assert.equal(nextStep.signUpStep, 'CONFIRM_SIGN_UP');
    assert.equal(nextStep.codeDeliveryDetails.destination, 'j***@e***');
    assert.match(userId, /^[0-9a-f-]{36}$/);
  });
  await step('a taken name is rejected', () => refused(signUp(password), 'UsernameExistsException'));
  await step('a sign-in before confirmation asks for the code', async () => {
    const { isSignedIn, nextStep } = await auth.signIn({ username, password });
    assert.equal(isSignedIn, false);
    assert.equal(nextStep.signInStep, 'CONFIRM_SIGN_UP');
  });
  await step('a wrong code does not confirm', async () =>
    refused(
      auth.confirmSignUp({ username, confirmationCode: wrong(await pool.code(username)) }),
      'CodeMismatchException',
    ));
  await step('a code is sent again', async () => {
    const { deliveryMedium } = await auth.resendSignUpCode({ username });
    assert.equal(deliveryMedium, 'EMAIL');
    assert.equal((await pool.messages(username)).length, 2);
  });
  const confirmationCode = await pool.code(username);
  await step('the code confirms', async () =>
    assert((await auth.confirmSignUp({ username, confirmationCode })).isSignUpComplete));
  await step('the code does not confirm twice', () =>
    refused(auth.confirmSignUp({ username, confirmationCode }), 'NotAuthorizedException'));

  await step('a sign-up signs in automatically if requested', async () => {
    const kim = pool.user('kim');
    const options = { userAttributes: { email: kim.email }, autoSignIn: true };
    await auth.signUp({ username: kim.username, password, options });
    const confirmationCode = await pool.code(kim.username);
    const { nextStep } = await auth.confirmSignUp({ username: kim.username, confirmationCode });
    assert.equal(nextStep.signUpStep, 'COMPLETE_AUTO_SIGN_IN');
    assert((await auth.autoSignIn()).isSignedIn);
    assert.equal((await auth.getCurrentUser()).signInDetails.loginId, kim.username);
  });
  await step('the password signs in by SRP', async () => {
    await signIn(username, password);
    const { tokens, userSub } = await auth.fetchAuthSession();
    const { accessToken: { payload: access }, idToken: { payload: id } } = tokens;
    assert.equal(access.token_use, 'access');
    assert.equal(access.client_id, pool.clientId);
    assert.equal(id.aud, pool.clientId);
    assert.equal(id.sub, userSub);
    assert.equal(id.email_verified, true);
    assert.equal(id.given_name, 'Jane');
    const me = await auth.getCurrentUser();
    assert.equal(me.userId, userSub);
    assert.equal(me.username, pool.hasEmailNames ? userSub : username);
  });
  await step('a wrong password does not sign in', async () => {
    storage.clear();
    await refused(auth.signIn({ username, password: `${password}x` }), 'NotAuthorizedException');
    await refused(auth.getCurrentUser(), 'UserUnAuthenticatedException');
    assert.equal((await auth.fetchAuthSession()).tokens, undefined);
  });
  await step('an unknown user does not sign in', () =>
    refused(auth.signIn({ username: pool.user('nobody').username, password }), 'NotAuthorizedException'));
  await step('the password signs in by USER_PASSWORD_AUTH', async () => {
    storage.clear();
    const { isSignedIn } = await auth.signIn({ username, password, options: { authFlowType: 'USER_PASSWORD_AUTH' } });
    assert(isSignedIn);
  });
  await step('a wrong password does not sign in by USER_PASSWORD_AUTH', () => {
    storage.clear();
    const options = { authFlowType: 'USER_PASSWORD_AUTH' };
    return refused(auth.signIn({ username, password: `${password}x`, options }), 'NotAuthorizedException');
  });

  await signIn(username, password);
  await step('a user reads their attributes', async () => {
    const read = await auth.fetchUserAttributes();
    assert.equal(read.email, jane.email);
    assert.equal(read.email_verified, 'true');
    assert.equal(read.given_name, 'Jane');
    if (pool.hasCustomAttributes) assert.equal(read['custom:seats'], '3');
  });
  await step('a user changes attributes', async () => {
    const change = { given_name: 'Janet', family_name: 'Roe' };
    const answer = await auth.updateUserAttributes({ userAttributes: change });
    assert(answer.given_name.isUpdated && answer.family_name.isUpdated);
    assert.equal((await auth.fetchUserAttributes()).family_name, 'Roe');
  });
  await step('attributes that a user must not write are rejected', async () => {
    const write = change => auth.updateUserAttributes({ userAttributes: change });
    await refused(write({ 'custom:unknown': 'x' }), 'InvalidParameterException');
    await refused(write({ email_verified: 'true' }), 'InvalidParameterException', 'NotAuthorizedException');
    if (pool.hasCustomAttributes) {
      await refused(write({ 'custom:seats': '100' }), 'InvalidParameterException');
      await refused(write({ 'custom:tenant': 'other' }), 'InvalidParameterException', 'NotAuthorizedException');
      await write({ 'custom:seats': '99' });
    }
  });
  await step('attributes are deleted', async () => {
    await auth.deleteUserAttributes({ userAttributeKeys: ['family_name'] });
    assert.equal((await auth.fetchUserAttributes()).family_name, undefined);
  });
  await step('another address is verified only by its own code, and once', async () => {
    const email = 'roe@example.com';
    const { nextStep } = await auth.updateUserAttribute({ userAttribute: { attributeKey: 'email', value: email } });
    assert.equal(nextStep.updateAttributeStep, 'CONFIRM_ATTRIBUTE_WITH_CODE');
    assert.equal((await auth.fetchUserAttributes()).email_verified, 'false');
    await auth.sendUserAttributeVerificationCode({ userAttributeKey: 'email' });
    const code = await pool.code(email);
    const confirm = confirmationCode =>
      auth.confirmUserAttribute({ userAttributeKey: 'email', confirmationCode });
    await refused(confirm(wrong(code)), 'CodeMismatchException');
    await confirm(code);
    assert.equal((await auth.fetchUserAttributes()).email_verified, 'true');
    await refused(confirm(code), 'ExpiredCodeException', 'CodeMismatchException');
  });
  const name = pool.hasEmailNames ? 'roe@example.com' : username;
  if (pool.hasEmailNames) {
    await step('the new address signs in, the old one does not', async () => {
      storage.clear();
      await refused(auth.signIn({ username, password }), 'NotAuthorizedException');
      await signIn(name, password);
    });
  }
  await step('changing a password requires the old one', async () => {
    const change = (oldPassword, newPassword) => auth.updatePassword({ oldPassword, newPassword });
    await refused(change(`${password}x`, 'Battery-Staple-2'), 'NotAuthorizedException');
    await refused(change(password, 'weakly'), 'InvalidPasswordException');
    await change(password, 'Battery-Staple-2');
    storage.clear();
    await refused(auth.signIn({ username: name, password }), 'NotAuthorizedException');
    password = 'Battery-Staple-2';
    await signIn(name, password);
  });

  await step('a session is refreshed', async () => {
    const before = (await auth.fetchAuthSession()).tokens.accessToken.payload;
    const after = (await auth.fetchAuthSession({ forceRefresh: true })).tokens.accessToken.payload;
    assert.notEqual(after.jti, before.jti);
    assert.equal(after.origin_jti, before.origin_jti);
    assert.equal(after.auth_time, before.auth_time);
    assert.equal((await auth.fetchUserAttributes()).email, 'roe@example.com');
  });
  let secret;
  await step('a second factor is set up with the right code', async () => {
    const { sharedSecret, getSetupUri } = await auth.setUpTOTP();
    secret = sharedSecret;
    assert.equal(getSetupUri('App').searchParams.get('secret'), sharedSecret);
    const code = await pool.totp(sharedSecret);
    await refused(auth.verifyTOTPSetup({ code: wrong(code) }), 'EnableSoftwareTokenMFAException');
    await auth.verifyTOTPSetup({ code });
    await auth.updateMFAPreference({ totp: 'PREFERRED' });
    assert.deepEqual(await auth.fetchMFAPreference(), { enabled: ['TOTP'], preferred: 'TOTP' });
  });
  await step('the password alone no longer signs in, nor does a wrong or used code', async () => {
    const enter = async () => {
      storage.clear();
      const { isSignedIn, nextStep } = await auth.signIn({ username: name, password });
      assert.equal(isSignedIn, false);
      assert.equal(nextStep.signInStep, 'CONFIRM_SIGN_IN_WITH_TOTP_CODE');
    };
    await enter();
    const code = await pool.totp(secret);
    await refused(auth.confirmSignIn({ challengeResponse: wrong(code) }), 'CodeMismatchException');
    await refused(auth.getCurrentUser(), 'UserUnAuthenticatedException');
    assert((await auth.confirmSignIn({ challengeResponse: code })).isSignedIn);
    await enter();
    await refused(auth.confirmSignIn({ challengeResponse: code }), 'ExpiredCodeException', 'CodeMismatchException');
    await enter();
    assert((await auth.confirmSignIn({ challengeResponse: await pool.totp(secret) })).isSignedIn);
  });
  await step('the second factor is turned off', async () => {
    await auth.updateMFAPreference({ totp: 'DISABLED' });
    await signIn(name, password);
  });

  await step('no token works after a sign-out', async () => {
    const kept = storage.copy();
    await auth.signOut();
    assert.equal((await auth.fetchAuthSession()).tokens, undefined);
    storage.restore(kept);
    await refused(auth.fetchUserAttributes(), 'NotAuthorizedException');
    const { tokens } = await auth.fetchAuthSession({ forceRefresh: true });
    assert.equal(tokens, undefined);
  });
  await step('a global sign-out ends all sessions', async () => {
    await signIn(name, password);
    const there = storage.copy();
    await signIn(name, password);
    await auth.signOut({ global: true });
    storage.restore(there);
    await refused(auth.fetchUserAttributes(), 'NotAuthorizedException');
    assert.equal((await auth.fetchAuthSession({ forceRefresh: true })).tokens, undefined);
  });
  await step('a forgotten password can be reset only with the code, and once', async () => {
    const { nextStep } = await auth.resetPassword({ username: name });
    assert.equal(nextStep.resetPasswordStep, 'CONFIRM_RESET_PASSWORD_WITH_CODE');
    const code = await pool.code(name);
    const confirm = (confirmationCode, newPassword) =>
      auth.confirmResetPassword({ username: name, confirmationCode, newPassword });
    await refused(confirm(wrong(code), 'Third-Password-3'), 'CodeMismatchException');
    await refused(confirm(code, 'weakly'), 'InvalidPasswordException');
    await confirm(code, 'Third-Password-3');
    await refused(confirm(code, 'Fourth-Password-4'), 'ExpiredCodeException', 'CodeMismatchException');
    storage.clear();
    await refused(auth.signIn({ username: name, password }), 'NotAuthorizedException');
    password = 'Third-Password-3';
    await signIn(name, password);
  });
  await step('tokens that the pool did not sign are rejected', async () => {
    const good = storage.copy();
    const [key, token] = good.find(([key]) => key.endsWith('.accessToken'));
    for (const [how, forged] of Object.entries(forgeries(token))) {
      storage.restore(good);
      await storage.setItem(key, forged);
      await refused(auth.fetchUserAttributes(), 'NotAuthorizedException').catch(error => {
        throw new Error(`a token ${how}: ${error.message}`);
      });
    }
    storage.restore(good);
  });
  await step('an expired access token is rejected, and its session continues', async () => {
    await pool.advance(60 * 60 + 1);
    await refused(auth.fetchUserAttributes(), 'NotAuthorizedException');
    await auth.fetchAuthSession({ forceRefresh: true });
    assert.equal((await auth.fetchUserAttributes()).email, 'roe@example.com');
  });
  await step('the session expires after thirty days', async () => {
    await pool.advance(30 * 24 * 60 * 60);
    assert.equal((await auth.fetchAuthSession({ forceRefresh: true })).tokens, undefined);
    await signIn(name, password);
  });
  if (pool.hasCustomAttributes) {
    await step('a rotated refresh token works once', async () => {
      use(pool, pool.rotatingClientId);
      await signIn(name, password);
      const before = storage.copy();
      const [key, first] = before.find(([key]) => key.endsWith('.refreshToken'));
      assert((await auth.fetchAuthSession({ forceRefresh: true })).tokens);
      assert.notEqual(await storage.getItem(key), first);
      assert((await auth.fetchAuthSession({ forceRefresh: true })).tokens);
      const last = storage.copy();
      storage.restore(before);
      await refused(
        auth.fetchAuthSession({ forceRefresh: true }).then(({ tokens }) => {
          assert.equal(tokens, undefined);
          throw Object.assign(new Error('no tokens'), { name: 'NoTokens' });
        }),
        'RefreshTokenReuseException', 'NoTokens',
      );
      // The token was used twice: its session is revoked.
      storage.restore(last);
      await refused(auth.fetchUserAttributes(), 'NotAuthorizedException');
      use(pool, pool.clientId);
      await signIn(name, password);
    });
  }

  await step('an invited user must choose a password', async () => {
    const invited = await pool.invite('ida');
    const kept = storage.copy();
    storage.clear();
    const { nextStep } = await auth.signIn({ username: invited.username, password: invited.password });
    assert.equal(nextStep.signInStep, 'CONFIRM_SIGN_IN_WITH_NEW_PASSWORD_REQUIRED');
    const choose = (challengeResponse, more) => auth.confirmSignIn({ challengeResponse, options: more });
    await refused(choose('weakly'), 'InvalidPasswordException');
    assert((await choose('Chosen-Password-1', { userAttributes: { name: 'Ida' } })).isSignedIn);
    assert.equal((await auth.fetchUserAttributes()).name, 'Ida');
    storage.restore(kept);
  });
  await step('a user can delete their own account', async () => {
    const kept = storage.copy();
    await auth.deleteUser();
    assert.equal((await auth.fetchAuthSession()).tokens, undefined);
    storage.restore(kept);
    await refused(auth.fetchUserAttributes(), 'NotAuthorizedException', 'UserNotFoundException');
    storage.clear();
    await refused(auth.signIn({ username: name, password }), 'NotAuthorizedException');
  });
}

function use(pool, userPoolClientId) {
  const cognito = { userPoolId: pool.id, userPoolClientId, userPoolEndpoint: `${pool.endpoint}/` };
  // Amplify warns that the endpoint is not one of AWS.
  const { warn } = console;
  console.warn = () => {};
  Amplify.configure({ Auth: { Cognito: cognito } });
  console.warn = warn;
  storage.clear();
  cognitoUserPoolsTokenProvider.setKeyValueStorage(storage);
}

/** Signs in without ending the current session. */
async function signIn(username, password) {
  storage.clear();
  const { isSignedIn, nextStep } = await auth.signIn({ username, password });
  assert(isSignedIn, `asked for ${nextStep.signInStep}`);
}

/** The token storage. A copy of it serves as the storage of another browser. */
const storage = new (class {
  #items = new Map();
  getItem = async key => this.#items.get(key) ?? null;
  setItem = async (key, value) => void this.#items.set(key, value);
  removeItem = async key => void this.#items.delete(key);
  clear = async () => this.#items.clear();
  copy = () => [...this.#items];
  restore = items => void (this.#items = new Map(items));
})();

await runClient('Amplify', lifecycle);
