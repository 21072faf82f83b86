// Shared by the scripts: a pool, its messages and clock, and counted steps.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const here = import.meta.dirname;
const plain = readFileSync(join(here, 'pool.toml'), 'utf8');
const empty = 'username_attributes = []';
assert(plain.includes(empty));

/** The pools that each client runs against. */
const pools = {
  default: { title: 'a pool without configuration' },
  addresses: { title: 'addresses as plain user names' },
  plain: { title: 'plain user names', config: plain },
  email: { title: 'e-mail user names', config: plain.replace(empty, 'username_attributes = ["email"]') },
  amazon: { title: 'tokens with an issuer of Amazon', issuer: 'https://cognito-idp.us-east-1.amazonaws.com' },
};

/**
 * Runs a client against each pool, or against the one that the command line names. `script` receives the pool, and
 * `step`, with which it reports each check.
 */
export async function runClient(client, script, names = ['default', 'addresses', 'plain', 'email']) {
  const wanted = process.argv[2];
  for (const name of names.filter(name => !wanted || name === wanted)) {
    const pool = await Pool.start(name);
    await counted(`${client}, ${pool.title}`, step => script({ pool, step }));
    pool.stop();
  }
  // Amplify keeps timers for minutes.
  process.exit();
}

/** Counts the steps of a script, and prints one line with the result. */
export async function counted(title, script) {
  const done = [];
  const failed = [];
  const step = async (what, run) => {
    done.push(what);
    try {
      return await within(60_000, run());
    } catch (error) {
      fail(what, error);
    }
  };
  const fail = (what, error) => {
    failed.push(what);
    console.log(`  FAILED: ${what}\n    ${String(error?.stack ?? error).replaceAll('\n', '\n    ')}`);
  };
  await script(step).catch(error => fail('the script completes', error));
  console.log(`${title}: ${done.length} steps, ${failed.length} failed`);
  if (failed.length > 0) process.exitCode = 1;
}

/** Passes if the promise rejects with an error of one of these names. */
export async function refused(promise, ...names) {
  let answer;
  try {
    answer = await promise;
  } catch (error) {
    // Clients put the name into different members.
    const found = [error?.error, error?.cause?.error, error?.code, error?.constructor?.name, error?.name].filter(Boolean);
    assert(
      found.some(name => names.includes(name)),
      `expected ${names.join(' or ')}, found ${found.at(-1)} (${error?.message})`,
    );
    return error;
  }
  assert.fail(`expected ${names.join(' or ')}, but the call succeeded with ${typeof answer}`);
}

/** Decodes the claims of a token without verification. */
export function claims(token) {
  return JSON.parse(Buffer.from(token.split('.')[1], 'base64url').toString());
}

/** Returns forged variants of a token. */
export function forgeries(token) {
  const [header, payload, signature] = token.split('.');
  const text = value => Buffer.from(JSON.stringify(value)).toString('base64url');
  const other = { ...claims(token), username: 'somebody', sub: '00000000-0000-4000-8000-000000000000' };
  const turned = signature[9] === 'A' ? 'B' : 'A';
  return {
    'with another user': `${header}.${text(other)}.${signature}`,
    'with another signature': `${header}.${payload}.${signature.slice(0, 9)}${turned}${signature.slice(10)}`,
    'without a signature': `${text({ alg: 'none' })}.${payload}.`,
    'signed with a key that the client chose': hs256(token, payload),
  };
}

function hs256(token, payload) {
  const { kid } = JSON.parse(Buffer.from(token.split('.')[0], 'base64url').toString());
  const head = Buffer.from(JSON.stringify({ alg: 'HS256', kid })).toString('base64url');
  const signature = createHmac('sha256', kid).update(`${head}.${payload}`).digest('base64url');
  return `${head}.${payload}.${signature}`;
}

/** Returns the secret hash of a client. */
export function secretHash(username, clientId, secret) {
  return createHmac('sha256', secret).update(username + clientId).digest('base64');
}

const base32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** Returns the one-time password for a time in seconds (RFC 6238). */
export function totp(secret, seconds) {
  const bits = [...secret].map(character => base32.indexOf(character).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from(bits.match(/.{8}/g).map(octet => parseInt(octet, 2)));
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(seconds / 30)));
  const tag = createHmac('sha1', key).update(step).digest();
  const number = tag.readUInt32BE(tag.at(-1) & 0x0f) & 0x7fff_ffff;
  return String(number % 1_000_000).padStart(6, '0');
}

/** Returns a six-digit code that differs from `code`. */
export function wrong(code) {
  return code === '123456' ? '654321' : '123456';
}

export class Pool {
  id = 'us-east-1_Local0001';
  clientId = 'localclient0000000000000000';
  rotatingClientId = 'rotatingclient000000000000';
  websiteClientId = 'websiteclient0000000000000';
  machineClientId = 'machineclient0000000000000';

