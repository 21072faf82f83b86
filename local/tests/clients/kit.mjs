// What the scripts share: a pool to call, its messages and its clock, and steps that are counted.
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

/** The pools that each client is tried with. */
const pools = {
  default: { title: 'a pool without configuration' },
  addresses: { title: 'addresses as plain user names' },
  plain: { title: 'plain user names', config: plain },
  email: { title: 'e-mail user names', config: plain.replace(empty, 'username_attributes = ["email"]') },
  amazon: { title: 'tokens with an issuer of Amazon', issuer: 'https://cognito-idp.us-east-1.amazonaws.com' },
};

/**
 * Tries a client with each pool, or with the one that the command line names: `tell` gets the pool, and `step`,
 * with which it says what has to hold.
 */
export async function lives(client, tell, names = ['default', 'addresses', 'plain', 'email']) {
  const wanted = process.argv[2];
  for (const name of names.filter(name => !wanted || name === wanted)) {
    const pool = await Pool.start(name);
    await counted(`${client}, ${pool.title}`, step => tell({ pool, step }));
    pool.stop();
  }
  // Amplify keeps timers for minutes.
  process.exit();
}

/** Counts the steps of a script. One line tells how they went. */
export async function counted(title, tell) {
  const done = [];
  const failed = [];
  const step = async (what, run) => {
    done.push(what);
    try {
      return await within(60_000, run());
    } catch (error) {
      told(what, error);
    }
  };
  const told = (what, error) => {
    failed.push(what);
    console.log(`  FAILED: ${what}\n    ${String(error?.stack ?? error).replaceAll('\n', '\n    ')}`);
  };
  await tell(step).catch(error => told('the script comes to its end', error));
  console.log(`${title}: ${done.length} steps, ${failed.length} failed`);
  if (failed.length > 0) process.exitCode = 1;
}

/** Holds if the promise is refused with an error of this name. */
export async function refused(promise, ...names) {
  let answer;
  try {
    answer = await promise;
  } catch (error) {
    // Clients write the name where they like.
    const found = [error?.error, error?.cause?.error, error?.code, error?.constructor?.name, error?.name].filter(Boolean);
    assert(
      found.some(name => names.includes(name)),
      `refused with ${found.at(-1)} (${error?.message}) in place of ${names.join(' or ')}`,
    );
    return error;
  }
  assert.fail(`not refused, but answered with ${typeof answer}, in place of ${names.join(' or ')}`);
}

/** The claims of a token, without a look at its signature. */
export function claims(token) {
  return JSON.parse(Buffer.from(token.split('.')[1], 'base64url').toString());
}

/** Tokens that are not what the pool signed. */
export function forgeries(token) {
  const [header, payload, signature] = token.split('.');
  const text = value => Buffer.from(JSON.stringify(value)).toString('base64url');
  const other = { ...claims(token), username: 'somebody', sub: '00000000-0000-4000-8000-000000000000' };
  const turned = signature[9] === 'A' ? 'B' : 'A';
  return {
    'with another user in it': `${header}.${text(other)}.${signature}`,
    'with another signature': `${header}.${payload}.${signature.slice(0, 9)}${turned}${signature.slice(10)}`,
    'without a signature': `${text({ alg: 'none' })}.${payload}.`,
    'signed with a key of its own choice': hs256(token, payload),
  };
}

function hs256(token, payload) {
  const { kid } = JSON.parse(Buffer.from(token.split('.')[0], 'base64url').toString());
  const head = Buffer.from(JSON.stringify({ alg: 'HS256', kid })).toString('base64url');
  const signature = createHmac('sha256', kid).update(`${head}.${payload}`).digest('base64url');
  return `${head}.${payload}.${signature}`;
}

/** What a client with a secret proves its knowledge of it with. */
export function secretHash(username, clientId, secret) {
  return createHmac('sha256', secret).update(username + clientId).digest('base64');
}

const base32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** The one-time password of a time in seconds (RFC 6238). */
export function totp(secret, seconds) {
  const bits = [...secret].map(sign => base32.indexOf(sign).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from(bits.match(/.{8}/g).map(octet => parseInt(octet, 2)));
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(seconds / 30)));
  const tag = createHmac('sha1', key).update(step).digest();
  const number = tag.readUInt32BE(tag.at(-1) & 0x0f) & 0x7fff_ffff;
  return String(number % 1_000_000).padStart(6, '0');
}

