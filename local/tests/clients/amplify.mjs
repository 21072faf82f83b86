// Amplify v6, as browser apps use it.
import assert from 'node:assert/strict';

import { Amplify } from 'aws-amplify';
import * as auth from 'aws-amplify/auth';
import { cognitoUserPoolsTokenProvider } from 'aws-amplify/auth/cognito';

import { forgeries, lives, refused, wrong } from './kit.mjs';

async function life({ pool, step }) {
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

  await step('a weak password is refused at sign-up', () => refused(signUp('weakly'), 'InvalidPasswordException'));
  await step('a user signs up', async () => {
    const { isSignUpComplete, nextStep, userId } = await signUp(password);
    assert.equal(isSignUpComplete, false);
    assert.equal(nextStep.signUpStep, 'CONFIRM_SIGN_UP');
    assert.equal(nextStep.codeDeliveryDetails.destination, 'j***@e***');
    assert.match(userId, /^[0-9a-f-]{36}$/);
  });
  await step('a name is taken once', () => refused(signUp(password), 'UsernameExistsException'));
  await step('who signs in before the code is asked for it', async () => {
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

  await step('a sign-up signs in where that was asked for', async () => {
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
  await step('a wrong password does not', async () => {
    storage.clear();
    await refused(auth.signIn({ username, password: `${password}x` }), 'NotAuthorizedException');
    await refused(auth.getCurrentUser(), 'UserUnAuthenticatedException');
    assert.equal((await auth.fetchAuthSession()).tokens, undefined);
  });
  await step('an unknown user does not', () =>
    refused(auth.signIn({ username: pool.user('nobody').username, password }), 'NotAuthorizedException'));
  await step('the password signs in as it is', async () => {
    storage.clear();
    const { isSignedIn } = await auth.signIn({ username, password, options: { authFlowType: 'USER_PASSWORD_AUTH' } });
    assert(isSignedIn);
  });
  await step('a wrong password as it is does not', () => {
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
  await step('what a user must not write is refused', async () => {
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
  await step('another address is verified by its code alone, and once', async () => {
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
  await step('a password changes for who knows the old one', async () => {
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
  await step('a second factor is set up with a right code', async () => {
    const { sharedSecret, getSetupUri } = await auth.setUpTOTP();
    secret = sharedSecret;
    assert.equal(getSetupUri('App').searchParams.get('secret'), sharedSecret);
    const code = await pool.totp(sharedSecret);
    await refused(auth.verifyTOTPSetup({ code: wrong(code) }), 'EnableSoftwareTokenMFAException');
    await auth.verifyTOTPSetup({ code });
    await auth.updateMFAPreference({ totp: 'PREFERRED' });
    assert.deepEqual(await auth.fetchMFAPreference(), { enabled: ['TOTP'], preferred: 'TOTP' });
  });
  await step('the password alone does not sign in any more, nor a wrong code, nor a used one', async () => {
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

  await step('after a sign-out neither token works', async () => {
    const kept = storage.copy();
    await auth.signOut();
    assert.equal((await auth.fetchAuthSession()).tokens, undefined);
    storage.restore(kept);
    await refused(auth.fetchUserAttributes(), 'NotAuthorizedException');
    const { tokens } = await auth.fetchAuthSession({ forceRefresh: true });
    assert.equal(tokens, undefined);
  });
  await step('a sign-out everywhere ends all sessions', async () => {
    await signIn(name, password);
    const there = storage.copy();
    await signIn(name, password);
    await auth.signOut({ global: true });
    storage.restore(there);
    await refused(auth.fetchUserAttributes(), 'NotAuthorizedException');
    assert.equal((await auth.fetchAuthSession({ forceRefresh: true })).tokens, undefined);
  });
  await step('a forgotten password is set with the code alone, and once', async () => {
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
  await step('tokens that the pool did not sign are refused', async () => {
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
  await step('an expired access token is refused, and its session goes on', async () => {
    await pool.advance(60 * 60 + 1);
    await refused(auth.fetchUserAttributes(), 'NotAuthorizedException');
    await auth.fetchAuthSession({ forceRefresh: true });
    assert.equal((await auth.fetchUserAttributes()).email, 'roe@example.com');
  });
  await step('after thirty days the session is over', async () => {
    await pool.advance(30 * 24 * 60 * 60);
    assert.equal((await auth.fetchAuthSession({ forceRefresh: true })).tokens, undefined);
    await signIn(name, password);
  });
  if (pool.hasCustomAttributes) {
    await step('a refresh token that is rotated is good once', async () => {
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
      // Two had the token: the session is over for both.
      storage.restore(last);
      await refused(auth.fetchUserAttributes(), 'NotAuthorizedException');
      use(pool, pool.clientId);
      await signIn(name, password);
    });
  }

  await step('who was invited has to choose a password', async () => {
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
  await step('a user who deletes themselves is gone', async () => {
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
  // It warns that the endpoint is not Amazon's.
  const { warn } = console;
  console.warn = () => {};
  Amplify.configure({ Auth: { Cognito: cognito } });
  console.warn = warn;
  storage.clear();
  cognitoUserPoolsTokenProvider.setKeyValueStorage(storage);
}

/** Signs in beside whoever is signed in. */
async function signIn(username, password) {
  storage.clear();
  const { isSignedIn, nextStep } = await auth.signIn({ username, password });
  assert(isSignedIn, `asked for ${nextStep.signInStep}`);
}

/** Where the tokens are: a copy of it is what another browser has. */
const storage = new (class {
  #items = new Map();
  getItem = async key => this.#items.get(key) ?? null;
  setItem = async (key, value) => void this.#items.set(key, value);
  removeItem = async key => void this.#items.delete(key);
  clear = async () => this.#items.clear();
  copy = () => [...this.#items];
  restore = items => void (this.#items = new Map(items));
})();

await lives('Amplify', life);
