import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

export default defineConfig({
  plugins: [react()],
  // amazon-cognito-identity-js uses `global`, which exists only in Node.js.
  define: { global: 'globalThis' },
  // The page and the API have the same origin, so no CORS is needed.
  server: { host: 'localhost', strictPort: true, proxy: { '/api': process.env.API ?? 'http://127.0.0.1:3000' } },
});