/** A code of six digits that is not this one. */
export function wrong(code) {
  return code === '123456' ? '654321' : '123456';
}

export class Pool {
  id = 'us-east-1_Local0001';
  clientId = 'localclient0000000000000000';
  rotatingClientId = 'rotatingclient000000000000';
  websiteClientId = 'websiteclient0000000000000';
  machineClientId = 'machineclient0000000000000';

  /** A pool of its own process, or the one that `POOL_ENDPOINT` says. `more` is put behind its configuration. */
  static async start(name, more) {
    const pool = new Pool();
    pool.title = pools[name].title;
    pool.hasCustomAttributes = pools[name].config !== undefined;
    pool.hasEmailNames = name === 'email';
    pool.hasAddresses = name === 'email' || name === 'addresses';
    pool.hasIssuerOfAmazon = name === 'amazon';
    pool.endpoint = process.env.POOL_ENDPOINT ?? (await pool.#serve(pools[name], more));
    return pool;
  }

  async #serve({ config, issuer }, behind) {
    const program = process.env.LOCAL_POOL ?? join(here, '../../../target/debug/tower-cognito-local');
    const folder = mkdtempSync(join(tmpdir(), 'pool-'));
    const file = join(folder, 'pool.toml');
    const text = [config, behind].filter(part => part !== undefined).join('\n');
    writeFileSync(file, text);
    const more = text === '' ? [] : ['--config', file];
    if (issuer) more.push('--issuer', `${issuer}/${this.id}`);
    const args = ['--port', '0', '--pool-id', this.id, '--client-id', this.clientId, ...more];
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    this.stop = () => {
      child.kill();
      rmSync(folder, { recursive: true });
    };
    process.on('exit', () => child.kill());
    let said = '';
    return within(20_000, new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('exit', code => reject(new Error(`the pool ended with ${code}`)));
      child.stdout.on('data', text => {
        said += text;
        const found = /is at (http:\/\/\S+?)\.\s/.exec(said);
        if (found) resolve(found[1]);
      });
    }));
  }

  stop() {}

  get issuer() {
    return `${this.endpoint}/${this.id}`;
  }

  get jwksUri() {
    return `${this.issuer}/.well-known/jwks.json`;
  }

  /**
   * A user of this name: what they sign in with, and their address. With e-mail user names the pool makes up names of
   * its own; an address as a plain user name is a name like others.
   */
  user(name) {
    const email = `${name}@example.com`;
    return { username: this.hasAddresses ? email : name, email, password: 'Correct-Horse-1' };
  }

  /** What was sent to a user, newest first. */
  async messages(username) {
    const answer = await fetch(`${this.endpoint}/_local/messages?username=${encodeURIComponent(username)}`);
    assert.equal(answer.status, 200);
    return answer.json();
  }

  /** The code that was sent to a user last. */
  async code(username) {
    const [newest] = await this.messages(username);
    assert.match(newest?.code ?? 'nothing was sent', /^\d{6}$/);
    return newest.code;
  }

  /** Puts the clock forward, and tells the pool's time in seconds. */
  async advance(seconds, id = this.id) {
    const answer = await fetch(`${this.endpoint}/_local/clock`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ advance_seconds: seconds }),
    });
    assert.equal(answer.status, 200);
    return (await answer.json())[id];
  }

  /** A one-time password that was never used: each is good for a step of its own. */
  async totp(secret, id = this.id) {
    return totp(secret, await this.advance(30, id));
  }

  /** Does what the client under test cannot do. */
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

  /** A user who was created by an administrator, with a password of their own. */
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

  /** The secret of an app client. */
  async secret(ClientId) {
    const { UserPoolClient } = await this.admin('DescribeUserPoolClient', { ClientId });
    return UserPoolClient.ClientSecret;
  }

  /** Tokens of a user. */
  async signIn({ username, password }, ClientId = this.clientId) {
    const { AuthenticationResult } = await this.admin('InitiateAuth', {
      ClientId, AuthFlow: 'USER_PASSWORD_AUTH', AuthParameters: { USERNAME: username, PASSWORD: password },
    });
    return AuthenticationResult;
  }

  /** A user who has to choose a password. */
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
    timer = setTimeout(() => reject(new Error('it takes too long')), milliseconds);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
