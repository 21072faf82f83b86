// Amplify's hosted sign-in and sign-out (`signInWithRedirect`, `signOut`) in Chromium, at a pool with TLS. Amplify writes
// `https://` in front of the domain.
import assert from 'node:assert/strict';
import { createHash, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { build } from 'esbuild';
import { chromium } from 'playwright-core';

import { claims, counted, Pool } from './kit.mjs';

const password = 'Correct-Horse-1';

/** The app. It shows the user, and has buttons that call Amplify. */
const app = `
  import { Amplify } from 'aws-amplify';
  import { fetchAuthSession, fetchUserAttributes, getCurrentUser, signInWithRedirect, signOut } from 'aws-amplify/auth';
  import { Hub } from 'aws-amplify/utils';
  import 'aws-amplify/auth/enable-oauth-listener';

  const show = (id, text) => { document.getElementById(id).textContent = text; };
  const run = (id, action) => {
    document.getElementById(id).onclick = () => action().catch(error => show('error', String(error)));
  };
  Hub.listen('auth', ({ payload }) => {
    if (payload.event === 'customOAuthState') show('state', payload.data);
    if (payload.event === 'signInWithRedirect_failure') show('error', String(payload.data.error));
    if (payload.event === 'signInWithRedirect') refresh();
  });
  const refresh = async () => {
    const user = await getCurrentUser().catch(() => undefined);
    show('user', user ? user.username : 'nobody');
    if (!user) return;
    const { tokens } = await fetchAuthSession();
    window.tokens = { access: String(tokens.accessToken), id: String(tokens.idToken) };
  };
  Amplify.configure({ Auth: { Cognito: await (await fetch('/settings')).json() } });
  run('sign-in', () => signInWithRedirect({ customState: 'a state: äöü' }));
  run('sign-out', () => signOut());
  run('renew', async () => { await fetchAuthSession({ forceRefresh: true }); await refresh(); show('renewed', 'yes'); });
  run('attributes', async () => show('email', (await fetchUserAttributes()).email));
  await refresh();
`;

const html = `<!doctype html><html lang="en"><title>App</title>
  <p>Signed in: <span id="user"></span>, state: <span id="state"></span>, email: <span id="email"></span>,
  renewed: <span id="renewed"></span>, error: <span id="error"></span></p>
  <button id="sign-in">Sign in</button> <button id="sign-out">Sign out</button>
  <button id="renew">Renew</button> <button id="attributes">Attributes</button>
  <script type="module" src="/app.js"></script></html>`;

async function hostedSignIn({ browser, stranger, base, pool, step }) {
  const context = await browser.newContext();
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  const errors = [];
  page.on('pageerror', error => errors.push(error.message));
  const shown = async (id, text) => {
    await page.waitForFunction(([id, text]) => document.getElementById(id)?.textContent === text, [id, text]);
    assert.equal(await page.locator('#error').textContent(), '');
  };
  const signIn = async () => {
    await page.getByLabel('User name', { exact: true }).fill('ada');
    await page.getByLabel('Password', { exact: true }).fill(password);
    await page.locator('form', { has: page.getByLabel('Password') }).getByRole('button').first().click();
  };
  let session;

  await step('a browser without the certificate does not open the pool', async () => {
    const page = await stranger.newPage();
    await assert.rejects(page.goto(`${pool.secure}/login`), /ERR_CERT_AUTHORITY_INVALID/);
    await page.close();
  });
  await step('signInWithRedirect opens the hosted page over HTTPS', async () => {
    await page.goto(base);
    await shown('user', 'nobody');
    await page.locator('#sign-in').click();
    await page.waitForURL(url => url.pathname === '/login');
    assert.equal(new URL(page.url()).origin, pool.secure);
    assert(await page.evaluate(() => isSecureContext));
  });
  await step('the password signs in, and the app gets its state back', async () => {
    await signIn();
    await page.waitForURL(url => url.origin === base);
    await shown('user', 'ada');
    await shown('state', 'a state: äöü');
  });
  await step('the cookies of the hosted pages are secure', async () => {
    const cookies = (await context.cookies()).filter(({ name }) => name.includes(pool.id));
    assert(cookies.length > 0);
    assert(cookies.every(({ secure, httpOnly }) => secure && httpOnly));
  });
  await step('the tokens have the HTTPS issuer', async () => {
    session = await page.evaluate(() => window.tokens);
    assert.equal(claims(session.access).iss, `https://127.0.0.1:${pool.port}/${pool.id}`);
    assert.equal(claims(session.id).aud, pool.clientId);
  });
  await step('the API accepts the token', async () => {
    await page.locator('#attributes').click();
    await shown('email', 'ada@example.com');
  });
  await step('the session survives a reload and is renewed', async () => {
    await page.reload();
    await shown('user', 'ada');
    await page.locator('#renew').click();
    await shown('renewed', 'yes');
    const { access } = await page.evaluate(() => window.tokens);
    assert.notEqual(claims(access).jti, claims(session.access).jti);
  });
  await step('a second sign-in needs no password while the browser is signed in', async () => {
    await page.evaluate(() => localStorage.clear());
    await page.reload();
    await shown('user', 'nobody');
    await page.locator('#sign-in').click();
    await page.waitForURL(url => url.origin === pool.secure || url.search.includes('code='));
    if (new URL(page.url()).origin === pool.secure) await page.getByRole('button', { name: 'Continue as ada' }).click();
    await shown('user', 'ada');
  });
  await step('signOut ends the session at the pool and returns to the app', async () => {
    const signedOut = page.waitForRequest(request => request.url().startsWith(`${pool.secure}/logout?`));
    await page.locator('#sign-out').click();
    await signedOut;
    await page.waitForURL(url => url.origin === base);
    await shown('user', 'nobody');
    await page.locator('#sign-in').click();
    await page.waitForURL(url => url.pathname === '/login');
    await page.getByLabel('Password', { exact: true }).waitFor();
    assert.equal(await page.getByText('Continue as').count(), 0);
  });
  await step('the page causes no script errors', async () => assert.deepEqual(errors, []));
  await context.close();
}

/** Serves the app at a free port until `script` ends. */
async function withApp(script) {
  const bundle = await build({
    stdin: { contents: app, resolveDir: import.meta.dirname }, bundle: true, format: 'esm', write: false,
    logLevel: 'warning', minify: true,
  });
  let settings;
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url, 'http://localhost');
    const files = {
      '/': ['text/html; charset=utf-8', html],
      '/app.js': ['text/javascript; charset=utf-8', bundle.outputFiles[0].text],
      '/settings': ['application/json', JSON.stringify(settings)],
    };
    const [type, body] = files[pathname] ?? ['text/plain', ''];
    response.writeHead(files[pathname] ? 200 : 404, { 'content-type': type }).end(body);
  });
  await new Promise(resolve => server.listen(0, 'localhost', resolve));
  const base = `http://localhost:${server.address().port}`;
  try {
    await script(base, next => (settings = next));
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

function launch(...more) {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', ...more],
  });
}

