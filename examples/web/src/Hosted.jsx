import { useEffect, useState } from 'react';

import { Api } from './Api.jsx';
import { finishSignIn, useHosted } from './useHosted.js';

/** The pool's hosted pages do the work. */
export function Hosted() {
  const { step, message, profile, signIn, signOut, accessToken } = useHosted();
  return (
    <>
      <h1>Sign in at the hosted pages</h1>
      <p className="message" role="status">{message}</p>
      {step === 'signIn' && (
        <section className="card">
          <p>The pool asks for the password, and for a second factor if there is one. This page never sees either.</p>
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

const unfinished = 'This sign-in cannot be finished: it was finished before, or began in another browser.';

/** Where the hosted pages send the browser back to. */
export function Callback({ go }) {
  const [error, setError] = useState(null);
  useEffect(() => {
    finishSignIn().then(() => go('/hosted'), failure => setError(failure.error_description ?? unfinished));
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
