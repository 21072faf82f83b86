// The browser application of `examples/web/`, in Chromium. Screenshots are left in `target/screenshots/`.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';

import { chromium } from 'playwright-core';

import { counted, Pool, wrong } from './kit.mjs';

const target = process.env.TARGET ?? join(import.meta.dirname, '../../target');
const screenshots = join(target, 'screenshots');
const desktop = { width: 1100, height: 800 };
const phone = { width: 360, height: 740 };
const password = 'Correct-Horse-1';

/** Returns functions for the forms and the buttons of a page. */
function controls(page) {
  const button = name => page.getByRole('button', { name, exact: true });
  const fill = async values => {
    for (const [label, value] of Object.entries(values)) await page.getByLabel(label, { exact: true }).fill(value);
  };
  const submit = async (values, name) => {
    await fill(values);
    await button(name).click();
  };
  const signIn = (name, password) => submit({ 'User name': name, Password: password }, 'Sign in');
  const callApi = async (name, path) => {
    await button(name).click();
    const answer = page.getByTestId('answer');
    await answer.getByText(`GET ${path}`).waitFor();
    await answer.getByText('Asking…').waitFor({ state: 'detached' });
    return answer.innerText();
  };
  return { button, fill, submit, signIn, callApi };
}

async function ownForms({ step, open, pool, look }) {
  const page = await open('/');
  const { button, fill, submit, signIn, callApi } = controls(page);
  const kim = { name: 'kim', email: 'kim@example.com' };
  const heading = title => page.getByRole('heading', { name: title, level: 2, exact: true });
  const alert = page.getByRole('alert');
  const enterCode = (code, name) => submit({ Code: code }, name);

  await step('a new user signs up with a valid password', async () => {
    await heading('Sign in').waitFor();
    await look(page, 'own-sign-in');
    await button('I am new here').click();
    await fill({ 'User name': kim.name, 'E-mail': kim.email, 'New password': 'weakly' });
    await button('Sign up').click();
    await alert.getByText('Password did not conform with policy').waitFor();
    await look(page, 'own-sign-up-weak');
    await fill({ 'New password': password });
    await button('Sign up').click();
    await heading('Confirm your address').waitFor();
    await look(page, 'own-confirm');
  });
  await step('the address is confirmed only by the right code', async () => {
    const code = await pool.code(kim.name);
    await enterCode(wrong(code), 'Confirm');
    await alert.getByText('Invalid verification code').waitFor();
    await enterCode(code, 'Confirm');
    await page.getByText('Confirmed. You can sign in now.').waitFor();
  });
  await step('a wrong password does not sign in', async () => {
    await signIn(kim.name, `${password}x`);
    await alert.getByText('Incorrect username or password.').waitFor();
    await look(page, 'own-wrong-password');
  });
  await step('the password signs in', async () => {
    await signIn(kim.name, password);
    await heading('Signed in as kim').waitFor();
    await page.getByText('kim@example.com (verified)').waitFor();
  });
  await step('the API accepts the user, but not for admin routes', async () => {
    const me = await callApi('Who am I?', '/api/me');
    assert.match(me, /200[^]*"username": "kim"/);
    await look(page, 'own-signed-in');
    assert.match(await callApi('For admins', '/api/admin'), /403/);
  });
  await step('the session survives a reload', async () => {
    await page.reload();
    await heading('Signed in as kim').waitFor();
    assert.match(await callApi('Who am I?', '/api/me'), /200/);
  });
  let secret;
  await step('an authenticator is set up with the right code', async () => {
    await button('Set up an authenticator').click();
    secret = await page.getByTestId('secret').innerText();
    await look(page, 'own-set-up');
    const code = await pool.totp(secret);
    await enterCode(wrong(code), 'Verify');
    await alert.waitFor();
    await enterCode(code, 'Verify');
    await page.getByText('Authenticator app').waitFor();
  });
  await step('no token works after the sign-out', async () => {
    const token = await page.evaluate(() => Object.entries(localStorage).find(([key]) => key.endsWith('.accessToken'))[1]);
    await button('Sign out').click();
    await page.getByText('You are signed out.').waitFor();
    assert.equal(await page.evaluate(() => Object.keys(localStorage).filter(key => key.endsWith('Token')).length), 0);
    await assert.rejects(pool.admin('GetUser', { AccessToken: token }), /revoked/);
    await page.reload();
    await heading('Sign in').waitFor();
  });
  await step('the sign-in requires the authenticator, whose codes work once', async () => {
    await signIn(kim.name, password);
    await heading('Enter the code of your authenticator').waitFor();
    await look(page, 'own-authenticator');
    const code = await pool.totp(secret);
    await enterCode(wrong(code), 'Continue');
    await alert.getByText('Invalid code received for user').waitFor();
    await enterCode(code, 'Continue');
    await heading('Signed in as kim').waitFor();
    await button('Sign out').click();
    await signIn(kim.name, password);
    await heading('Enter the code of your authenticator').waitFor();
    await enterCode(code, 'Continue');
    await alert.waitFor();
    await enterCode(await pool.totp(secret), 'Continue');
    await heading('Signed in as kim').waitFor();
  });
  await step('an expired access token is refreshed automatically', async () => {
    const stored = () => page.evaluate(() => Object.entries(localStorage).find(([key]) => key.endsWith('.accessToken'))[1]);
    const before = await stored();
    await pool.advance(60 * 60 + 60);
    assert.match(await callApi('Who am I?', '/api/me'), /200[^]*"username": "kim"/);
    assert.notEqual(await stored(), before);
  });
  await step('the end of a session is reported', async () => {
    await pool.advance(31 * 24 * 60 * 60);
    await button('Who am I?').click();
    await page.getByText('Your session has ended. Please sign in again.').waitFor();
    await heading('Sign in').waitFor();
    await look(page, 'own-session-ended');
    await page.reload();
    await heading('Sign in').waitFor();
  });
  await step('an invited user chooses a password', async () => {
    // The pool's clock is past the expiry of the temporary password.
    await pool.admin('AdminSetUserPassword', { Username: 'ida', Password: 'Temporary-Word-1', Permanent: false });
    await signIn('ida', 'Temporary-Word-1');
    await heading('Choose a password').waitFor();
    await look(page, 'own-new-password');
    await fill({ 'New password': 'weakly' });
    await button('Set password').click();
    await alert.waitFor();
    await fill({ 'New password': 'Chosen-Password-1' });
    await button('Set password').click();
    await heading('Signed in as ida').waitFor();
    await button('Sign out').click();
  });
  await step('an admin is admitted', async () => {
    await signIn('ada', password);
    await heading('Signed in as ada').waitFor();
    assert.match(await callApi('For admins', '/api/admin'), /200[^]*Welcome, admin/);
    await button('Sign out').click();
    await page.getByText('You are signed out.').waitFor();
  });
  await page.context().close();
}

