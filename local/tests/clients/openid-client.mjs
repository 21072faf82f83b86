// openid-client, as used by websites and machines: at the hosted pages with PKCE, and with a client secret.
import assert from 'node:assert/strict';

import * as oidc from 'openid-client';

import { Browser } from './browser.mjs';
import { claims, refused, runClient, wrong } from './kit.mjs';

const redirect = 'http://localhost:3000/callback';

async function lifecycle({ pool, step }) {
  const insecure = { execute: [oidc.allowInsecureRequests, oidc.enableNonRepudiationChecks] };
  const discover = (id, authentication) =>
    oidc.discovery(new URL(pool.issuer), id, undefined, authentication, insecure);

  const app = await step('the pool is discovered', async () => {
    const app = await discover(pool.clientId, oidc.None());
    const server = app.serverMetadata();
    assert.equal(server.issuer, pool.issuer);
    assert.equal(server.jwks_uri, pool.jwksUri);
    return app;
  });
  await people({ pool, step, app });
  await website({ pool, step, discover });
  await machine({ pool, step, discover });
  await requests({ pool, step, app });
}

/** Users at the hosted pages, with a public client. */
async function people({ pool, step, app }) {
  const browser = new Browser(pool.endpoint);
  const jane = pool.user('jane');
  const { username, password } = jane;
  const sentTo = () => pool.code(username);
  let visit = await authorizationRequest(app);

  await step('a user signs up at the hosted page with a valid password', async () => {
    await browser.open(visit.url);
    assert.equal(browser.title, 'Sign in');
    await browser.follow('Create account');
    const email = pool.hasEmailNames ? {} : { 'attribute.email': jane.email };
    await browser.submit('Create account', { username, password: 'weakly', ...email });
    assert.match(browser.problem, /Password did not conform with policy/);
    await browser.submit('Create account', { username, password, ...email });
    assert.equal(browser.title, 'Confirm your account');
  });
  await step('the right code confirms, a wrong one does not', async () => {
    await browser.submit('Send a new code');
    const code = await sentTo();
    await browser.submit('Confirm', { code: wrong(code) });
    assert.match(browser.problem, /Invalid verification code/);
    await browser.submit('Confirm', { code });
    assert.equal(browser.title, 'Sign in');
  });
  await step('a wrong password does not sign in', async () => {
    await browser.submit('Sign in', { username, password: `${password}x` });
    assert.match(browser.problem, /Incorrect username or password/);
    assert.equal(browser.left, undefined);
  });
  let tokens;
  await step('the password signs in, and the code is exchanged for tokens', async () => {
    await browser.submit('Sign in', { username, password });
    assert.equal(`${browser.left.origin}${browser.left.pathname}`, redirect);
    tokens = await oidc.authorizationCodeGrant(app, browser.left, visit.checks);
    const id = tokens.claims();
    assert.equal(id.email, jane.email);
    assert.equal(id.email_verified, true);
    assert.equal(id['cognito:username'], pool.hasEmailNames ? id.sub : username);
    const access = claims(tokens.access_token);
    assert.equal(access.client_id, pool.clientId);
    assert.deepEqual(access.scope.split(' ').sort(), ['email', 'openid']);
    assert.equal(access.sub, id.sub);
  });
  await step('the user info is read with the token', async () => {
    const user = await oidc.fetchUserInfo(app, tokens.access_token, tokens.claims().sub);
    assert.equal(user.email, jane.email);
    assert.equal(user.email_verified, 'true');
    assert.equal(user.given_name, undefined);
  });
  await step('a session is refreshed', async () => {
    const fresh = await oidc.refreshTokenGrant(app, tokens.refresh_token);
    assert.notEqual(fresh.access_token, tokens.access_token);
    assert.equal(fresh.claims().sub, tokens.claims().sub);
    assert.equal(claims(fresh.id_token).auth_time, claims(tokens.id_token).auth_time);
    await oidc.fetchUserInfo(app, fresh.access_token, fresh.claims().sub);
    await refused(oidc.refreshTokenGrant(app, `${tokens.refresh_token.slice(0, -4)}AAAA`), 'invalid_grant');
  });
  let twice;
  await step('a user with a session at the pool is not asked again', async () => {
    visit = await authorizationRequest(app);
    await browser.open(visit.url);
    if (!browser.left) await browser.submit(`Continue as ${username}`);
    twice = await oidc.authorizationCodeGrant(app, browser.left, visit.checks);
    assert.equal(twice.claims().sub, tokens.claims().sub);
    assert.equal(claims(twice.id_token).auth_time, claims(tokens.id_token).auth_time);
  });
  await step('a code works once, and its reuse revokes the tokens', async () => {
    await refused(oidc.authorizationCodeGrant(app, browser.left, visit.checks), 'invalid_grant');
    await refused(oidc.refreshTokenGrant(app, twice.refresh_token), 'invalid_grant');
  });
  await step('a code requires its verifier and its redirect address', async () => {
    for (const spoil of [
      visit => { visit.checks.pkceCodeVerifier = oidc.randomPKCECodeVerifier(); },
      visit => { delete visit.checks.pkceCodeVerifier; },
      (_, browser) => { browser.left.pathname = '/elsewhere'; },
    ]) {
      const visit = await authorizationRequest(app);
      await browser.open(visit.url);
      if (!browser.left) await browser.submit(`Continue as ${username}`);
      spoil(visit, browser);
      await refused(oidc.authorizationCodeGrant(app, browser.left, visit.checks), 'invalid_grant', 'invalid_request');
    }
  });
  await step('a revoked session cannot be refreshed', async () => {
    await oidc.tokenRevocation(app, tokens.refresh_token);
    await refused(oidc.refreshTokenGrant(app, tokens.refresh_token), 'invalid_grant');
    const read = oidc.fetchUserInfo(app, tokens.access_token, tokens.claims().sub);
    await refused(read, 'WWWAuthenticateChallengeError', 'OAUTH_RESPONSE_IS_NOT_CONFORM');
    await assert.rejects(pool.admin('GetUser', { AccessToken: tokens.access_token }));
  });
  await step('the pool asks for the password after the sign-out', async () => {
    await browser.open(oidc.buildEndSessionUrl(app, { client_id: pool.clientId, logout_uri: 'http://localhost:3000/' }));
    assert.equal(browser.left.href, 'http://localhost:3000/');
    await browser.open((await authorizationRequest(app)).url);
    assert.equal(browser.title, 'Sign in');
    await assert.rejects(browser.submit(`Continue as ${username}`));
  });
  await step('a form that no page of the pool sent is rejected', async () => {
    await browser.open((await authorizationRequest(app)).url);
    browser.forget();
    await browser.submit('Sign in', { username, password });
    assert.equal(browser.status, 403);
    assert.equal(browser.left, undefined);
  });
  await step('a forgotten password can be reset only with the code, and once', async () => {
    await browser.open((await authorizationRequest(app)).url);
    await browser.follow('Forgot your password?');
    await browser.submit('Send code', { username });
    const code = await sentTo();
    await browser.submit('Reset password', { code: wrong(code), password: 'Battery-Staple-2' });
    assert.match(browser.problem, /Invalid/);
    await browser.submit('Reset password', { code, password: 'Battery-Staple-2' });
    assert.equal(browser.title, 'Sign in');
    await browser.submit('Sign in', { username, password });
    assert.match(browser.problem, /Incorrect username or password/);
    await browser.submit('Sign in', { username, password: 'Battery-Staple-2' });
    assert(browser.left);
  });
  await step('an invited user chooses a password', async () => {
    const ida = await pool.invite('ida');
    browser.forget();
    visit = await authorizationRequest(app);
    await browser.open(visit.url);
    await browser.submit('Sign in', { username: ida.username, password: ida.password });
    assert.equal(browser.title, 'Choose a new password');
    await browser.submit('Save and sign in', { password: 'weakly' });
    assert.match(browser.problem, /Password did not conform with policy/);
    await browser.submit('Save and sign in', { password: 'Chosen-Password-1' });
    const { claims: id } = await oidc.authorizationCodeGrant(app, browser.left, visit.checks);
    assert.equal(id().email, ida.email);
  });
  await step('a second factor is required, and its codes work once', async () => {
    const kim = await pool.create('kim');
    const { AccessToken } = await pool.signIn(kim);
    const { SecretCode } = await pool.admin('AssociateSoftwareToken', { AccessToken });
    await pool.admin('VerifySoftwareToken', { AccessToken, UserCode: await pool.totp(SecretCode) });
    const on = { Enabled: true, PreferredMfa: true };
    await pool.admin('SetUserMFAPreference', { AccessToken, SoftwareTokenMfaSettings: on });
    const code = await pool.totp(SecretCode);
    for (const isFirst of [true, false]) {
      browser.forget();
      await browser.open((await authorizationRequest(app)).url);
      await browser.submit('Sign in', { username: kim.username, password: kim.password });
      assert.equal(browser.title, 'Enter your code');
      await browser.submit('Sign in', { code: wrong(code) });
      assert(browser.problem);
      await browser.submit('Sign in', { code });
      assert.equal(Boolean(browser.left), isFirst);
    }
  });
  await step('a token without the openid scope cannot read the user info', async () => {
    const { AccessToken } = await pool.signIn(await pool.create('lee'));
    const read = oidc.fetchUserInfo(app, AccessToken, oidc.skipSubjectCheck);
    await refused(read, 'WWWAuthenticateChallengeError', 'OAUTH_RESPONSE_IS_NOT_CONFORM');
  });
  await step('a code expires after five minutes', async () => {
    browser.forget();
    visit = await authorizationRequest(app);
    await browser.open(visit.url);
    await browser.submit('Sign in', { username, password: 'Battery-Staple-2' });
    await pool.advance(5 * 60 + 1);
    await refused(oidc.authorizationCodeGrant(app, browser.left, visit.checks), 'invalid_grant');
  });
  await step('the browser session expires after an hour', async () => {
    await pool.advance(60 * 60);
    await browser.open((await authorizationRequest(app)).url);
    assert.equal(browser.title, 'Sign in');
    await assert.rejects(browser.submit(`Continue as ${username}`));
  });
}

