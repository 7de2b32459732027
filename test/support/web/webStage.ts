import { mkdir, readdir } from 'node:fs/promises';
import { ulid } from 'ulid';
import type { Actor } from '../../../src/access/actor.ts';
import { uploadPass } from '../../../src/archive/uploadPass.ts';
import { PreavisError } from '../../../src/core/errors.ts';
import { makeIds, type CallId, type RecordingId } from '../../../src/core/ids.ts';
import { parseConfig } from '../../../src/config/load.ts';
import type { Role } from '../../../src/config/roles.ts';
import type { ObjectStore } from '../../../src/store/store.ts';
import { makeServices } from '../../../src/services/services.ts';
import { startWeb, type WebServer } from '../../../src/web/server.ts';
import type { AccessPort, WebPorts } from '../../../src/web/ports.ts';
import { archiveStage, type ArchiveStage } from '../archive/archiving.ts';
import { aRequest, callStart, configTree, someFacts } from '../call/calls.ts';
import type { catalogues } from '../catalogue/catalogues.ts';

/** A server on loopback, with calls that are archived, and people who may come in. */

/** Who is let in, by their tokens and sessions; a test adds and removes them. */
type Door = AccessPort & { tokens: Map<string, Actor>; sessions: Map<string, Actor> };

export const actorOf = (role: Role, over: Partial<Actor> = {}): Actor => ({
  name: `user:${role}`,
  role,
  lines: undefined,
  extensions: undefined,
  purposes: undefined,
  ...over,
});

function makeDoor(): Door {
  const tokens = new Map<string, Actor>();
  const sessions = new Map<string, Actor>();

  return {
    tokens,
    sessions,
    actorOf: ({ token, session }) => Promise.resolve(tokens.get(token ?? '') ?? sessions.get(session ?? '')),
    knownBrowser: () => undefined,
    signInByCode: () => Promise.reject(new PreavisError('sign_in_refused', 'there is no such code')),
    signIn: ({ user, password }) => {
      const actor = tokens.get(user);
      if (actor === undefined || password !== 'right') {
        return Promise.reject(new PreavisError('sign_in_refused', 'user, password or code is wrong'));
      }
      sessions.set('secret-of-session', actor);

      return Promise.resolve({ actor, secret: 'secret-of-session', until: Date.UTC(2027, 0, 1), browser: 'known' });
    },
    signOut: (session) => {
      sessions.delete(session);

      return Promise.resolve();
    },
  };
}

type Asking = { method?: string; headers?: Readonly<Record<string, string>>; body?: string };

export type WebStage = {
  set: ArchiveStage;
  door: Door;
  ports: WebPorts;
  server: WebServer;
  /** Asks as whoever has this token; none: as nobody. */
  ask: (path: string, token?: string, how?: Asking) => Promise<Response>;
  /** The JSON of an answer of 200. */
  json: (path: string, token: string, how?: Asking) => Promise<Record<string, unknown>>;
  /** What lies where files are made that are handed out. */
  leftFiles: () => Promise<string[]>;
  archived: (purposes?: readonly string[], wav?: Buffer) => Promise<{ id: RecordingId; call: CallId; wav: Buffer }>;
};

const ratingForm = { greeting: { label: 'Greeting' }, closing: { label: { en: 'Closing', fr: 'Fin' }, points: 3 } };

/** Coaches may hear what is for training; legal and officers what is for agreements, too. */
export function webTree(): Record<string, unknown> {
  const tree = configTree() as { purposes: Record<string, Record<string, unknown>> };
  Object.assign(tree.purposes['training'] ?? {}, { mayListen: ['coach', 'officer', 'operator', 'auditor'] });
  Object.assign(tree.purposes['agreement'] ?? {}, { mayListen: ['legal', 'officer'], holdsAllowed: true });

  return { ...tree, privacy: { hashKey: 'k'.repeat(32) }, annotation: { rating: ratingForm } };
}

const policy = (tree: Record<string, unknown>): string => {
  const { purposes } = tree as { purposes: Record<string, Record<string, unknown>> };
  const stored = Object.entries(purposes).map(([name, { justification, legalBasis, keepDays }]) => [
    name,
    { justification, legalBasis, keepDays },
  ]);

  return JSON.stringify({ purposes: Object.fromEntries(stored) as unknown });
};

let ordered = 0;

export async function webStage(
  folder: string,
  open: ReturnType<typeof catalogues>,
  change: { store?: (set: ArchiveStage) => ObjectStore; ports?: Partial<WebPorts> } = {},
): Promise<WebStage> {
  await mkdir(folder, { recursive: true });
  const made = await archiveStage(folder, open);
  const set = { ...made, store: change.store?.(made) ?? made.store };
  const tree = webTree();
  await set.catalogue.calls.savePolicy('policy-1', policy(tree));
  const door = makeDoor();
  const config = change.ports?.config ?? parseConfig({ ...tree, catalogue: { file: `${folder}/catalogue.db` } });
  const { catalogue, clock, log } = set;
  const ports: WebPorts = {
    ...makeServices({ config, catalogue, clock, log, actor: 'web' }),
    store: set.store,
    spoolFolder: set.spoolFolder,
    ids: makeIds(),
    webKey: 'k'.repeat(43),
    version: '0.0.0',
    check: () => Promise.resolve([]),
    access: door,
    ask: () => Promise.reject(new PreavisError('code_not_done', 'no serve is connected to Asterisk')),
    ...change.ports,
  };
  const server = await startWeb(ports, { host: '127.0.0.1', port: 0 });
  const ask: WebStage['ask'] = (path, token, how = {}) =>
    fetch(`${server.url}/api/v1${path}`, {
      ...how,
      headers: { ...(token === undefined ? {} : { authorization: `Bearer ${token}` }), ...how.headers },
    });

  return {
    set,
    door,
    ports,
    server,
    ask,
    json: async (path, token, how) => {
      const answer = await ask(path, token, how);
      const text = await answer.text();
      if (!answer.ok) throw new Error(`${answer.status}: ${text}`);

      return JSON.parse(text) as Record<string, unknown>;
    },
    leftFiles: () => readdir(`${folder}/web-files`),
    archived: async (purposes = ['training'], wav) => {
      const request = { ...aRequest(), purposes, line: purposes.includes('agreement') ? 'orders' : 'default' };
      // Ids of the time of the call: a recording that seems to be made later is kept longer.
      const { order } = someFacts(makeIds(() => ulid(callStart + (ordered += 1))));
      const shape = { request, order: { ...order, request } };
      const { id, facts, wav: bytes } = await set.finished(wav, { shape });
      await uploadPass(set, { waitMs: 0, signal: new AbortController().signal, all: true });

      return { id, call: facts.id, wav: bytes };
    },
  };
}