async function hostedPages({ step, open, pool, look }) {
  const page = await open('/hosted');
  const { button, fill, signIn, callApi } = controls(page);
  const heading = (title, level = 1) => page.getByRole('heading', { name: title, level, exact: true });
  const leave = async () => {
    await button('Go to the hosted pages').click();
    await heading('Sign in').waitFor();
  };

  await step('a new user signs up at the hosted pages', async () => {
    await button('Go to the hosted pages').waitFor();
    await look(page, 'hosted');
    await leave();
    assert(page.url().startsWith(pool.endpoint));
    await look(page, 'hosted-sign-in');
    await page.getByRole('link', { name: 'Create account' }).click();
    await fill({ 'User name': 'lou', Email: 'lou@example.com', Password: 'weakly' });
    await button('Create account').click();
    await page.getByText('Password did not conform with policy').waitFor();
    await look(page, 'hosted-sign-up-weak');
    await fill({ Password: password });
    await button('Create account').click();
    await heading('Confirm your account').waitFor();
    await look(page, 'hosted-confirm');
  });
  await step('the right code confirms, a wrong one does not', async () => {
    const code = await pool.code('lou');
    await fill({ Code: wrong(code) });
    await button('Confirm').click();
    await page.getByText('Invalid verification code').waitFor();
    await fill({ Code: code });
    await button('Confirm').click();
    await heading('Sign in').waitFor();
  });
  await step('a wrong password does not sign in', async () => {
    await signIn('lou', `${password}x`);
    await page.getByText('Incorrect username or password.').waitFor();
    await look(page, 'hosted-wrong-password');
  });
  let callback;
  await step('the password signs in, and the code is removed from the address bar', async () => {
    page.on('request', request => {
      if (request.url().includes('/callback?')) callback = request.url();
    });
    await signIn('lou', password);
    await heading('Signed in as lou', 2).waitFor();
    assert.equal(new URL(page.url()).pathname + new URL(page.url()).search, '/hosted');
    await page.getByText('lou@example.com (verified)').waitFor();
  });
  await step('the API accepts the user, but not for admin routes', async () => {
    assert.match(await callApi('Who am I?', '/api/me'), /200[^]*"username": "lou"/);
    await look(page, 'hosted-signed-in');
    assert.match(await callApi('For admins', '/api/admin'), /403/);
  });
  await step('the session survives a reload', async () => {
    await page.reload();
    await heading('Signed in as lou', 2).waitFor();
  });
  await step('the callback address works once', async () => {
    await page.goto(callback);
    await page.getByRole('alert').waitFor();
    await look(page, 'hosted-callback-twice');
    await page.getByRole('link', { name: 'Try again' }).click();
    await heading('Signed in as lou', 2).waitFor();
  });
  await step('an expired access token is refreshed automatically', async () => {
    await pool.advance(60 * 60 + 60);
    assert.match(await callApi('Who am I?', '/api/me'), /200[^]*"username": "lou"/);
  });
  await step('the end of a session is reported', async () => {
    await pool.advance(31 * 24 * 60 * 60);
    await button('Who am I?').click();
    await page.getByText('Your session has ended. Please sign in again.').waitFor();
    await look(page, 'hosted-session-ended');
  });
  await step('the pool asks for the password after the sign-out', async () => {
    await leave();
    await signIn('lou', password);
    await heading('Signed in as lou', 2).waitFor();
    await button('Sign out').click();
    await button('Go to the hosted pages').waitFor();
    assert.equal(new URL(page.url()).pathname, '/hosted');
    await leave();
    await page.getByLabel('Password', { exact: true }).waitFor();
    assert.equal(await page.getByText('You are signed in as').count(), 0);
  });
  await step('a second factor is required', async () => {
    const { AccessToken } = await pool.signIn({ username: 'lou', password });
    const { SecretCode } = await pool.admin('AssociateSoftwareToken', { AccessToken });
    await pool.admin('VerifySoftwareToken', { AccessToken, UserCode: await pool.totp(SecretCode) });
    const on = { Enabled: true, PreferredMfa: true };
    await pool.admin('SetUserMFAPreference', { AccessToken, SoftwareTokenMfaSettings: on });
    await signIn('lou', password);
    await heading('Enter your code').waitFor();
    await look(page, 'hosted-second-factor');
    const code = await pool.totp(SecretCode);
    await fill({ Code: wrong(code) });
    await button('Sign in').click();
    await page.locator('#problem').waitFor();
    await fill({ Code: code });
    await button('Sign in').click();
    await heading('Signed in as lou', 2).waitFor();
    await button('Sign out').click();
    await button('Go to the hosted pages').waitFor();
  });
  await step('an invited user chooses a password', async () => {
    await pool.admin('AdminSetUserPassword', { Username: 'ida', Password: 'Temporary-Word-1', Permanent: false });
    await leave();
    await signIn('ida', 'Temporary-Word-1');
    await heading('Choose a new password').waitFor();
    await look(page, 'hosted-new-password');
    await fill({ 'New password': 'Chosen-Password-2' });
    await button('Save and sign in').click();
    await heading('Signed in as ida', 2).waitFor();
  });
  await page.context().close();

  const plain = await open('/', { javaScriptEnabled: false });
  await step('without scripts, the page explains it and the hosted pages work', async () => {
    assert.match(await plain.locator('body').innerText(), /This page needs JavaScript/);
    const address = new URL(callback);
    const query = new URLSearchParams({
      response_type: 'code', client_id: pool.clientId, redirect_uri: `${address.origin}/callback`, scope: 'openid',
      state: 'plain',
    });
    await plain.goto(`${pool.endpoint}/oauth2/authorize?${query}`);
    await plain.getByLabel('User name', { exact: true }).fill('ada');
    await plain.getByLabel('Password', { exact: true }).fill(password);
    await plain.getByRole('button', { name: 'Sign in', exact: true }).click();
    await plain.waitForURL(url => url.pathname === '/callback');
    assert(new URL(plain.url()).searchParams.get('code'));
  });
  await plain.context().close();
}

