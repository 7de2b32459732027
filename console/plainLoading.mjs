const helperId = '\0vite/preload-helper.js';

/**
 * Fetches later pages and languages by `import()` alone. Vite's helper first fetches what they import, which is there: all of it is the first
 * file, and there is one style sheet.
 */
export function plainLoading() {
  return {
    name: 'plain-loading',
    enforce: 'pre',
    load: (id) => (id === helperId ? 'export const __vitePreload = (fetched) => fetched();' : undefined),
  };
}
