import { useState } from 'react';

import { Api } from './Api.jsx';
import { code, Form, newPassword, password, username } from './Form.jsx';
import { poolEndpoint } from './settings.js';
import { useCognito } from './useCognito.js';

/** Signs in with the app's own forms, through amazon-cognito-identity-js. */
export function Own() {
  const cognito = useCognito();
  return (
    <>
      <h1>Sign in with this app's own forms</h1>
      <p className="message" role="status">{cognito.message}</p>
      <Step cognito={cognito} />
    </>
  );
}

function Step({ cognito }) {
  const [isNew, setIsNew] = useState(false);
  switch (cognito.step) {
    case 'restore':
      return <p>One moment…</p>;
    case 'signIn':
      return isNew ? (
        <Form
          key="up" title="Sign up" submit="Sign up" onSubmit={async values => { await cognito.signUp(values); setIsNew(false); }}
          fields={[username, { name: 'email', label: 'E-mail', type: 'email', autoComplete: 'email' }, newPassword]}
        >
          <button type="button" className="quiet" onClick={() => setIsNew(false)}>I have an account</button>
        </Form>
      ) : (
        <Form
          key="in" title="Sign in" submit="Sign in" onSubmit={cognito.signIn}
          fields={[{ ...username, defaultValue: cognito.username }, password]}
        >
          <button type="button" className="quiet" onClick={() => setIsNew(true)}>I am new here</button>
        </Form>
      );
    case 'confirm':
      return (
        <Form
          key="confirm" title="Confirm your address" submit="Confirm" fields={[{ ...code, hint: <Messages /> }]}
          onSubmit={values => cognito.confirm({ ...values, username: cognito.username })}
        >
          <button type="button" className="quiet" onClick={() => cognito.resend(cognito.username)}>Send another</button>
        </Form>
      );
    case 'newPassword':
      return (
        <Form
          key="new" title="Choose a password" submit="Set password" fields={[newPassword]}
          onSubmit={cognito.chooseNewPassword}
        >
          <button type="button" className="quiet" onClick={cognito.startOver}>Cancel</button>
        </Form>
      );
    case 'totp':
      return (
        <Form
          key="totp" title="Enter the code of your authenticator" submit="Continue" fields={[code]}
          onSubmit={cognito.answerTotp}
        >
          <button type="button" className="quiet" onClick={cognito.startOver}>Cancel</button>
        </Form>
      );
    default:
      return (
        <>
          <Account cognito={cognito} />
          <Api accessToken={cognito.accessToken} />
        </>
      );
  }
}

function Account({ cognito }) {
  const [secret, setSecret] = useState(null);
  const { username, attributes, hasTotp } = cognito;
  return (
    <>
      <section className="card" aria-labelledby="account">
        <h2 id="account">Signed in as {username}</h2>
        <dl>
          <dt>E-mail</dt>
          <dd>{attributes.email} {attributes.email_verified === 'true' ? '(verified)' : '(not verified)'}</dd>
          <dt>Second factor</dt>
          <dd>{hasTotp ? 'Authenticator app' : 'None'}</dd>
        </dl>
        <div className="row">
          <button type="button" onClick={cognito.signOut}>Sign out</button>
          {!hasTotp && !secret && (
            <button type="button" className="quiet" onClick={async () => setSecret(await cognito.setUpTotp())}>
              Set up an authenticator
            </button>
          )}
        </div>
      </section>
      {!hasTotp && secret && (
        <Form
          title="Set up an authenticator" submit="Verify" onSubmit={cognito.confirmTotp}
          fields={[{ ...code, hint: <>Type this secret into your app: <code data-testid="secret">{secret}</code></> }]}
        >
          <button type="button" className="quiet" onClick={() => setSecret(null)}>Cancel</button>
        </Form>
      )}
    </>
  );
}

function Messages() {
  return <>The local pool sends no messages. It shows them on <a href={`${poolEndpoint}/_local/`}>its own page</a>.</>;
}