/** A confidential client. */
async function website({ pool, step, discover }) {
  const browser = new Browser(pool.endpoint);
  const secret = await step('a secret is looked up', () => pool.secret(pool.websiteClientId));
  const dora = await step('a user is created', () => pool.create('dora'));

  for (const [how, authentication] of [['in a header', oidc.ClientSecretBasic], ['in the body', oidc.ClientSecretPost]]) {
    await step(`a website authenticates ${how}`, async () => {
      const site = await discover(pool.websiteClientId, authentication(secret));
      site[oidc.clockTolerance] = 24 * 60 * 60;
      const impostor = await discover(pool.websiteClientId, authentication('not-the-secret'));
      const nobody = await discover(pool.websiteClientId, oidc.None());
      browser.forget();
      const signIn = async () => {
        const visit = await authorizationRequest(site, 'openid profile');
        await browser.open(visit.url);
        if (!browser.left) await browser.submit('Sign in', { username: dora.username, password: dora.password });
        return visit;
      };
      let visit = await signIn();
      await refused(oidc.authorizationCodeGrant(impostor, browser.left, visit.checks), 'invalid_client');
      await refused(oidc.authorizationCodeGrant(nobody, browser.left, visit.checks), 'invalid_client');
      visit = await signIn();
      const tokens = await oidc.authorizationCodeGrant(site, browser.left, visit.checks);
      await refused(oidc.refreshTokenGrant(impostor, tokens.refresh_token), 'invalid_client');
      const fresh = await oidc.refreshTokenGrant(site, tokens.refresh_token);
      assert.equal(claims(fresh.access_token).client_id, pool.websiteClientId);
      // A session is bound to its client.
      const other = await discover(pool.clientId, oidc.None());
      await refused(oidc.refreshTokenGrant(other, tokens.refresh_token), 'invalid_grant');
      await refused(oidc.tokenRevocation(impostor, tokens.refresh_token), 'invalid_client');
      await oidc.tokenRevocation(site, tokens.refresh_token);
      await refused(oidc.refreshTokenGrant(site, tokens.refresh_token), 'invalid_grant');
    });
  }
  await step('a disabled user cannot sign in', async () => {
    const site = await discover(pool.websiteClientId, oidc.ClientSecretBasic(secret));
    site[oidc.clockTolerance] = 24 * 60 * 60;
    browser.forget();
    const visit = await authorizationRequest(site);
    await browser.open(visit.url);
    await browser.submit('Sign in', { username: dora.username, password: dora.password });
    const tokens = await oidc.authorizationCodeGrant(site, browser.left, visit.checks);
    await pool.admin('AdminDisableUser', { Username: dora.username });
    await refused(oidc.refreshTokenGrant(site, tokens.refresh_token), 'invalid_grant');
    browser.forget();
    await browser.open((await authorizationRequest(site)).url);
    await browser.submit('Sign in', { username: dora.username, password: dora.password });
    assert.equal(browser.left, undefined);
  });
}

