import { useEffect, useState } from 'react';

import { Api } from './Api.jsx';
import { finishSignIn, useHosted } from './useHosted.js';

/** Signs in at the pool's hosted pages. */
export function Hosted() {
  const { step, message, profile, signIn, signOut, accessToken } = useHosted();
  return (
    <>
      <h1>Sign in at the hosted pages</h1>
      <p className="message" role="status">{message}</p>
      {step === 'signIn' && (
        <section className="card">
          <p>The hosted pages ask for the password, and for a second factor if it is set up. This page receives neither.</p>
          <div className="row"><button type="button" onClick={signIn}>Go to the hosted pages</button></div>
        </section>
      )}
      {step === 'done' && (
        <>
          <section className="card" aria-labelledby="account">
            <h2 id="account">Signed in as {profile['cognito:username']}</h2>
            <dl>
              <dt>E-mail</dt>
              <dd>{profile.email} {profile.email_verified ? '(verified)' : '(not verified)'}</dd>
            </dl>
            <div className="row"><button type="button" onClick={signOut}>Sign out</button></div>
          </section>
          <Api accessToken={accessToken} />
        </>
      )}
    </>
  );
}

const unknownSignIn = 'This sign-in cannot be completed: it is already completed, or was started in another browser.';

/** The page to which the hosted pages redirect the browser after the sign-in. */
export function Callback({ go }) {
  const [error, setError] = useState(null);
  useEffect(() => {
    finishSignIn().then(() => go('/hosted'), failure => setError(failure.error_description ?? unknownSignIn));
  }, [go]);
  return (
    <>
      <h1>Signing in</h1>
      {error
        ? <><p className="error" role="alert">{error}</p><p><a href="/hosted">Try again</a></p></>
        : <p role="status">One moment…</p>}
    </>
  );
}
