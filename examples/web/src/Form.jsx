import { useEffect, useId, useRef, useState } from 'react';

/** A form that shows the error of its submission, and is disabled while it is sent. `fields` are inputs with a `label`. */
export function Form({ title, fields, submit, onSubmit, children }) {
  const [error, setError] = useState(null);
  const [busy, setBusy] = useState(false);
  const heading = useRef(null);
  const id = useId();

  // Moves the focus to the heading of a new form, so that screen readers announce it.
  useEffect(() => heading.current.focus(), [title]);

  const send = async event => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      await onSubmit(Object.fromEntries(new FormData(event.target)));
    } catch (failure) {
      setError(failure.message ?? String(failure));
    } finally {
      setBusy(false);
    }
  };

  return (
    <form className="card" onSubmit={send} aria-labelledby={id}>
      <h2 id={id} tabIndex="-1" ref={heading}>{title}</h2>
      {error && <p className="error" role="alert">{error}</p>}
      {fields.map(({ label, hint, ...input }) => (
        <div className="field" key={input.name}>
          <label htmlFor={`${id}-${input.name}`}>{label}</label>
          <input
            id={`${id}-${input.name}`} required
            aria-describedby={hint ? `${id}-${input.name}-hint` : undefined} {...input}
          />
          {hint && <small id={`${id}-${input.name}-hint`}>{hint}</small>}
        </div>
      ))}
      <div className="row">
        <button type="submit" disabled={busy}>{busy ? 'One moment…' : submit}</button>
        {children}
      </div>
    </form>
  );
}

export const username = { name: 'username', label: 'User name', autoComplete: 'username', autoCapitalize: 'none' };
export const password = {
  name: 'password', label: 'Password', type: 'password', autoComplete: 'current-password',
};
export const newPassword = {
  ...password, label: 'New password', autoComplete: 'new-password',
  hint: 'At least eight characters, with upper and lower case, a number and a symbol.',
};
export const code = {
  name: 'code', label: 'Code', inputMode: 'numeric', autoComplete: 'one-time-code', pattern: '[0-9]{6}', maxLength: 6,
};
