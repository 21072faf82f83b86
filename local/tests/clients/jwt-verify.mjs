// aws-jwt-verify, as Node servers use it to verify tokens.
import assert from 'node:assert/strict';

import { CognitoJwtVerifier, JwtVerifier } from 'aws-jwt-verify';
import { validateCognitoJwtFields } from 'aws-jwt-verify/cognito-verifier';
import { SimpleJwksCache } from 'aws-jwt-verify/jwk';

import { claims, forgeries, refused, runClient } from './kit.mjs';

async function lifecycle({ pool, step }) {
  const jane = await step('a user is created', () => pool.create('jane'));
  await step('the user is in two groups', async () => {
    for (const GroupName of ['staff', 'admin']) {
      await pool.admin('CreateGroup', { GroupName });
      await pool.admin('AdminAddUserToGroup', { Username: jane.username, GroupName });
    }
  });
  const tokens = await step('the user signs in', () => pool.signIn(jane));
  const { AccessToken: access, IdToken: id, RefreshToken: refresh } = tokens;
  const make = pool.hasIssuerOfAmazon ? verifierForAwsIssuer : verifierForLocalIssuer;
  const verifier = (tokenUse, more) => make(pool, { tokenUse, clientId: pool.clientId, ...more });

  await step('an access token is valid', async () => {
    const payload = await (await verifier('access')).verify(access);
    assert.equal(payload.sub, jane.sub);
    assert.equal(payload.token_use, 'access');
    assert.deepEqual([...payload['cognito:groups']].sort(), ['admin', 'staff']);
  });
  await step('an ID token is valid', async () => {
    const payload = await (await verifier('id')).verify(id);
    assert.equal(payload.email, jane.email);
    assert.equal(payload['cognito:username'], pool.hasEmailNames ? jane.sub : jane.username);
  });
  await step('either kind is valid where both are allowed', async () => {
    const either = await verifier(null);
    for (const token of [access, id]) await either.verify(token);
  });
  await step('a token of the other kind is rejected', async () => {
    await refused((await verifier('access')).verify(id), 'CognitoJwtInvalidTokenUseError');
    await refused((await verifier('id')).verify(access), 'CognitoJwtInvalidTokenUseError');
  });
  await step('a token of another client is rejected', async () => {
    for (const [tokenUse, token] of [['access', access], ['id', id]]) {
      await refused(
        (await verifier(tokenUse, { clientId: 'other' })).verify(token), 'CognitoJwtInvalidClientIdError',
      );
      await (await verifier(tokenUse, { clientId: ['other', pool.clientId] })).verify(token);
    }
  });
  await step('groups and scopes are checked', async () => {
    await (await verifier('access', { groups: 'staff' })).verify(access);
    await (await verifier('id', { groups: ['nobody', 'admin'] })).verify(id);
    await refused((await verifier('id', { groups: 'nobody' })).verify(id), 'CognitoJwtInvalidGroupError');
    await (await verifier('access', { scope: 'aws.cognito.signin.user.admin' })).verify(access);
    await refused(
      (await verifier('access', { scope: 'orders/read' })).verify(access), 'JwtInvalidScopeError',
    );
  });
  await step('tokens that the pool did not sign are rejected', async () => {
    for (const tokenUse of ['access', 'id']) {
      for (const forged of Object.values(forgeries(tokenUse === 'id' ? id : access))) {
        await refused(
          (await verifier(tokenUse)).verify(forged),
          'JwtInvalidSignatureError', 'JwtInvalidSignatureAlgorithmError', 'JwtWithoutValidKidError',
          'KidNotFoundInJwksError', 'JwtParseError',
        );
      }
    }
  });
  await step('a refresh token cannot be verified', async () =>
    refused((await verifier('access')).verify(refresh), 'JwtParseError'));
  await step('a token of another pool is rejected', async () => {
    const { UserPool: { Id } } = await pool.admin('CreateUserPool', { PoolName: 'other' });
    const { UserPoolClient: { ClientId } } = await pool.admin('CreateUserPoolClient', {
      UserPoolId: Id, ClientName: 'web', ExplicitAuthFlows: ['ALLOW_USER_PASSWORD_AUTH'],
    });
    await pool.admin('AdminCreateUser', { UserPoolId: Id, Username: 'jane', MessageAction: 'SUPPRESS' });
    await pool.admin('AdminSetUserPassword', {
      UserPoolId: Id, Username: 'jane', Password: jane.password, Permanent: true,
    });
    const { AccessToken } = await pool.signIn({ username: 'jane', password: jane.password }, ClientId);
    const own = await verifier('access', { clientId: ClientId });
    await refused(own.verify(AccessToken), 'JwtInvalidIssuerError', 'KidNotFoundInJwksError', 'ParameterValidationError');
  });
  await step('refreshed tokens are valid and keep the login time', async () => {
    const { AuthenticationResult: fresh } = await pool.admin('GetTokensFromRefreshToken', {
      ClientId: pool.clientId, RefreshToken: refresh,
    });
    const payload = await (await verifier('access')).verify(fresh.AccessToken);
    assert.equal(payload.auth_time, claims(access).auth_time);
    await (await verifier('id')).verify(fresh.IdToken);
  });
  await step('an expired token is rejected', async () => {
    const { now } = Date;
    const own = await verifier('access');
    try {
      Date.now = () => now() + 60 * 60 * 1000 - 5_000;
      await own.verify(access);
      Date.now = () => now() + 60 * 60 * 1000 + 5_000;
      await refused(own.verify(access), 'JwtExpiredError');
    } finally {
      Date.now = now;
    }
  });
}

/** Returns a verifier for tokens with an AWS issuer: the verifier for Cognito, with the keys of the pool. */
async function verifierForAwsIssuer(pool, { tokenUse, clientId, groups, scope }) {
  const verifier = CognitoJwtVerifier.create({ userPoolId: pool.id, tokenUse, clientId, groups, scope });
  verifier.cacheJwks(await (await fetch(pool.jwksUri)).json());
  return verifier;
}

/** Returns a verifier for tokens with the local issuer: the generic verifier, with the checks for Cognito. */
async function verifierForLocalIssuer(pool, { tokenUse, clientId, groups, scope }) {
  const fetcher = { fetch: async uri => (await fetch(uri)).arrayBuffer() };
  return JwtVerifier.create(
    {
      issuer: pool.issuer,
      audience: null,
      jwksUri: pool.jwksUri,
      scope,
      customJwtCheck: ({ payload }) => validateCognitoJwtFields(payload, { tokenUse, clientId, groups }),
    },
    { jwksCache: new SimpleJwksCache({ fetcher }) },
  );
}

await runClient('aws-jwt-verify', lifecycle, ['default', 'amazon', 'email']);
