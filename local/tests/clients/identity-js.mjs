// amazon-cognito-identity-js, as browser apps use it.
import assert from 'node:assert/strict';

import cognito from 'amazon-cognito-identity-js';

import { forgeries, refused, runClient, wrong } from './kit.mjs';

const {
  AuthenticationDetails, CognitoAccessToken, CognitoIdToken, CognitoRefreshToken, CognitoUser,
  CognitoUserAttribute, CognitoUserPool, CognitoUserSession,
} = cognito;

async function lifecycle({ pool, step }) {
  const storage = new Memory();
  const app = apps(pool, storage);
  const jane = pool.user('jane');
  const { username } = jane;
  const attributes = { email: jane.email, name: 'Jane' };
  if (pool.hasCustomAttributes) {
    Object.assign(attributes, { 'custom:tenant': 'acme', 'custom:seats': '3' });
  }
  let { password } = jane;

  await step('a weak password is rejected at sign-up', () =>
    refused(signUp(app, username, 'short', attributes), 'InvalidPasswordException'));
  await step('an unknown attribute is rejected at sign-up', () =>
    refused(signUp(app, username, password, { ...attributes, 'custom:unknown': '1' }), 'InvalidParameterException'));
  await step('a user signs up', async () => {
    const { userConfirmed, userSub, codeDeliveryDetails } = await signUp(app, username, password, attributes);
    assert.equal(userConfirmed, false);
    assert.match(userSub, /^[0-9a-f-]{36}$/);
    assert.deepEqual(codeDeliveryDetails, {
      AttributeName: 'email', DeliveryMedium: 'EMAIL', Destination: 'j***@e***',
    });
  });
  await step('a taken name is rejected', () =>
    refused(signUp(app, username, password, attributes), 'UsernameExistsException'));
  await step('an unconfirmed user cannot sign in', () =>
    refused(signIn(app, username, password), 'UserNotConfirmedException'));
  await step('a wrong code does not confirm', async () =>
    refused(confirm(app, username, wrong(await pool.code(username))), 'CodeMismatchException'));
  await step('a code is sent again', async () => {
    const before = (await pool.messages(username)).length;
    const details = await called(done => user(app, username).resendConfirmationCode(done));
    assert.equal(details.CodeDeliveryDetails.Destination, 'j***@e***');
    assert.equal((await pool.messages(username)).length, before + 1);
  });
  const code = await pool.code(username);
  await step('the code confirms', async () => assert.equal(await confirm(app, username, code), 'SUCCESS'));
  await step('the code does not confirm twice', () =>
    refused(confirm(app, username, code), 'NotAuthorizedException'));

  await step('the password signs in by SRP', async () => {
    const session = await signIn(app, username, password);
    const access = session.getAccessToken().decodePayload();
    const id = session.getIdToken().decodePayload();
    assert.equal(access.token_use, 'access');
    assert.equal(access.client_id, pool.clientId);
    assert.equal(access.scope, 'aws.cognito.signin.user.admin');
    assert.equal(access.iss, pool.issuer);
    assert.equal(id.token_use, 'id');
    assert.equal(id.aud, pool.clientId);
    assert.equal(id.email, jane.email);
    assert.equal(id.email_verified, true);
    assert.equal(id['cognito:username'], pool.hasEmailNames ? id.sub : username);
    if (pool.hasCustomAttributes) assert.equal(id['custom:seats'], '3');
    assert.notEqual(session.getAccessToken().jwtToken.split('.')[0], session.getIdToken().jwtToken.split('.')[0]);
    assert(session.isValid());
  });
  await step('a wrong password does not sign in', () =>
    refused(signIn(app, username, `${password}x`), 'NotAuthorizedException'));
  await step('the password in another case does not sign in', () =>
    refused(signIn(app, username, password.toLowerCase()), 'NotAuthorizedException'));
  await step('an unknown user gets the same error', async () => {
    const unknown = await refused(signIn(app, pool.user('nobody').username, password), 'NotAuthorizedException');
    const known = await refused(signIn(app, username, `${password}x`), 'NotAuthorizedException');
    assert.equal(unknown.message, known.message);
  });
  await step('user names are case-insensitive', async () => assert(await signIn(app, username.toUpperCase(), password)));
  await step('the address signs in only where it is a user name', () =>
    username === jane.email
      ? signIn(app, jane.email, password)
      : refused(signIn(app, jane.email, password), 'NotAuthorizedException'));
  await step('the password signs in by USER_PASSWORD_AUTH', async () =>
    assert(await signIn(app, username, password, 'USER_PASSWORD_AUTH')));
  await step('a wrong password does not sign in by USER_PASSWORD_AUTH', () =>
    refused(signIn(app, username, `${password}x`, 'USER_PASSWORD_AUTH'), 'NotAuthorizedException'));
  // Wrong passwords lock an account temporarily.
  await pool.advance(60);

  let me = user(app, username);
  await signInAs(me, username, password);
  await step('a user reads their attributes', async () => {
    const read = await attributesOf(me);
    assert.equal(read.email, jane.email);
    assert.equal(read.email_verified, 'true');
    assert.equal(read.name, 'Jane');
    assert.match(read.sub, /^[0-9a-f-]{36}$/);
    if (pool.hasCustomAttributes) assert.equal(read['custom:tenant'], 'acme');
  });
  await step('a user changes an attribute', async () => {
    assert.equal(await update(me, { name: 'Jane Roe', nickname: 'jr' }), 'SUCCESS');
    const read = await attributesOf(me);
    assert.equal(read.name, 'Jane Roe');
    assert.equal(read.nickname, 'jr');
  });
  await step('an unknown attribute is rejected', () =>
    refused(update(me, { 'custom:unknown': 'x' }), 'InvalidParameterException'));
  await step('users cannot mark their own address as verified', () =>
    refused(update(me, { email_verified: 'true' }), 'NotAuthorizedException', 'InvalidParameterException'));
  await step('an attribute is deleted', async () => {
    await called(done => me.deleteAttributes(['nickname'], done));
    assert.equal((await attributesOf(me)).nickname, undefined);
  });
  if (pool.hasCustomAttributes) {
    await step('a custom attribute changes within its bounds', async () => {
      await update(me, { 'custom:seats': '99' });
      assert.equal((await attributesOf(me))['custom:seats'], '99');
      await refused(update(me, { 'custom:seats': '100' }), 'InvalidParameterException');
    });
    await step('an immutable attribute does not change', () =>
      refused(update(me, { 'custom:tenant': 'other' }), 'InvalidParameterException', 'NotAuthorizedException'));
  }

  await step('a new address must be verified', async () => {
    await update(me, { email: 'roe@example.com' });
    const read = await attributesOf(me);
    assert.equal(read.email, 'roe@example.com');
    assert.equal(read.email_verified, 'false');
  });
  await step('a wrong code does not verify it', async () =>
    refused(verify(me, wrong(await pool.code('roe@example.com'))), 'CodeMismatchException'));
  await step('a requested code verifies it', async () => {
    await new Promise((resolve, reject) => me.getAttributeVerificationCode('email', {
      inputVerificationCode: resolve, onSuccess: resolve, onFailure: reject,
    }));
    assert.equal(await verify(me, await pool.code('roe@example.com')), 'SUCCESS');
    assert.equal((await attributesOf(me)).email_verified, 'true');
  });
  await step('the code does not verify twice', async () =>
    refused(verify(me, await pool.code('roe@example.com')), 'ExpiredCodeException', 'CodeMismatchException'));
  let name = username;
  if (pool.hasEmailNames) {
    name = 'roe@example.com';
    await step('the new address signs in, the old one does not', async () => {
      await signIn(app, name, password);
      await refused(signIn(app, username, password), 'NotAuthorizedException');
    });
    me = user(app, name);
    await signInAs(me, name, password);
  }

  await step('changing a password requires the old one', async () => {
    const change = (from, to) => called(done => me.changePassword(from, to, done));
    await refused(change(`${password}x`, 'Battery-Staple-2'), 'NotAuthorizedException');
    await refused(change(password, 'weak'), 'InvalidPasswordException');
    assert.equal(await change(password, 'Battery-Staple-2'), 'SUCCESS');
    await refused(signIn(app, name, password), 'NotAuthorizedException');
    password = 'Battery-Staple-2';
    assert(await signIn(app, name, password));
  });

  await step('a session is restored from storage', async () => {
    const again = apps(pool, storage).getCurrentUser();
    const session = await called(done => again.getSession(done));
    assert(session.isValid());
    assert.equal((await attributesOf(again)).email, 'roe@example.com');
  });
  await step('a session is refreshed', async () => {
    const before = await session(me);
    const after = await called(done => me.refreshSession(before.getRefreshToken(), done));
    const [old, fresh] = [before, after].map(each => each.getAccessToken().decodePayload());
    assert.notEqual(fresh.jti, old.jti);
    assert.equal(fresh.origin_jti, old.origin_jti);
    assert.equal(fresh.auth_time, old.auth_time);
    assert.equal(after.getRefreshToken().getToken(), before.getRefreshToken().getToken());
    assert.equal((await attributesOf(me)).email, 'roe@example.com');
  });

  const preference = enabled => called(done =>
    me.setUserMfaPreference(null, { PreferredMfa: enabled, Enabled: enabled }, done));
  let secret;
  await step('a second factor can be preferred only once it is set up', () =>
    refused(preference(true), 'InvalidParameterException'));
  await step('a software token is set up with the right code', async () => {
    secret = await new Promise((resolve, reject) =>
      me.associateSoftwareToken({ associateSecretCode: resolve, onFailure: reject }));
    assert.match(secret, /^[A-Z2-7]{16,}$/);
    const prove = code => new Promise((resolve, reject) =>
      me.verifySoftwareToken(code, 'phone', { onSuccess: resolve, onFailure: reject }));
    const right = await pool.totp(secret);
    await refused(prove(wrong(right)), 'EnableSoftwareTokenMFAException');
    assert.equal((await prove(right)).Status, 'SUCCESS');
    assert.equal(await preference(true), 'SUCCESS');
    const data = await called(done => me.getUserData(done, { bypassCache: true }));
    assert.equal(data.PreferredMfaSetting, 'SOFTWARE_TOKEN_MFA');
    assert.deepEqual(data.UserMFASettingList, ['SOFTWARE_TOKEN_MFA']);
  });
  await step('the password alone no longer signs in, nor does a wrong code', async () => {
    const entering = user(app, name);
    const { challenge } = await signInAs(entering, name, password);
    assert.equal(challenge, 'SOFTWARE_TOKEN_MFA');
    const right = await pool.totp(secret);
    await refused(answer(entering, wrong(right)), 'CodeMismatchException');
    assert((await answer(entering, right)).isValid());
    const again = user(app, name);
    await signInAs(again, name, password);
    await refused(answer(again, right), 'ExpiredCodeException', 'CodeMismatchException');
    assert((await answer(again, await pool.totp(secret))).isValid());
  });
  await step('a wrong password is rejected before a code is requested', () =>
    refused(signIn(app, name, `${password}x`), 'NotAuthorizedException'));
  await step('the second factor is turned off', async () => {
    await preference(false);
    assert((await signIn(app, name, password)).isValid());
  });

  await step('no token works after a sign-out', async () => {
    const leaving = user(app, name);
    const session = await signInAs(leaving, name, password);
    await new Promise(resolve => leaving.signOut(resolve));
    await refused(attributesOf(withSession(user(app, name), session)), 'NotAuthorizedException');
    await refused(
      called(done => user(app, name).refreshSession(session.getRefreshToken(), done)),
      'NotAuthorizedException',
    );
    assert.equal(apps(pool, storage).getCurrentUser(), null);
  });
  await step('a global sign-out ends all sessions', async () => {
    const [here, there] = [user(app, name), user(app, name)];
    const sessions = [await signInAs(here, name, password), await signInAs(there, name, password)];
    await answered(done => here.globalSignOut(done));
    for (const session of sessions) {
      await refused(attributesOf(withSession(user(app, name), session)), 'NotAuthorizedException');
    }
  });

  let forgotten;
  await step('a wrong code does not reset the password', async () => {
    const details = await new Promise((resolve, reject) =>
      user(app, name).forgotPassword({ inputVerificationCode: resolve, onFailure: reject }));
    assert.equal(details.CodeDeliveryDetails.AttributeName, 'email');
    forgotten = await pool.code(name);
    await refused(reset(app, name, wrong(forgotten), 'Third-Password-3'), 'CodeMismatchException');
  });
  await step('a weak password is not set', () =>
    refused(reset(app, name, forgotten, 'weak'), 'InvalidPasswordException'));
  await step('a forgotten password is reset with the code', async () => {
    assert.equal(await reset(app, name, forgotten, 'Third-Password-3'), 'SUCCESS');
    await refused(signIn(app, name, password), 'NotAuthorizedException');
    password = 'Third-Password-3';
    assert(await signIn(app, name, password));
  });
  await step('the code cannot be used twice', () =>
    refused(reset(app, name, forgotten, 'Fourth-Password-4'), 'ExpiredCodeException', 'CodeMismatchException'));
  await step('a password reset code expires after an hour', async () => {
    await new Promise((resolve, reject) =>
      user(app, name).forgotPassword({ inputVerificationCode: resolve, onFailure: reject }));
    const late = await pool.code(name);
    await pool.advance(60 * 60 + 1);
    await refused(reset(app, name, late, 'Fourth-Password-4'), 'ExpiredCodeException');
  });

  await step('tokens that the pool did not sign are rejected', async () => {
    const session = await signIn(app, name, password);
    for (const [how, token] of Object.entries(forgeries(session.getAccessToken().getJwtToken()))) {
      const forged = withSession(user(app, name), session, token);
      await refused(attributesOf(forged), 'NotAuthorizedException').catch(error => {
        throw new Error(`a token ${how}: ${error.message}`);
      });
    }
    const id = session.getIdToken().getJwtToken();
    await refused(attributesOf(withSession(user(app, name), session, id)), 'NotAuthorizedException');
  });
  await step('an access token expires after an hour, and its session continues', async () => {
    me = user(app, name);
    const session = await signInAs(me, name, password);
    await pool.advance(60 * 60 + 1);
    await refused(attributesOf(me), 'NotAuthorizedException');
    await called(done => me.refreshSession(session.getRefreshToken(), done));
    assert.equal((await attributesOf(me)).email, 'roe@example.com');
  });

  await step('an invited user must choose a password', async () => {
    const invited = await pool.invite('ida');
    const entering = user(app, invited.username);
    const { challenge, userAttributes } = await signInAs(entering, invited.username, invited.password);
    assert.equal(challenge, 'NEW_PASSWORD_REQUIRED');
    assert.equal(userAttributes.email, invited.email);
    await refused(choose(entering, 'weak'), 'InvalidPasswordException');
    assert((await choose(entering, 'Chosen-Password-1', { name: 'Ida' })).isValid());
    await refused(signIn(app, invited.username, invited.password), 'NotAuthorizedException');
    const again = user(app, invited.username);
    assert(await signInAs(again, invited.username, 'Chosen-Password-1'));
    assert.equal((await attributesOf(again)).name, 'Ida');
  });

  let sub;
  await step('a user can delete their own account', async () => {
    const session = await signInAs(me, name, password);
    ({ sub } = session.getIdToken().decodePayload());
    assert.equal(await called(done => me.deleteUser(done)), 'SUCCESS');
    await refused(attributesOf(withSession(user(app, name), session)), 'NotAuthorizedException', 'UserNotFoundException');
    await refused(signIn(app, name, password), 'NotAuthorizedException');
  });
  await step('the name is available again, and the new user has no data of the old one', async () => {
    const { userSub } = await signUp(app, username, jane.password, attributes);
    assert.notEqual(userSub, sub);
    await confirm(app, username, await pool.code(username));
    await refused(signIn(app, username, password), 'NotAuthorizedException');
    assert(await signIn(app, username, jane.password));
  });
}