/** Returns the hash by which Chromium trusts the key of a certificate. */
function keyHash(pem) {
  const key = new X509Certificate(pem).publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(key).digest('base64');
}

const folder = mkdtempSync(join(tmpdir(), 'tls-'));
const authority = join(folder, 'ca.pem');
await withApp(async (base, configure) => {
  const pool = await Pool.start('default', `
    [[aws_cognito_user_pool_client]]
    allowed_oauth_flows_user_pool_client = true
    allowed_oauth_flows = ["code"]
    allowed_oauth_scopes = ["openid", "email", "aws.cognito.signin.user.admin"]
    callback_urls = ["${base}/"]
    logout_urls = ["${base}/"]
    supported_identity_providers = ["COGNITO"]

    [[aws_cognito_user]]
    username = "ada"
    password = "${password}"
    attributes = { email = "ada@example.com" }
  `, ['--tls-ca-file', authority]);
  const pem = readFileSync(authority);
  const trusting = await launch(`--ignore-certificate-errors-spki-list=${keyHash(pem)}`);
  const stranger = await launch();
  // The API may be called over HTTPS or over plain HTTP.
  for (const endpoint of [pool.secure, pool.endpoint]) {
    const domain = new URL(pool.secure).host;
    configure({
      userPoolId: pool.id, userPoolClientId: pool.clientId, userPoolEndpoint: `${endpoint}/`,
      loginWith: {
        oauth: {
          domain, scopes: ['openid', 'email', 'aws.cognito.signin.user.admin'], responseType: 'code',
          redirectSignIn: [`${base}/`], redirectSignOut: [`${base}/`],
        },
      },
    });
    const title = `Amplify's hosted sign-in, the API over ${new URL(endpoint).protocol.slice(0, -1)}`;
    await counted(title, step => hostedSignIn({ browser: trusting, stranger, base, pool, step }));
  }
  await trusting.close();
  await stranger.close();
  pool.stop();
});
rmSync(folder, { recursive: true });
process.exit();