/** Provides a browser, a page and the servers while `script` runs. */
async function withPage(script) {
  const port = await freePort();
  const program = process.env.WEB ?? join(target, 'debug/examples/web');
  const example = spawn(program, ['--port', String(port)], { stdio: ['ignore', 'pipe', 'inherit'] });
  process.on('exit', () => example.kill());
  const endpoint = await new Promise((resolve, reject) => {
    let output = '';
    example.on('error', reject);
    example.on('exit', code => reject(new Error(`the example ended with ${code}`)));
    example.stdout.on('data', text => {
      output += text;
      const found = /^pool +(http:\S+?),/m.exec(output);
      if (found) resolve(found[1]);
    });
  });
  const base = `http://localhost:${port}`;
  await served(base);
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync',
    ],
  });
  try {
    await script({ base, browser, pool: Object.assign(new Pool(), { endpoint }) });
  } finally {
    await browser.close();
    const ended = new Promise(resolve => example.on('exit', resolve));
    example.kill();
    await ended;
  }
}

async function served(base) {
  for (let tries = 0; ; tries += 1) {
    try {
      await fetch(base);
      return;
    } catch (error) {
      if (tries > 300) throw error;
      await new Promise(resolve => setTimeout(resolve, 100));
    }
  }
}

function freePort() {
  return new Promise(resolve => {
    const server = createServer().listen(0, 'localhost', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** Saves screenshots at desktop and phone width, and checks that the page does not overflow at either. */
async function look(page, name) {
  for (const [device, size] of Object.entries({ desktop, phone })) {
    await page.setViewportSize(size);
    await page.screenshot({ path: join(screenshots, `${name}-${device}.png`), fullPage: true });
    const excess = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert(excess <= 0, `${name} is ${excess} pixels too wide for a ${device}`);
  }
  await page.setViewportSize(desktop);
}

mkdirSync(screenshots, { recursive: true });
for (const [name, script] of Object.entries({ 'own forms': ownForms, 'hosted pages': hostedPages })) {
  await withPage(async ({ base, browser, pool }) => {
    const errors = [];
    const open = async (path, options) => {
      const context = await browser.newContext({ viewport: desktop, ...options });
      const page = await context.newPage();
      page.setDefaultTimeout(40_000);
      page.on('pageerror', error => errors.push(error.message));
      await page.goto(`${base}${path}`);
      return page;
    };
    await counted(`web application, ${name}`, async step => {
      await script({ step, open, pool, look });
      await step('the page causes no script errors', async () => assert.deepEqual(errors, []));
    });
  });
}
process.exit();
