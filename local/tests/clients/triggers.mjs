// Lambda functions as teams write them, called by the pool, and clients that use them.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';

import cognito from 'amazon-cognito-identity-js';
import { Amplify } from 'aws-amplify';
import { confirmSignIn, fetchAuthSession, signIn, signOut } from 'aws-amplify/auth';
import { cognitoUserPoolsTokenProvider } from 'aws-amplify/auth/cognito';

import { Pool, counted, refused } from './kit.mjs';

const { AuthenticationDetails, CognitoUser, CognitoUserAttribute, CognitoUserPool } = cognito;

const question = 'the capital of France';

/** Handlers by the prefix of `triggerSource`. */
const handlers = {
  async PreSignUp(event) {
    event.response.autoConfirmUser = true;
    return event;
  },
  async DefineAuthChallenge(event) {
    const rounds = event.request.session;
    const custom = rounds.filter(({ challengeName }) => challengeName === 'CUSTOM_CHALLENGE');
    event.response.issueTokens = custom.at(-1)?.challengeResult === true;
    event.response.failAuthentication = !event.response.issueTokens && custom.length >= 3;
    event.response.challengeName = rounds.at(-1)?.challengeName === 'SRP_A' ? 'PASSWORD_VERIFIER' : 'CUSTOM_CHALLENGE';
    return event;
  },
  async CreateAuthChallenge(event) {
    event.response.publicChallengeParameters = { question };
    event.response.privateChallengeParameters = { answer: 'Paris' };
    event.response.challengeMetadata = 'GEOGRAPHY';
    return event;
  },
  async VerifyAuthChallengeResponse(event) {
    const { privateChallengeParameters, challengeAnswer } = event.request;
    event.response.answerCorrect = privateChallengeParameters.answer === challengeAnswer;
    return event;
  },
  async TokenGeneration(event) {
    const claimsToAddOrOverride = { tenant: { id: 7 } };
    event.response = { claimsAndScopeOverrideDetails: { accessTokenGeneration: { claimsToAddOrOverride } } };
    return event;
  },
  async UserMigration(event) {
    if (event.request.password !== 'Old-Horse-1') throw new Error('Bad password');
    event.response.userAttributes = { email: 'old@example.com', email_verified: 'true' };
    event.response.finalUserStatus = 'CONFIRMED';
    event.response.messageAction = 'SUPPRESS';
    return event;
  },
};

/** Serves the handlers like the Lambda runtime interface emulator. */
async function emulator() {
  const server = createServer(async (request, response) => {
    assert.equal(request.url, '/2015-03-31/functions/function/invocations');
    const event = await new Response(request).json();
    const [name] = event.triggerSource.split('_');
    const result = await handlers[name](event, {}).catch(error => ({
      errorType: error.name, errorMessage: error.message, trace: [],
    }));
    response.end(JSON.stringify(result));
  });
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${server.address().port}`;
}

const url = await emulator();
const functions = ['pre_sign_up', 'define_auth_challenge', 'create_auth_challenge', 'verify_auth_challenge_response',
  'user_migration'].map(word => `${word} = "${url}"\n`).join('');
const pool = await Pool.start('default', `[aws_cognito_user_pool.lambda_config]\n${functions}
pre_token_generation_config = { lambda_arn = "${url}", lambda_version = "V2_0" }\n`);
const password = 'Correct-Horse-1';

await counted('amazon-cognito-identity-js, functions', async step => {
  const app = new CognitoUserPool({ UserPoolId: pool.id, ClientId: pool.clientId, endpoint: `${pool.endpoint}/` });
  const email = new CognitoUserAttribute({ Name: 'email', Value: 'jane@example.com' });
  await step('a function confirms users at sign-up', async () => {
    const result = await new Promise((resolve, reject) =>
      app.signUp('jane', password, [email], null, (error, done) => (error ? reject(error) : resolve(done))));
    assert.equal(result.userConfirmed, true);
  });
  for (const withPassword of [false, true]) {
    const how = withPassword ? 'with the password first' : 'without a password';
    await step(`custom sign-in ${how}`, async () => {
      const session = await custom(app, withPassword, 'Paris');
      assert.deepEqual(session.getAccessToken().payload.tenant, { id: 7 });
    });
    await step(`a wrong answer ${how} does not sign in`, () =>
      refused(custom(app, withPassword, 'Rome'), 'NotAuthorizedException'));
  }
  await step('a wrong password leads to no challenge', () =>
    refused(custom(app, true, 'Paris', 'Wrong-Horse-1'), 'NotAuthorizedException'));
});

await counted('Amplify, functions', async step => {
  const Cognito = {
    userPoolId: pool.id, userPoolClientId: pool.clientId, userPoolEndpoint: `${pool.endpoint}/`,
  };
  Amplify.configure({ Auth: { Cognito } });
  const kept = new Map();
  cognitoUserPoolsTokenProvider.setKeyValueStorage({
    setItem: async (key, value) => void kept.set(key, value),
    getItem: async key => kept.get(key) ?? null,
    removeItem: async key => void kept.delete(key),
    clear: async () => kept.clear(),
  });
  for (const authFlowType of ['CUSTOM_WITHOUT_SRP', 'CUSTOM_WITH_SRP']) {
    await step(`${authFlowType} signs in`, async () => {
      const secret = authFlowType === 'CUSTOM_WITH_SRP' ? { password } : {};
      const { nextStep } = await signIn({ username: 'jane', ...secret, options: { authFlowType } });
      assert.equal(nextStep.signInStep, 'CONFIRM_SIGN_IN_WITH_CUSTOM_CHALLENGE');
      assert.equal(nextStep.additionalInfo.question, question);
      assert.equal(nextStep.additionalInfo.answer, undefined);
      const { isSignedIn } = await confirmSignIn({ challengeResponse: 'Paris' });
      assert.equal(isSignedIn, true);
    });
    await step(`${authFlowType}: the function also changes refreshed tokens`, async () => {
      const { tokens } = await fetchAuthSession({ forceRefresh: true });
      assert.deepEqual(tokens.accessToken.payload.tenant, { id: 7 });
      await signOut();
    });
  }
  const options = { authFlowType: 'USER_PASSWORD_AUTH' };
  await step('an unknown user is rejected with the message of the function', async () => {
    const error = await refused(
      signIn({ username: 'old', password: 'New-Horse-1', options }), 'UserLambdaValidationException');
    assert.equal(error.message, 'UserMigration failed with error Bad password.');
  });
  await step('a migrated user signs in', async () => {
    const { isSignedIn } = await signIn({ username: 'old', password: 'Old-Horse-1', options });
    assert.equal(isSignedIn, true);
    await signOut();
  });
  await step('the migrated user then signs in by SRP', async () => {
    const { isSignedIn } = await signIn({ username: 'old', password: 'Old-Horse-1' });
    assert.equal(isSignedIn, true);
  });
});
pool.stop();
// Amplify keeps timers for minutes.
process.exit();

function custom(app, withPassword, answer, Password = password) {
  const user = new CognitoUser({ Username: 'jane', Pool: app });
  user.setAuthenticationFlowType('CUSTOM_AUTH');
  const details = new AuthenticationDetails({ Username: 'jane', Password });
  return new Promise((resolve, reject) => {
    const callbacks = {
      onSuccess: resolve,
      onFailure: reject,
      customChallenge(parameters) {
        assert.equal(parameters.question, question);
        user.sendCustomChallengeAnswer(answer, callbacks);
      },
    };
    if (withPassword) user.authenticateUser(details, callbacks);
    else user.initiateAuth(details, callbacks);
  });
}
