import { useState } from 'react';

/** Calls the API with the user's token, and shows the response. If the token is rejected, retries with a new one. */
export function Api({ accessToken }) {
  const [answer, setAnswer] = useState(null);

  const call = async path => {
    setAnswer({ path, text: 'Asking…' });
    try {
      const send = token => fetch(path, { headers: { authorization: `Bearer ${token}` } });
      let response = await send(await accessToken());
      if (response.status === 401) response = await send(await accessToken({ fresh: true }));
      const body = await response.json();
      setAnswer({ path, status: response.status, text: JSON.stringify(body, null, 2) });
    } catch (error) {
      setAnswer({ path, text: error.message });
    }
  };

  return (
    <section className="card" aria-labelledby="api">
      <h2 id="api">Call the API</h2>
      <div className="row">
        <button type="button" onClick={() => call('/api/me')}>Who am I?</button>
        <button type="button" className="quiet" onClick={() => call('/api/admin')}>For admins</button>
      </div>
      <div role="status" data-testid="answer">
        {answer && (
          <>
            <p><code>GET {answer.path}</code>{answer.status && <> <strong>{answer.status}</strong></>}</p>
            <pre>{answer.text}</pre>
          </>
        )}
      </div>
    </section>
  );
}