  /**
   * Starts a pool, or uses the one at `POOL_ENDPOINT`. `more` is appended to its configuration, and `options` to its
   * command line.
   */
  static async start(name, more, options = []) {
    const pool = new Pool();
    pool.title = pools[name].title;
    pool.hasCustomAttributes = pools[name].config !== undefined;
    pool.hasEmailNames = name === 'email';
    pool.hasAddresses = name === 'email' || name === 'addresses';
    pool.hasIssuerOfAmazon = name === 'amazon';
    pool.endpoint = process.env.POOL_ENDPOINT ?? (await pool.#serve(pools[name], more, options));
    return pool;
  }

  async #serve({ config, issuer }, behind, options) {
    const program = process.env.LOCAL_POOL ?? join(here, '../../../target/debug/tower-cognito-local');
    const folder = mkdtempSync(join(tmpdir(), 'pool-'));
    const file = join(folder, 'pool.toml');
    const text = [config, behind].filter(part => part !== undefined).join('\n');
    writeFileSync(file, text);
    const more = text === '' ? [...options] : ['--config', file, ...options];
    if (issuer) more.push('--issuer', `${issuer}/${this.id}`);
    const args = ['--port', '0', '--pool-id', this.id, '--client-id', this.clientId, ...more];
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    this.stop = () => {
      child.kill();
      rmSync(folder, { recursive: true });
    };
    process.on('exit', () => child.kill());
    let output = '';
    return within(20_000, new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('exit', code => reject(new Error(`the pool exited with ${code}`)));
      child.stdout.on('data', text => {
        output += text;
        const found = /is at https?:\/\/(\S+?)\.\s/.exec(output);
        // Pools with TLS also accept plain HTTP.
        if (found) resolve(`http://${found[1]}`);
      });
    }));
  }

  stop() {}

  get port() {
    return new URL(this.endpoint).port;
  }

  /** The address of a pool with TLS. */
  get secure() {
    return `https://localhost:${this.port}`;
  }

  get issuer() {
    return `${this.endpoint}/${this.id}`;
  }

  get jwksUri() {
    return `${this.issuer}/.well-known/jwks.json`;
  }

  /**
   * Returns the sign-in data and address of a user. With e-mail user names, the pool generates the user names; an
   * address as a plain user name is an ordinary name.
   */
  user(name) {
    const email = `${name}@example.com`;
    return { username: this.hasAddresses ? email : name, email, password: 'Correct-Horse-1' };
  }

  /** Returns the messages sent to a user, newest first. */
  async messages(username) {
    const answer = await fetch(`${this.endpoint}/_local/messages?username=${encodeURIComponent(username)}`);
    assert.equal(answer.status, 200);
    return answer.json();
  }

  /** Returns the newest code sent to a user. */
  async code(username) {
    const [newest] = await this.messages(username);
    assert.match(newest?.code ?? 'nothing was sent', /^\d{6}$/);
    return newest.code;
  }

  /** Advances the clock, and returns the pool's time in seconds. */
  async advance(seconds, id = this.id) {
    const answer = await fetch(`${this.endpoint}/_local/clock`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ advance_seconds: seconds }),
    });
    assert.equal(answer.status, 200);
    return (await answer.json())[id];
  }

  /** Returns an unused one-time password, by advancing the clock to the next time step. */
  async totp(secret, id = this.id) {
    return totp(secret, await this.advance(30, id));
  }

  /** Calls an operation that the client under test does not have. */
  async admin(operation, input) {
    const answer = await fetch(`${this.endpoint}/`, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-amz-json-1.1',
        'x-amz-target': `AWSCognitoIdentityProviderService.${operation}`,
      },
      body: JSON.stringify({ UserPoolId: this.id, ...input }),
    });
    const text = await answer.text();
    assert.equal(answer.status, 200, `${operation}: ${text}`);
    return JSON.parse(text || '{}');
  }

  /** Creates a user with a permanent password, as an administrator. */
  async create(name) {
    const user = this.user(name);
    const { username, email, password } = user;
    const attributes = [{ Name: 'email', Value: email }, { Name: 'email_verified', Value: 'true' }];
    const { User } = await this.admin('AdminCreateUser', {
      Username: username, UserAttributes: attributes, MessageAction: 'SUPPRESS',
    });
    await this.admin('AdminSetUserPassword', { Username: username, Password: password, Permanent: true });
    return { ...user, sub: User.Attributes.find(({ Name }) => Name === 'sub').Value };
  }

  /** Returns the secret of an app client. */
  async secret(ClientId) {
    const { UserPoolClient } = await this.admin('DescribeUserPoolClient', { ClientId });
    return UserPoolClient.ClientSecret;
  }

  /** Signs a user in and returns the tokens. */
  async signIn({ username, password }, ClientId = this.clientId) {
    const { AuthenticationResult } = await this.admin('InitiateAuth', {
      ClientId, AuthFlow: 'USER_PASSWORD_AUTH', AuthParameters: { USERNAME: username, PASSWORD: password },
    });
    return AuthenticationResult;
  }

  /** Creates a user who must choose a password. */
  async invite(name) {
    const user = this.user(name);
    const attributes = [{ Name: 'email', Value: user.email }, { Name: 'email_verified', Value: 'true' }];
    await this.admin('AdminCreateUser', {
      Username: user.username, UserAttributes: attributes, TemporaryPassword: user.password,
      MessageAction: 'SUPPRESS',
    });
    return user;
  }
}

async function within(milliseconds, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error('timed out')), milliseconds);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
