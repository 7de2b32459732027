import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';
import { messagesInOrder } from './messagesInOrder.mjs';
import { plainLoading } from './plainLoading.mjs';
import { waveformAlone } from './waveformAlone.mjs';

const folder = (path) => fileURLToPath(new URL(path, import.meta.url));

/** Languages, and pages that are fetched when somebody goes there. */
const fetchedLater = /\/src\/(approvals|audit|messages|persons|retention)\//;

export default defineConfig({
  root: folder('.'),
  base: '/',
  plugins: [
    messagesInOrder(folder('src/messages/')),
    waveformAlone(folder('../node_modules/wavesurfer.js/dist/')),
    plainLoading(),
  ],
  // All that is fetched has an address of its own: the policy of contents (CSP) lets nothing in that stands within the page.
  build: {
    emptyOutDir: true,
    assetsInlineLimit: 0,
    target: 'es2022',
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rolldownOptions: {
      checks: { pluginTimings: false },
      // All that is not fetched later is one file: in several it is longer, as it is sent.
      output: { codeSplitting: { groups: [{ name: 'console', test: (id) => !fetchedLater.test(id) }] } },
    },
    // The licences of what is built in.
    license: { fileName: 'licenses.md' },
  },
  // An element is a call with its children behind it, and not an object of a list: so it is shorter, as it is sent.
  oxc: {
    jsx: { runtime: 'classic', pragma: 'jsxElement', pragmaFrag: 'jsxGroup' },
    jsxInject: `import { h as jsxElement, Fragment as jsxGroup } from 'preact';`,
  },
  logLevel: 'warn',
});
