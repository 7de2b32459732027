/**
 * The build: each command's modules, with those of its packages, in a few files below dist/. A command that loads a thousand modules one
 * by one is busy with that for half a second, and `serve` at its start for a whole one.
 */
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';

const root = fileURLToPath(new URL('.', import.meta.url));

/** For packages of CommonJS, which ask for Node's own modules by `require`. */
const requireForPackages = [
  "import { createRequire as requireMadeBy } from 'node:module';",
  'const require = requireMadeBy(import.meta.url);',
].join(' ');

/** How a module becomes files that Node runs, below `outdir`. */
export function bundle({ entryPoints, outdir, write = true }) {
  return buildSync({
    absWorkingDir: root,
    entryPoints,
    outdir,
    write,
    outbase: 'src',
    bundle: true,
    // A module that several commands need is in one file, and what a command does not need is not loaded with it.
    splitting: true,
    chunkNames: 'parts/[name]-[hash]',
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    // It assigns to variables that it declares nowhere, which no module of ECMAScript may.
    external: ['ari-client'],
    banner: { js: requireForPackages },
    sourcemap: true,
    sourcesContent: false,
    legalComments: 'eof',
    metafile: true,
    logLevel: 'warning',
  });
}

/** What `preavis` is made of: the command, and the programs of the threads that listen to recordings and count them. */
export const product = {
  entryPoints: ['src/main.ts', 'src/audio/selfCheckWorker.ts', 'src/catalogue/figuresWorker.ts'],
  outdir: 'dist',
};

/** The console: pages, scripts and styles below `outDir`, as `preavis web` serves them. */
export async function buildConsole(outDir) {
  // Of a test run (NODE_ENV=test) it would be larger, and another one than what is installed.
  process.env.NODE_ENV = 'production';
  // Tests bundle modules by this file, and need no Vite.
  const { build } = await import('vite');
  const configFile = fileURLToPath(new URL('console/vite.config.mjs', import.meta.url));
  await build({ configFile, build: { outDir } });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  rmSync(new URL('dist', import.meta.url), { recursive: true, force: true });
  bundle(product);
  await buildConsole(fileURLToPath(new URL('dist/console', import.meta.url)));
}
