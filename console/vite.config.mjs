import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';
import { messagesInOrder } from './messagesInOrder.mjs';

const folder = (path) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  root: folder('.'),
  base: '/',
  plugins: [messagesInOrder(folder('src/messages/'))],
  // All that is fetched has an address of its own: the policy of contents (CSP) lets nothing in that stands within the page.
  build: {
    emptyOutDir: true,
    assetsInlineLimit: 0,
    target: 'es2022',
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rolldownOptions: { checks: { pluginTimings: false } },
    // The licences of what is built in.
    license: { fileName: 'licenses.md' },
  },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  logLevel: 'warn',
});
