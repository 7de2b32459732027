/** The API, and where it is asked for the console too, on a catalogue of many calls: for what measures how soon they answer. */
import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Actor } from '../src/access/actor.ts';
import { openCatalogue } from '../src/catalogue/catalogue.ts';
import { parseConfig } from '../src/config/load.ts';
import { PreavisError } from '../src/core/errors.ts';
import { makeIds } from '../src/core/ids.ts';
import { makeLog } from '../src/core/log.ts';
import { makeDirectoryStore } from '../src/store/directory/store.ts';
import { makeServices } from '../src/services/services.ts';
import type { ConsoleFiles } from '../src/web/console.ts';
import { startWeb } from '../src/web/server.ts';
import { fillCatalogue, hashKey } from './largeCatalogue.ts';

export const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

/** Makes a catalogue of so many calls in this folder, or uses the one that is there. */
async function madeCatalogue(folder: string, calls: number): Promise<string> {
  await mkdir(folder, { recursive: true });
  const file = join(folder, 'catalogue.db');
  if (existsSync(file)) return file;
  say(`making a catalogue of ${calls} calls`);
  // What was interrupted is no catalogue of so many.
  const unfinished = join(folder, 'unfinished.db');
  await rm(unfinished, { force: true });
  fillCatalogue(unfinished, calls, ['north', 'south', 'centre']);
  await rename(unfinished, file);

  return file;
}

const purpose = (kind: string, mayListen: readonly string[]): Record<string, unknown> => ({
  names: { fr: 'x', nl: 'x', de: 'x', en: 'x' },
  justification: 'A purpose of the benchmark, of no use elsewhere.',
  legalBasis: 'GDPR art. 6(1)(c)',
  jurisdiction: 'other',
  kind,
  consent: 'announce',
  keepDays: 393,
  mayListen,
});

const label = (text: string): Record<string, string> => ({ fr: text, nl: text, de: text, en: text });

/** Of everything that the role sees. */
export const actorOf = (role: Actor['role']): Actor => ({
  name: `token:${role}`,
  role,
  lines: undefined,
  extensions: undefined,
  purposes: undefined,
});

export type LargeWeb = { url: string; stop(): Promise<void> };

/**
 * @param actors by the token, or the secret of the session, that they come with
 * @param at ms since 1970 UTC: what the clock says at first. It goes on: how long a page may look is measured by it
 */
export async function startLargeWeb(
  folder: string,
  calls: number,
  { actors, at, console }: { actors: Readonly<Record<string, Actor>>; at: number; console?: ConsoleFiles | undefined },
): Promise<LargeWeb> {
  const config = parseConfig({
    purposes: {
      training: { ...purpose('training', ['coach', 'officer']), keepDays: 28 },
      agreement: purpose('evidence', ['legal', 'officer']),
      obligation: purpose('obligation', ['officer']),
    },
    lines: { default: { purposes: ['training'], defaultLanguages: ['fr'] } },
    annotation: { rating: { greeting: { label: label('Greeting'), points: 5 } } },
    privacy: { hashKey },
  });
  const file = await madeCatalogue(folder, calls);
  const began = Date.now();
  // It goes on: how long a page may look is measured by it.
  const clock = { now: () => at + Date.now() - began };
  const catalogue = openCatalogue(file, clock);
  const server = await startWeb(
    {
      ...makeServices({ config, catalogue, clock, log: makeLog('warn'), actor: 'bench' }),
      version: '0.0.0',
      check: () => Promise.resolve([]),
      store: makeDirectoryStore({ folder: join(folder, 'archive') }),
      spoolFolder: folder,
      ids: makeIds(),
      webKey: 'k'.repeat(43),
      access: {
        actorOf: ({ token, session }) => Promise.resolve(actors[token ?? session ?? '']),
        signIn: () => Promise.reject(new PreavisError('sign_in_refused', 'nobody signs in')),
        signInByCode: () => Promise.reject(new PreavisError('sign_in_refused', 'nobody signs in')),
        knownBrowser: () => undefined,
        signOut: () => Promise.resolve(),
      },
      ask: () => Promise.reject(new PreavisError('code_not_done', 'nothing goes on')),
    },
    { host: '127.0.0.1', port: 0, requestsPerMinute: 1_000_000, console },
  );

  return {
    url: server.url,
    stop: async () => {
      await server.stop();
      catalogue.close();
    },
  };
}