/** A machine-to-machine client. */
async function machine({ pool, step, discover }) {
  const secret = await step('a secret is looked up', () => pool.secret(pool.machineClientId));
  await step('a machine gets a token for its scopes', async () => {
    const own = await discover(pool.machineClientId, oidc.ClientSecretBasic(secret));
    const { access_token: token, refresh_token, expires_in } =
      await oidc.clientCredentialsGrant(own, { scope: 'orders/read' });
    assert.equal(refresh_token, undefined);
    assert.equal(expires_in, 3600);
    const access = claims(token);
    assert.equal(access.sub, pool.machineClientId);
    assert.equal(access.scope, 'orders/read');
    assert.equal(access.token_use, 'access');
    assert.equal(access.username, undefined);
    const all = await oidc.clientCredentialsGrant(own);
    assert.deepEqual(claims(all.access_token).scope.split(' ').sort(), ['orders/read', 'orders/write']);
    await refused(oidc.clientCredentialsGrant(own, { scope: 'orders/delete' }), 'invalid_scope', 'invalid_grant', 'invalid_request');
    await assert.rejects(pool.admin('GetUser', { AccessToken: token }));
  });
  await step('wrong credentials get no token', async () => {
    for (const authentication of [oidc.ClientSecretBasic('not-the-secret'), oidc.None()]) {
      const impostor = await discover(pool.machineClientId, authentication);
      await refused(oidc.clientCredentialsGrant(impostor), 'invalid_client');
    }
    const website = await discover(pool.websiteClientId, oidc.ClientSecretBasic(await pool.secret(pool.websiteClientId)));
    await refused(oidc.clientCredentialsGrant(website), 'unauthorized_client');
  });
}

