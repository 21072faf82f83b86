import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

export default defineConfig({
  plugins: [react()],
  // identity-js asks for Node's name of it.
  define: { global: 'globalThis' },
  // The API is at the page's own origin, so that no browser has to ask whether it may be called.
  server: { host: 'localhost', strictPort: true, proxy: { '/api': process.env.API ?? 'http://127.0.0.1:3000' } },
});