function apps(pool, storage) {
  return new CognitoUserPool({
    UserPoolId: pool.id, ClientId: pool.clientId, endpoint: `${pool.endpoint}/`, Storage: storage,
  });
}

function user(app, username) {
  return new CognitoUser({ Username: username, Pool: app, Storage: app.storage });
}

function signUp(app, username, password, attributes) {
  const list = Object.entries(attributes).map(([Name, Value]) => new CognitoUserAttribute({ Name, Value }));
  return called(done => app.signUp(username, password, list, null, done));
}

function confirm(app, username, code) {
  return called(done => user(app, username).confirmRegistration(code, true, done));
}

async function signIn(app, username, password, flow) {
  const entered = await signInAs(user(app, username), username, password, flow);
  assert(entered.isValid?.(), `asked for ${entered.challenge}`);
  return entered;
}

/** Returns a session, or the challenge before it. */
function signInAs(who, username, password, flow = 'USER_SRP_AUTH') {
  who.setAuthenticationFlowType(flow);
  const details = new AuthenticationDetails({ Username: username, Password: password });
  return answered(done => who.authenticateUser(details, done));
}

function answer(who, code) {
  return answered(done => who.sendMFACode(code, done, 'SOFTWARE_TOKEN_MFA'));
}

function choose(who, password, attributes = {}) {
  return answered(done => who.completeNewPasswordChallenge(password, attributes, done));
}