/** Invalid authorization requests. */
async function requests({ pool, step, app }) {
  const browser = new Browser(pool.endpoint);
  const spoiled = async spoil => {
    const { url } = await authorizationRequest(app);
    spoil(url.searchParams);
    return browser.open(url);
  };
  await step('no redirect goes to an unregistered address', async () => {
    for (const address of ['https://evil.example/', `${redirect}/more`, 'http://localhost:3001/callback']) {
      await spoiled(query => query.set('redirect_uri', address));
      assert.equal(browser.left, undefined);
    }
    await spoiled(query => query.set('client_id', 'unknownclient0000000000000'));
    assert.equal(browser.left, undefined);
  });
  for (const [what, error, spoil] of [
    ['a scope that the client does not have', 'invalid_scope', query => query.set('scope', 'openid orders/write')],
    ['a flow that the client does not have', 'unauthorized_client', query => query.set('response_type', 'token')],
    ['no flow', 'invalid_request', query => query.delete('response_type')],
    ['a plain challenge', 'invalid_request', query => query.set('code_challenge_method', 'plain')],
    ['a challenge without a method', 'invalid_request', query => query.delete('code_challenge_method')],
  ]) {
    await step(`the app gets an error for ${what}`, async () => {
      await spoiled(spoil);
      assert(browser.left, 'it was not sent back to the app');
      // The response to a token request is in the fragment.
      const answer = new URLSearchParams(browser.left.search || browser.left.hash.slice(1));
      assert.equal(answer.get('error'), error);
      assert(answer.get('state'));
      assert.equal(answer.get('code'), null);
    });
  }
  await step('no redirect after the sign-out goes to an unregistered address', async () => {
    await browser.open(
      oidc.buildEndSessionUrl(app, { client_id: pool.clientId, logout_uri: 'https://evil.example/' }),
    );
    assert.equal(browser.left, undefined);
  });
}

/** Returns the URL of a request of the app, and what its response must contain. */
async function authorizationRequest(app, scope = 'openid email') {
  const pkceCodeVerifier = oidc.randomPKCECodeVerifier();
  const checks = {
    pkceCodeVerifier, expectedState: oidc.randomState(), expectedNonce: oidc.randomNonce(), idTokenExpected: true,
  };
  const url = oidc.buildAuthorizationUrl(app, {
    redirect_uri: redirect,
    scope,
    state: checks.expectedState,
    nonce: checks.expectedNonce,
    code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
  });
  return { url, checks };
}

await runClient('openid-client', lifecycle, ['plain', 'email']);
