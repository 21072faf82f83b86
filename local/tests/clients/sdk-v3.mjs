// The AWS SDK for JavaScript v3, as servers and administrators use it.
import assert from 'node:assert/strict';

import * as sdk from '@aws-sdk/client-cognito-identity-provider';

import { claims, forgeries, refused, runClient, secretHash, wrong } from './kit.mjs';

async function lifecycle({ pool, step }) {
  const client = new sdk.CognitoIdentityProviderClient({
    endpoint: pool.endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
  const send = (operation, input = {}) => client.send(new sdk[`${operation}Command`](input));
  const app = new App(send, pool.clientId);
  const admin = (operation, input) => send(operation, { UserPoolId: pool.id, ...input });

  await users({ pool, step, app });
  await administrators({ pool, step, app, admin });
  await groups({ pool, step, app, admin });
  await lists({ pool, step, admin, client });
  await secrets({ pool, step, app, admin, send });
  await pools({ pool, step, send });
}

/** Operations of users. */
async function users({ pool, step, app }) {
  const jane = pool.user('jane');
  const { username } = jane;
  let { password } = jane;
  const attributes = list({ email: jane.email, name: 'Jane' });

  await step('a user signs up', async () => {
    const answer = await app.call('SignUp', { Username: username, Password: password, UserAttributes: attributes });
    assert.equal(answer.UserConfirmed, false);
    assert.match(answer.UserSub, /^[0-9a-f-]{36}$/);
    assert.equal(answer.CodeDeliveryDetails.DeliveryMedium, 'EMAIL');
  });
  await step('a taken name is rejected', () =>
    refused(
      app.call('SignUp', { Username: username, Password: password, UserAttributes: attributes }),
      'UsernameExistsException',
    ));
  await step('weak passwords are rejected with the reason', async () => {
    const signUp = Password => app.call('SignUp', { Username: pool.user('weak').username, Password });
    for (const weak of ['Ab1!', 'alllower1!', 'ALLUPPER1!', 'NoNumbers!', 'NoSymbols1']) {
      const { message } = await refused(signUp(weak), 'InvalidPasswordException');
      assert.match(message, /^Password did not conform with policy: /);
    }
  });
  await step('an unconfirmed user cannot sign in', () =>
    refused(app.signIn(username, password), 'UserNotConfirmedException'));
  await step('wrong, used and expired codes do not confirm', async () => {
    const confirm = code => app.call('ConfirmSignUp', { Username: username, ConfirmationCode: code });
    await refused(confirm(wrong(await pool.code(username))), 'CodeMismatchException');
    await pool.advance(24 * 60 * 60 + 1);
    await refused(confirm(await pool.code(username)), 'ExpiredCodeException');
    await app.call('ResendConfirmationCode', { Username: username });
    const code = await pool.code(username);
    await confirm(code);
    await refused(confirm(code), 'NotAuthorizedException');
  });

  let tokens;
  await step('a password signs in', async () => {
    tokens = await app.signIn(username, password);
    assert.equal(tokens.TokenType, 'Bearer');
    assert.equal(tokens.ExpiresIn, 3600);
    assert.equal(tokens.RefreshToken.split('.').length, 5);
    const [access, id] = [claims(tokens.AccessToken), claims(tokens.IdToken)];
    assert.equal(access.exp - access.iat, 3600);
    assert.equal(access.origin_jti, id.origin_jti);
    assert.equal(access.sub, id.sub);
    assert.equal(access.aud, undefined);
    assert.equal(id.name, 'Jane');
  });
  await step('wrong passwords do not sign in', async () => {
    for (const guess of [`${password}x`, password.slice(1), '', ' ']) {
      const name = guess.trim() ? 'NotAuthorizedException' : 'InvalidParameterException';
      await refused(app.signIn(username, guess), name, 'NotAuthorizedException');
    }
    await pool.advance(60);
  });
  await step('repeated wrong passwords lock the account temporarily', async () => {
    for (let n = 0; n < 6; n += 1) await refused(app.signIn(username, `${n}`), 'NotAuthorizedException');
    const { message } = await refused(app.signIn(username, password), 'NotAuthorizedException');
    assert.equal(message, 'Password attempts exceeded');
    await pool.advance(15 * 60);
    tokens = await app.signIn(username, password);
  });
  await step('an unknown client cannot sign users in', () =>
    refused(app.as('unknownclient0000000000000').signIn(username, password), 'ResourceNotFoundException'));

  const mine = (operation, input = {}) => app.send(operation, { AccessToken: tokens.AccessToken, ...input });
  await step('a user reads and changes their attributes', async () => {
    const { CodeDeliveryDetailsList } = await mine('UpdateUserAttributes', {
      UserAttributes: list({ nickname: 'jr', phone_number: '+12065550100' }),
    });
    assert.deepEqual(CodeDeliveryDetailsList, []);
    const answer = await mine('GetUser');
    const read = unlist(answer.UserAttributes);
    assert.equal(answer.Username, pool.hasEmailNames ? read.sub : username);
    assert.equal(read.nickname, 'jr');
    assert.equal(read.phone_number, '+12065550100');
    await mine('DeleteUserAttributes', { UserAttributeNames: ['nickname'] });
    assert.equal(unlist((await mine('GetUser')).UserAttributes).nickname, undefined);
    await refused(
      mine('UpdateUserAttributes', { UserAttributes: list({ phone_number: 'no number' }) }),
      'InvalidParameterException',
    );
  });
  await step('an address is verified by its code', async () => {
    const { CodeDeliveryDetails } = await mine('GetUserAttributeVerificationCode', { AttributeName: 'email' });
    assert.equal(CodeDeliveryDetails.AttributeName, 'email');
    const code = await pool.code(username);
    const verify = Code => mine('VerifyUserAttribute', { AttributeName: 'email', Code });
    await refused(verify(wrong(code)), 'CodeMismatchException');
    await verify(code);
    await refused(verify(code), 'ExpiredCodeException', 'CodeMismatchException');
  });
  await step('changing a password requires the old one', async () => {
    const change = (PreviousPassword, ProposedPassword) =>
      mine('ChangePassword', { PreviousPassword, ProposedPassword });
    await refused(change(`${password}x`, 'Battery-Staple-2'), 'NotAuthorizedException');
    await change(password, 'Battery-Staple-2');
    await refused(app.signIn(username, password), 'NotAuthorizedException');
    password = 'Battery-Staple-2';
    tokens = await app.signIn(username, password);
  });
  await step('a software token is set up and required, and its codes work once', async () => {
    const { SecretCode } = await mine('AssociateSoftwareToken');
    const code = await pool.totp(SecretCode);
    await refused(mine('VerifySoftwareToken', { UserCode: wrong(code) }), 'EnableSoftwareTokenMFAException');
    const { Status } = await mine('VerifySoftwareToken', { UserCode: code, FriendlyDeviceName: 'phone' });
    assert.equal(Status, 'SUCCESS');
    const on = { Enabled: true, PreferredMfa: true };
    await mine('SetUserMFAPreference', { SoftwareTokenMfaSettings: on });
    assert.equal((await mine('GetUser')).PreferredMfaSetting, 'SOFTWARE_TOKEN_MFA');

    const { ChallengeName, Session, ChallengeParameters } = await app.initiate(username, password);
    assert.equal(ChallengeName, 'SOFTWARE_TOKEN_MFA');
    const name = ChallengeParameters.USER_ID_FOR_SRP;
    assert.equal(ChallengeParameters.FRIENDLY_DEVICE_NAME, 'phone');
    const answer = (code, session = Session) => app.respond('SOFTWARE_TOKEN_MFA', session, {
      USERNAME: name, SOFTWARE_TOKEN_MFA_CODE: code,
    });
    const fresh = await pool.totp(SecretCode);
    await refused(answer(wrong(fresh)), 'CodeMismatchException');
    await refused(answer(fresh, `${Session.slice(0, -4)}AAAA`), 'NotAuthorizedException', 'CodeMismatchException');
    assert((await answer(fresh)).AuthenticationResult.AccessToken);
    // The session cannot be used twice either.
    await refused(answer(await pool.totp(SecretCode)), 'NotAuthorizedException');
    const again = await app.initiate(username, password);
    await refused(answer(fresh, again.Session), 'ExpiredCodeException', 'CodeMismatchException');
    const late = await app.initiate(username, password);
    await pool.advance(3 * 60 + 1);
    await refused(answer(await pool.totp(SecretCode), late.Session), 'NotAuthorizedException');
    await mine('SetUserMFAPreference', { SoftwareTokenMfaSettings: { Enabled: false } });
  });

  await step('a session is refreshed by both operations', async () => {
    const flow = await app.refresh(tokens.RefreshToken);
    assert.equal(flow.RefreshToken, undefined);
    assert.notEqual(claims(flow.AccessToken).jti, claims(tokens.AccessToken).jti);
    const { AuthenticationResult } = await app.call('GetTokensFromRefreshToken', { RefreshToken: tokens.RefreshToken });
    assert.equal(claims(AuthenticationResult.IdToken).auth_time, claims(tokens.IdToken).auth_time);
    tokens.AccessToken = AuthenticationResult.AccessToken;
    await mine('GetUser');
    await refused(app.refresh(`${tokens.RefreshToken.slice(0, -4)}AAAA`), 'NotAuthorizedException');
  });
  await step('revocation ends a session and leaves others', async () => {
    const other = await app.signIn(username, password);
    await app.call('RevokeToken', { Token: tokens.RefreshToken });
    await refused(mine('GetUser'), 'NotAuthorizedException');
    await refused(app.refresh(tokens.RefreshToken), 'NotAuthorizedException');
    await refused(
      app.call('GetTokensFromRefreshToken', { RefreshToken: tokens.RefreshToken }),
      'NotAuthorizedException',
    );
    await app.call('RevokeToken', { Token: tokens.RefreshToken });
    await refused(app.call('RevokeToken', { Token: other.AccessToken }), 'UnsupportedTokenTypeException');
    tokens = other;
    await mine('GetUser');
  });
  await step('a global sign-out ends all sessions', async () => {
    const other = await app.signIn(username, password);
    await mine('GlobalSignOut');
    for (const { AccessToken, RefreshToken } of [tokens, other]) {
      await refused(app.send('GetUser', { AccessToken }), 'NotAuthorizedException');
      await refused(app.refresh(RefreshToken), 'NotAuthorizedException');
    }
    tokens = await app.signIn(username, password);
  });
  await step('a forgotten password can be reset only with the code, and once', async () => {
    await app.call('ForgotPassword', { Username: username });
    const code = await pool.code(username);
    const confirm = (code, Password) =>
      app.call('ConfirmForgotPassword', { Username: username, ConfirmationCode: code, Password });
    await refused(confirm(wrong(code), 'Third-Password-3'), 'CodeMismatchException');
    await confirm(code, 'Third-Password-3');
    await refused(confirm(code, 'Fourth-Password-4'), 'ExpiredCodeException', 'CodeMismatchException');
    await refused(app.signIn(username, password), 'NotAuthorizedException');
    password = 'Third-Password-3';
    tokens = await app.signIn(username, password);
  });
  await step('responses do not reveal whether a user exists', async () => {
    const { username: nobody } = pool.user('nobody');
    const { CodeDeliveryDetails } = await app.call('ForgotPassword', { Username: nobody });
    assert.match(CodeDeliveryDetails.Destination, /\*/);
    assert.equal((await pool.messages(nobody)).length, 0);
    await refused(app.signIn(nobody, password), 'NotAuthorizedException');
  });
  await step('tokens that the pool did not sign are rejected', async () => {
    const all = { ...forgeries(tokens.AccessToken), 'that is an ID token': tokens.IdToken };
    for (const [how, AccessToken] of Object.entries(all)) {
      await refused(app.send('GetUser', { AccessToken }), 'NotAuthorizedException').catch(error => {
        throw new Error(`a token ${how}: ${error.message}`);
      });
    }
  });
  await step('an access token expires after an hour', async () => {
    await pool.advance(60 * 60 + 1);
    const { message } = await refused(mine('GetUser'), 'NotAuthorizedException');
    assert.equal(message, 'Access Token has expired');
    tokens.AccessToken = (await app.refresh(tokens.RefreshToken)).AccessToken;
    await mine('GetUser');
  });
  await step('a user can delete their own account', async () => {
    await mine('DeleteUser');
    await refused(mine('GetUser'), 'NotAuthorizedException', 'UserNotFoundException');
    await refused(app.signIn(username, password), 'NotAuthorizedException');
    await refused(app.refresh(tokens.RefreshToken), 'NotAuthorizedException');
  });
}

/** Operations of administrators on users. */
async function administrators({ pool, step, app, admin }) {
  const bob = pool.user('bob');
  const Username = bob.username;
  const verified = list({ email: bob.email, email_verified: 'true' });

  await step('an administrator invites a user, who must choose a password', async () => {
    const { User } = await admin('AdminCreateUser', { Username, UserAttributes: verified });
    assert.equal(User.UserStatus, 'FORCE_CHANGE_PASSWORD');
    assert(User.Enabled && User.UserCreateDate instanceof Date);
    const [{ body, code }] = await pool.messages(Username);
    const temporary = code ?? / password is (\S+)/.exec(body)[1].replace(/\.$/, '');
    const challenge = await app.initiate(Username, temporary);
    assert.equal(challenge.ChallengeName, 'NEW_PASSWORD_REQUIRED');
    assert.equal(JSON.parse(challenge.ChallengeParameters.userAttributes).email, bob.email);
    const choose = password => app.respond('NEW_PASSWORD_REQUIRED', challenge.Session, {
      USERNAME: challenge.ChallengeParameters.USER_ID_FOR_SRP, NEW_PASSWORD: password,
    });
    await refused(choose('weak'), 'InvalidPasswordException');
    assert((await choose(bob.password)).AuthenticationResult.AccessToken);
    await refused(app.signIn(Username, temporary), 'NotAuthorizedException');
    assert.equal((await admin('AdminGetUser', { Username })).UserStatus, 'CONFIRMED');
  });
  await step('a user cannot be created twice', () =>
    refused(admin('AdminCreateUser', { Username }), 'UsernameExistsException'));
  await step('a server signs a user in', async () => {
    const initiate = PASSWORD => admin('AdminInitiateAuth', {
      ClientId: pool.clientId, AuthFlow: 'ADMIN_USER_PASSWORD_AUTH', AuthParameters: { USERNAME: Username, PASSWORD },
    });
    assert((await initiate(bob.password)).AuthenticationResult.IdToken);
    await refused(initiate(`${bob.password}x`), 'NotAuthorizedException');
  });
  await step('a server responds to a challenge', async () => {
    await admin('AdminSetUserPassword', { Username, Password: 'Temporary-Word-1', Permanent: false });
    const challenge = await admin('AdminInitiateAuth', {
      ClientId: pool.clientId, AuthFlow: 'ADMIN_USER_PASSWORD_AUTH',
      AuthParameters: { USERNAME: Username, PASSWORD: 'Temporary-Word-1' },
    });
    assert.equal(challenge.ChallengeName, 'NEW_PASSWORD_REQUIRED');
    const { AuthenticationResult } = await admin('AdminRespondToAuthChallenge', {
      ClientId: pool.clientId, ChallengeName: 'NEW_PASSWORD_REQUIRED', Session: challenge.Session,
      ChallengeResponses: { USERNAME: Username, NEW_PASSWORD: bob.password },
    });
    assert(AuthenticationResult.AccessToken);
  });
  await step('attributes are set and deleted, verified ones included', async () => {
    await admin('AdminUpdateUserAttributes', {
      Username, UserAttributes: list({ family_name: 'Roe', phone_number: '+12065550199', phone_number_verified: 'true' }),
    });
    let read = unlist((await admin('AdminGetUser', { Username })).UserAttributes);
    assert.equal(read.family_name, 'Roe');
    assert.equal(read.phone_number_verified, 'true');
    await admin('AdminDeleteUserAttributes', { Username, UserAttributeNames: ['family_name'] });
    read = unlist((await admin('AdminGetUser', { Username })).UserAttributes);
    assert.equal(read.family_name, undefined);
    const { IdToken } = await app.signIn(Username, bob.password);
    assert.equal(claims(IdToken).phone_number_verified, true);
  });
  await step('a disabled user cannot sign in until enabled', async () => {
    const { AccessToken, RefreshToken } = await app.signIn(Username, bob.password);
    await admin('AdminDisableUser', { Username });
    assert.equal((await admin('AdminGetUser', { Username })).Enabled, false);
    const { message } = await refused(app.signIn(Username, bob.password), 'NotAuthorizedException');
    assert.equal(message, 'User is disabled.');
    await refused(app.send('GetUser', { AccessToken }), 'NotAuthorizedException');
    await refused(app.refresh(RefreshToken), 'NotAuthorizedException');
    await admin('AdminEnableUser', { Username });
    await app.signIn(Username, bob.password);
  });
  await step('after an admin reset, the user must set a new password', async () => {
    await admin('AdminResetUserPassword', { Username });
    assert.equal((await admin('AdminGetUser', { Username })).UserStatus, 'RESET_REQUIRED');
    await refused(app.signIn(Username, bob.password), 'PasswordResetRequiredException');
    const code = await pool.code(Username);
    await app.call('ConfirmForgotPassword', { Username, ConfirmationCode: code, Password: 'Reset-Password-1' });
    await app.signIn(Username, 'Reset-Password-1');
  });
  await step('a permanent password is set', async () => {
    await refused(
      admin('AdminSetUserPassword', { Username, Password: 'weak', Permanent: true }), 'InvalidPasswordException',
    );
    await admin('AdminSetUserPassword', { Username, Password: bob.password, Permanent: true });
    await app.signIn(Username, bob.password);
    await refused(app.signIn(Username, 'Reset-Password-1'), 'NotAuthorizedException');
  });
  await step('an administrator signs a user out everywhere', async () => {
    const { AccessToken, RefreshToken } = await app.signIn(Username, bob.password);
    await admin('AdminUserGlobalSignOut', { Username });
    await refused(app.send('GetUser', { AccessToken }), 'NotAuthorizedException');
    await refused(app.refresh(RefreshToken), 'NotAuthorizedException');
  });
  await step('an administrator sets the preferred factor of a user', async () => {
    const on = { SoftwareTokenMfaSettings: { Enabled: true, PreferredMfa: true } };
    await refused(admin('AdminSetUserMFAPreference', { Username, ...on }), 'InvalidParameterException');
    const { AccessToken } = await app.signIn(Username, bob.password);
    const { SecretCode } = await app.send('AssociateSoftwareToken', { AccessToken });
    await app.send('VerifySoftwareToken', { AccessToken, UserCode: await pool.totp(SecretCode) });
    await admin('AdminSetUserMFAPreference', { Username, ...on });
    assert.equal((await admin('AdminGetUser', { Username })).PreferredMfaSetting, 'SOFTWARE_TOKEN_MFA');
    assert.equal((await app.initiate(Username, bob.password)).ChallengeName, 'SOFTWARE_TOKEN_MFA');
    const off = { SoftwareTokenMfaSettings: { Enabled: false } };
    await admin('AdminSetUserMFAPreference', { Username, ...off });
  });
  await step('a sign-up is confirmed for a user', async () => {
    const amy = pool.user('amy');
    await app.call('SignUp', {
      Username: amy.username, Password: amy.password, UserAttributes: list({ email: amy.email }),
    });
    await admin('AdminConfirmSignUp', { Username: amy.username });
    await app.signIn(amy.username, amy.password);
    await refused(admin('AdminConfirmSignUp', { Username: amy.username }), 'NotAuthorizedException');
    await admin('AdminDeleteUser', { Username: amy.username });
  });
  await step('a deleted user no longer exists', async () => {
    const { AccessToken } = await app.signIn(Username, bob.password);
    await admin('AdminDeleteUser', { Username });
    await refused(admin('AdminGetUser', { Username }), 'UserNotFoundException');
    await refused(app.send('GetUser', { AccessToken }), 'NotAuthorizedException', 'UserNotFoundException');
    await refused(app.signIn(Username, bob.password), 'NotAuthorizedException');
  });
}

async function groups({ pool, step, app, admin }) {
  const role = name => `arn:aws:iam::111122223333:role/${name}`;
  const carol = await step('a user is created', () => pool.create('carol'));

  await step('groups are created, read, updated and listed', async () => {
    const { Group } = await admin('CreateGroup', {
      GroupName: 'staff', Description: 'All of us', Precedence: 10, RoleArn: role('staff'),
    });
    assert(Group.CreationDate instanceof Date);
    await refused(admin('CreateGroup', { GroupName: 'staff' }), 'GroupExistsException');
    await admin('CreateGroup', { GroupName: 'admin', Precedence: 1, RoleArn: role('admin') });
    await admin('CreateGroup', { GroupName: 'quiet' });
    await admin('UpdateGroup', { GroupName: 'staff', Description: 'Everybody' });
    const { Group: read } = await admin('GetGroup', { GroupName: 'staff' });
    assert.equal(read.Description, 'Everybody');
    assert.equal(read.Precedence, 10);
    const { Groups } = await admin('ListGroups', {});
    assert.deepEqual(Groups.map(({ GroupName }) => GroupName).sort(), ['admin', 'quiet', 'staff']);
    await refused(admin('GetGroup', { GroupName: 'nobody' }), 'ResourceNotFoundException');
  });
  await step('tokens contain groups and roles, the first one preferred', async () => {
    for (const GroupName of ['staff', 'admin', 'quiet', 'staff']) {
      await admin('AdminAddUserToGroup', { Username: carol.username, GroupName });
    }
    const { IdToken, AccessToken } = await app.signIn(carol.username, carol.password);
    for (const token of [IdToken, AccessToken]) {
      assert.deepEqual([...claims(token)['cognito:groups']].sort(), ['admin', 'quiet', 'staff']);
    }
    const id = claims(IdToken);
    assert.deepEqual([...id['cognito:roles']].sort(), [role('admin'), role('staff')]);
    assert.equal(id['cognito:preferred_role'], role('admin'));
    assert.equal(claims(AccessToken)['cognito:roles'], undefined);
  });
  await step('users of a group and groups of a user are listed', async () => {
    const { Groups } = await admin('AdminListGroupsForUser', { Username: carol.username });
    assert.deepEqual(Groups.map(({ GroupName }) => GroupName).sort(), ['admin', 'quiet', 'staff']);
    const { Users } = await admin('ListUsersInGroup', { GroupName: 'staff' });
    assert.equal(Users.length, 1);
    assert.equal(unlist(Users[0].Attributes).email, carol.email);
  });
  await step('a user is removed from a group, and a group is deleted', async () => {
    await admin('AdminRemoveUserFromGroup', { Username: carol.username, GroupName: 'admin' });
    await admin('DeleteGroup', { GroupName: 'quiet' });
    const { IdToken } = await app.signIn(carol.username, carol.password);
    assert.deepEqual(claims(IdToken)['cognito:groups'], ['staff']);
    await refused(
      admin('AdminAddUserToGroup', { Username: carol.username, GroupName: 'quiet' }), 'ResourceNotFoundException',
    );
    await admin('DeleteGroup', { GroupName: 'staff' });
    const { AccessToken } = await app.signIn(carol.username, carol.password);
    assert.equal(claims(AccessToken)['cognito:groups'], undefined);
  });
}

async function lists({ pool, step, admin, client }) {
  await step('all users are listed page by page', async () => {
    for (let n = 0; n < 7; n += 1) {
      const { username, email } = pool.user(`user${n}`);
      await admin('AdminCreateUser', {
        Username: username, UserAttributes: list({ email, given_name: `Given${n % 2}` }), MessageAction: 'SUPPRESS',
      });
    }
    const found = [];
    let pages = 0;
    for await (const { Users } of sdk.paginateListUsers({ client, pageSize: 3 }, { UserPoolId: pool.id })) {
      pages += 1;
      assert(Users.length <= 3);
      found.push(...Users.map(({ Username }) => Username));
    }
    assert.equal(new Set(found).size, 8);
    assert.equal(found.length, 8);
    assert(pages >= 3);
  });
  await step('filters match by value and by prefix', async () => {
    const find = async Filter => (await admin('ListUsers', { Filter })).Users;
    assert.equal((await find('given_name = "Given1"')).length, 3);
    assert.equal((await find('given_name ^= "Given"')).length, 7);
    const [user] = await find(`email = "${pool.user('user3').email}"`);
    const { sub } = unlist(user.Attributes);
    assert.equal((await find(`sub = "${sub}"`))[0].Username, user.Username);
    assert.equal((await find('cognito:user_status = "FORCE_CHANGE_PASSWORD"')).length, 7);
    assert.equal((await find('email = "nobody@example.com"')).length, 0);
    for (const wrong of ['given_name', 'address = "x"', 'given_name = Given1']) {
      await refused(find(wrong), 'InvalidParameterException');
    }
  });
  await step('only the requested attributes are listed', async () => {
    const { Users } = await admin('ListUsers', { AttributesToGet: ['email'], Limit: 1 });
    assert.deepEqual(Object.keys(unlist(Users[0].Attributes)), ['email']);
  });
}

/** Clients with a secret, with rotation, and with limits. */
async function secrets({ pool, step, app, admin, send }) {
  const dave = await step('a user is created', () => pool.create('dave'));
  const { username, password } = dave;
  const flows = ['ALLOW_USER_PASSWORD_AUTH', 'ALLOW_REFRESH_TOKEN_AUTH'];

  await step('a client with a secret requires the secret hash', async () => {
    const { UserPoolClient: made } = await admin('CreateUserPoolClient', {
      ClientName: 'server', GenerateSecret: true, ExplicitAuthFlows: flows,
    });
    const { ClientId, ClientSecret } = made;
    assert(ClientSecret.length >= 40);
    const { UserPoolClient: read } = await admin('DescribeUserPoolClient', { ClientId });
    assert.equal(read.ClientSecret, ClientSecret);
    const initiate = (more, AuthFlow = 'USER_PASSWORD_AUTH') =>
      send('InitiateAuth', { ClientId, AuthFlow, AuthParameters: more });
    const named = { USERNAME: username, PASSWORD: password };
    await refused(initiate(named), 'NotAuthorizedException');
    await refused(initiate({ ...named, SECRET_HASH: secretHash(username, ClientId, 'x') }), 'NotAuthorizedException');
    await refused(
      initiate({ ...named, SECRET_HASH: secretHash('other', ClientId, ClientSecret) }), 'NotAuthorizedException',
    );
    const SECRET_HASH = secretHash(username, ClientId, ClientSecret);
    const { AuthenticationResult: tokens } = await initiate({ ...named, SECRET_HASH });
    const name = claims(tokens.AccessToken).username;
    const refresh = more => initiate({ REFRESH_TOKEN: tokens.RefreshToken, ...more }, 'REFRESH_TOKEN_AUTH');
    await refused(refresh({}), 'NotAuthorizedException');
    assert((await refresh({ SECRET_HASH: secretHash(name, ClientId, ClientSecret) })).AuthenticationResult.IdToken);
    const get = ClientSecret =>
      send('GetTokensFromRefreshToken', { ClientId, ClientSecret, RefreshToken: tokens.RefreshToken });
    await refused(get(undefined), 'NotAuthorizedException');
    await refused(get(ClientSecret.split('').reverse().join('')), 'NotAuthorizedException');
    await refused(get('wrong-secret'), 'InvalidParameterException');
    assert((await get(ClientSecret)).AuthenticationResult.AccessToken);
    // A refresh token is bound to its client.
    await refused(app.refresh(tokens.RefreshToken), 'NotAuthorizedException');
    await refused(send('RevokeToken', { ClientId, Token: tokens.RefreshToken }), 'UnauthorizedException');
    await send('RevokeToken', { ClientId, ClientSecret, Token: tokens.RefreshToken });
    await refused(get(ClientSecret), 'NotAuthorizedException');

    const eve = pool.user('eve');
    const signUp = more => send('SignUp', {
      ClientId, Username: eve.username, Password: eve.password, UserAttributes: list({ email: eve.email }), ...more,
    });
    await refused(signUp({}), 'NotAuthorizedException');
    const SecretHash = secretHash(eve.username, ClientId, ClientSecret);
    await signUp({ SecretHash });
    const code = await pool.code(eve.username);
    const confirm = more =>
      send('ConfirmSignUp', { ClientId, Username: eve.username, ConfirmationCode: code, ...more });
    await refused(confirm({}), 'NotAuthorizedException');
    await confirm({ SecretHash });
    // A client without a secret rejects a secret hash.
    await refused(app.call('ForgotPassword', { Username: eve.username, SecretHash }), 'NotAuthorizedException');
    await admin('DeleteUserPoolClient', { ClientId });
    await refused(initiate({ ...named, SECRET_HASH }), 'ResourceNotFoundException');
  });
  await step('a rotated refresh token works once', async () => {
    const { UserPoolClient: { ClientId } } = await admin('CreateUserPoolClient', {
      ClientName: 'rotating', ExplicitAuthFlows: ['ALLOW_USER_PASSWORD_AUTH'],
      RefreshTokenRotation: { Feature: 'ENABLED', RetryGracePeriodSeconds: 10 },
    });
    const own = app.as(ClientId);
    const next = RefreshToken => own.call('GetTokensFromRefreshToken', { RefreshToken });
    const first = await own.signIn(username, password);
    const { AuthenticationResult: second } = await next(first.RefreshToken);
    assert.notEqual(second.RefreshToken, first.RefreshToken);
    assert.equal(claims(second.AccessToken).origin_jti, claims(first.AccessToken).origin_jti);
    // A lost response can be requested again during the grace period.
    assert((await next(first.RefreshToken)).AuthenticationResult.RefreshToken);
    await pool.advance(11);
    await refused(next(first.RefreshToken), 'RefreshTokenReuseException');
    await refused(next(second.RefreshToken), 'NotAuthorizedException', 'RefreshTokenReuseException');
    await refused(send('GetUser', { AccessToken: second.AccessToken }), 'NotAuthorizedException');
  });
  await step('a client has its own lifetimes, flows and attributes', async () => {
    const { UserPoolClient: { ClientId } } = await admin('CreateUserPoolClient', {
      ClientName: 'short', ExplicitAuthFlows: ['ALLOW_USER_PASSWORD_AUTH', 'ALLOW_REFRESH_TOKEN_AUTH'],
      AccessTokenValidity: 5, IdTokenValidity: 10, RefreshTokenValidity: 60,
      TokenValidityUnits: { AccessToken: 'minutes', IdToken: 'minutes', RefreshToken: 'minutes' },
      ReadAttributes: ['email'], WriteAttributes: ['name'],
    });
    const own = app.as(ClientId);
    const tokens = await own.signIn(username, password);
    assert.equal(tokens.ExpiresIn, 300);
    const { AccessToken } = tokens;
    const { UserAttributes } = await send('GetUser', { AccessToken });
    assert.deepEqual(Object.keys(unlist(UserAttributes)).sort(), ['email', 'sub']);
    const update = attributes => send('UpdateUserAttributes', { AccessToken, UserAttributes: list(attributes) });
    await update({ name: 'Dave' });
    await refused(update({ nickname: 'd' }), 'NotAuthorizedException');
    const srp = own.call('InitiateAuth', {
      AuthFlow: 'USER_SRP_AUTH', AuthParameters: { USERNAME: username, SRP_A: 'abcdef' },
    });
    await refused(srp, 'InvalidParameterException');
    await pool.advance(5 * 60 + 1);
    await refused(send('GetUser', { AccessToken }), 'NotAuthorizedException');
    await own.refresh(tokens.RefreshToken);
    await pool.advance(60 * 60);
    await refused(own.refresh(tokens.RefreshToken), 'NotAuthorizedException');
    const { UserPoolClient: changed } = await admin('UpdateUserPoolClient', {
      ClientId, ClientName: 'shorter', ExplicitAuthFlows: ['ALLOW_USER_SRP_AUTH', 'ALLOW_REFRESH_TOKEN_AUTH'],
    });
    assert.equal(changed.ClientName, 'shorter');
    await refused(own.signIn(username, password), 'InvalidParameterException');
    const { UserPoolClients } = await admin('ListUserPoolClients', { MaxResults: 60 });
    assert(UserPoolClients.some(client => client.ClientId === ClientId && client.ClientName === 'shorter'));
  });
}

/** Pools: created, described, updated, listed and deleted. */
async function pools({ pool, step, send }) {
  await step('a new pool has its own users', async () => {
    const { UserPool } = await send('CreateUserPool', {
      PoolName: 'second',
      UsernameAttributes: pool.hasEmailNames ? [] : ['email'],
      AutoVerifiedAttributes: ['email'],
      Policies: {
        PasswordPolicy: {
          MinimumLength: 12, RequireLowercase: true, RequireUppercase: false, RequireNumbers: false, RequireSymbols: false,
        },
      },
      Schema: [{ Name: 'plan', AttributeDataType: 'String', Mutable: true }],
    });
    assert.match(UserPool.Id, /^us-east-1_[0-9A-Za-z]+$/);
    const admin = (operation, input) => send(operation, { UserPoolId: UserPool.Id, ...input });
    const { UserPoolClient: { ClientId } } = await admin('CreateUserPoolClient', {
      ClientName: 'web', ExplicitAuthFlows: ['ALLOW_USER_PASSWORD_AUTH', 'ALLOW_REFRESH_TOKEN_AUTH'],
    });
    const app = new App(send, ClientId);
    const Username = pool.hasEmailNames ? 'zoe' : 'zoe@example.com';
    const signUp = Password => app.call('SignUp', {
      Username, Password, UserAttributes: list({ email: 'zoe@example.com', 'custom:plan': 'free' }),
    });
    await refused(signUp('tooshort'), 'InvalidPasswordException');
    await signUp('longenoughnow');
    await app.call('ConfirmSignUp', { Username, ConfirmationCode: await pool.code('zoe@example.com') });
    const { AccessToken, IdToken } = await app.signIn(Username, 'longenoughnow');
    assert.equal(claims(AccessToken).iss, `${pool.endpoint}/${UserPool.Id}`);
    assert.equal(claims(IdToken)['custom:plan'], 'free');
    await refused(
      new App(send, pool.clientId).signIn(Username, 'longenoughnow'), 'NotAuthorizedException',
    );

    const { UserPool: read } = await send('DescribeUserPool', { UserPoolId: UserPool.Id });
    assert.equal(read.Policies.PasswordPolicy.MinimumLength, 12);
    await send('UpdateUserPool', {
      UserPoolId: UserPool.Id, AutoVerifiedAttributes: ['email'],
      Policies: { PasswordPolicy: { MinimumLength: 20 } },
    });
    await refused(
      send('ChangePassword', {
        AccessToken, PreviousPassword: 'longenoughnow', ProposedPassword: 'notlongenough',
      }),
      'InvalidPasswordException',
    );
    const { UserPools } = await send('ListUserPools', { MaxResults: 10 });
    assert.deepEqual(UserPools.map(({ Id }) => Id).sort(), [pool.id, UserPool.Id].sort());
    await send('DeleteUserPool', { UserPoolId: UserPool.Id });
    await refused(send('DescribeUserPool', { UserPoolId: UserPool.Id }), 'ResourceNotFoundException');
    await refused(app.signIn(Username, 'longenoughnow'), 'ResourceNotFoundException');
    await refused(send('GetUser', { AccessToken }), 'NotAuthorizedException', 'ResourceNotFoundException');
  });
  await step('a pool that requires a second factor has it set up during sign-in', async () => {
    const { UserPool: { Id } } = await send('CreateUserPool', { PoolName: 'strict' });
    const admin = (operation, input) => send(operation, { UserPoolId: Id, ...input });
    await admin('SetUserPoolMfaConfig', {
      MfaConfiguration: 'ON', SoftwareTokenMfaConfiguration: { Enabled: true },
    });
    const { UserPoolClient: { ClientId } } = await admin('CreateUserPoolClient', {
      ClientName: 'web', ExplicitAuthFlows: ['ALLOW_USER_PASSWORD_AUTH'],
    });
    const app = new App(send, ClientId);
    await admin('AdminCreateUser', { Username: 'max', MessageAction: 'SUPPRESS' });
    await admin('AdminSetUserPassword', { Username: 'max', Password: 'Correct-Horse-1', Permanent: true });
    const setup = await app.initiate('max', 'Correct-Horse-1');
    assert.equal(setup.ChallengeName, 'MFA_SETUP');
    assert.deepEqual(JSON.parse(setup.ChallengeParameters.MFAS_CAN_SETUP), ['SOFTWARE_TOKEN_MFA']);
    const { SecretCode, Session } = await send('AssociateSoftwareToken', { Session: setup.Session });
    const verified = await send('VerifySoftwareToken', { Session, UserCode: await pool.totp(SecretCode, Id) });
    assert.equal(verified.Status, 'SUCCESS');
    const { AuthenticationResult } = await app.respond('MFA_SETUP', verified.Session, { USERNAME: 'max' });
    assert(AuthenticationResult.AccessToken);
    const next = await app.initiate('max', 'Correct-Horse-1');
    assert.equal(next.ChallengeName, 'SOFTWARE_TOKEN_MFA');
    const { AuthenticationResult: again } = await app.respond('SOFTWARE_TOKEN_MFA', next.Session, {
      USERNAME: 'max', SOFTWARE_TOKEN_MFA_CODE: await pool.totp(SecretCode, Id),
    });
    assert(again.AccessToken);
    await send('DeleteUserPool', { UserPoolId: Id });
  });
  await step('unknown pools and unknown clients get different errors', async () => {
    await refused(send('DescribeUserPool', { UserPoolId: 'us-east-1_Nowhere00' }), 'ResourceNotFoundException');
    await refused(
      send('DescribeUserPoolClient', { UserPoolId: pool.id, ClientId: 'nowhere' }), 'ResourceNotFoundException',
    );
    await refused(
      send('ListUsers', { UserPoolId: 'no pool id' }), 'InvalidParameterException', 'ResourceNotFoundException',
    );
  });
}

/** An app client. */
class App {
  constructor(send, clientId) {
    this.send = send;
    this.clientId = clientId;
  }

  as(clientId) {
    return new App(this.send, clientId);
  }

  call(operation, input) {
    return this.send(operation, { ClientId: this.clientId, ...input });
  }

  initiate(USERNAME, PASSWORD) {
    return this.call('InitiateAuth', { AuthFlow: 'USER_PASSWORD_AUTH', AuthParameters: { USERNAME, PASSWORD } });
  }

  async signIn(username, password) {
    const { AuthenticationResult, ChallengeName } = await this.initiate(username, password);
    assert(AuthenticationResult, `asked for ${ChallengeName}`);
    return AuthenticationResult;
  }

  respond(ChallengeName, Session, ChallengeResponses) {
    return this.call('RespondToAuthChallenge', { ChallengeName, Session, ChallengeResponses });
  }

  async refresh(token) {
    const { AuthenticationResult } = await this.call('InitiateAuth', {
      AuthFlow: 'REFRESH_TOKEN_AUTH', AuthParameters: { REFRESH_TOKEN: token },
    });
    return AuthenticationResult;
  }
}

function list(attributes) {
  return Object.entries(attributes).map(([Name, Value]) => ({ Name, Value }));
}

function unlist(attributes) {
  return Object.fromEntries(attributes.map(({ Name, Value }) => [Name, Value]));
}

await runClient('AWS SDK for JavaScript v3', lifecycle);