function session(who) {
  return called(done => who.getSession(done));
}

/** Returns the user with another session, or with another access token in it. */
function withSession(who, session, access = session.getAccessToken().getJwtToken()) {
  who.setSignInUserSession(new CognitoUserSession({
    AccessToken: new CognitoAccessToken({ AccessToken: access }),
    IdToken: new CognitoIdToken({ IdToken: session.getIdToken().getJwtToken() }),
    RefreshToken: new CognitoRefreshToken({ RefreshToken: session.getRefreshToken().getToken() }),
  }));
  return who;
}

async function attributesOf(who) {
  const list = await called(done => who.getUserAttributes(done));
  return Object.fromEntries(list.map(({ Name, Value }) => [Name, Value]));
}

function update(who, attributes) {
  const list = Object.entries(attributes).map(([Name, Value]) => ({ Name, Value }));
  return called(done => who.updateAttributes(list, done));
}

function verify(who, code) {
  return answered(done => who.verifyAttribute('email', code, done));
}

function reset(app, username, code, password) {
  return answered(done => user(app, username).confirmPassword(code, password, done));
}

function called(run) {
  return new Promise((resolve, reject) =>
    run((error, value) => (error ? reject(error) : resolve(value))));
}

function answered(run) {
  return new Promise((resolve, reject) => run({
    onSuccess: resolve,
    onFailure: reject,
    totpRequired: challenge => resolve({ challenge }),
    mfaRequired: challenge => resolve({ challenge }),
    newPasswordRequired: userAttributes => resolve({ challenge: 'NEW_PASSWORD_REQUIRED', userAttributes }),
  }));
}

class Memory {
  #items = new Map();
  getItem = key => this.#items.get(key) ?? null;
  setItem = (key, value) => this.#items.set(key, value);
  removeItem = key => this.#items.delete(key);
  clear = () => this.#items.clear();
}

await runClient('identity-js', lifecycle);
