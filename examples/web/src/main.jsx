import { StrictMode, useCallback, useEffect, useState } from 'react';
import { createRoot } from 'react-dom/client';

import './style.css';
import { Callback, Hosted } from './Hosted.jsx';
import { Own } from './Own.jsx';

function App() {
  const [path, setPath] = useState(location.pathname);
  const go = useCallback(to => {
    history.replaceState(null, '', to);
    setPath(to);
  }, []);
  useEffect(() => {
    const back = () => setPath(location.pathname);
    addEventListener('popstate', back);
    return () => removeEventListener('popstate', back);
  }, []);
  const isHosted = path === '/hosted' || path === '/callback';
  return (
    <>
      <header>
        <nav aria-label="Ways to sign in">
          <a href="/" aria-current={isHosted ? undefined : 'page'}>Own forms</a>
          <a href="/hosted" aria-current={isHosted ? 'page' : undefined}>Hosted pages</a>
        </nav>
      </header>
      <main>
        {path === '/callback' ? <Callback go={go} /> : isHosted ? <Hosted /> : <Own />}
      </main>
    </>
  );
}

createRoot(document.getElementById('root')).render(<StrictMode><App /></StrictMode>);
