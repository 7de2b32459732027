/** What somebody has decided to erase, and what cannot be erased yet: from then on nobody hears it by reason of a purpose, and it is told. */
import { Readable } from 'node:stream';
import { jest } from '@jest/globals';
import { fetchRecording } from '../../../src/archive/fetch.ts';
import { PreavisError } from '../../../src/core/errors.ts';
import type { ObjectStore } from '../../../src/store/store.ts';
import { readCertificate } from '../../../src/retention/certificates/certificate.ts';
import { retentionPass } from '../../../src/retention/pass.ts';
import { catalogues, dayMs } from '../../support/catalogue/catalogues.ts';
import { makeCallerHash } from '../../../src/call/plan/preferences.ts';
import { toneWav } from '../../support/policy/promptFolder.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';
import { actorOf, webStage, type WebStage } from '../../support/web/webStage.ts';

const folder = temporaryFolder();
const open = catalogues();
const stages: WebStage[] = [];
const never = new AbortController().signal;
const hourMs = 3_600_000;
const number = '0475 12 34 56';

afterEach(async () => {
  jest.restoreAllMocks();
  await Promise.all(stages.splice(0).map(({ server }) => server.stop()));
});

async function stage(store?: (set: WebStage['set']) => ObjectStore): Promise<WebStage> {
  const here = await webStage(folder.path(`${Math.random()}`), open, store === undefined ? {} : { store });
  stages.push(here);
  const roles = { anna: 'coach', lea: 'legal', olga: 'officer', otto: 'operator', aude: 'auditor' } as const;
  for (const [name, role] of Object.entries(roles)) here.door.tokens.set(name, actorOf(role, { name: `user:${name}` }));

  return here;
}

async function post(here: WebStage, path: string, body: unknown, who = 'olga') {
  const answer = await here.ask(path, who, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

  return { status: answer.status, body: await answer.text() };
}

/** The archive does not erase for as long as this is not called. */
function keptFromErasing({ ports }: WebStage): () => void {
  const erase = jest.spyOn(ports.store, 'erase');
  erase.mockRejectedValue(new PreavisError('archive_unreachable', 'it is away'));

  return () => {
    erase.mockRestore();
  };
}

const pass = ({ ports }: WebStage) =>
  retentionPass(
    {
      ...ports,
      atOnce: 1,
      certificatesKeptMs: 1_000 * dayMs,
      callersKeptMs: 1_000 * dayMs,
      dialledKeptMs: 0,
      tracesKeptMs: 1_000 * dayMs,
    },
    { dryRun: false, clockIsRight: true, waitMs: 0, signal: never },
  );

/** What each may be given of a recording: sound, its picture, a file, a bundle, a selection. */
async function given(here: WebStage, id: string, who: string): Promise<number[]> {
  const statuses = [];
  for (const path of ['audio', 'audio?download=true', 'peaks']) {
    const answer = await here.ask(`/recordings/${id}/${path}`, who);
    await answer.arrayBuffer();
    statuses.push(answer.status);
  }
  for (const [path, body] of [
    [`/recordings/${id}/evidence`, {}],
    ['/selections', { recordings: [id] }],
  ] as const) {
    statuses.push((await post(here, path, body, who)).status);
  }

  return statuses;
}

describe.each([
  [
    'an officer',
    'decided',
    (here: WebStage, id: string) => post(here, `/recordings/${id}/erasure`, { ground: 'unlawful' }),
  ],
  ['the request of a person', 'subject', (here: WebStage) => post(here, '/persons/erase', { number })],
])('a recording that %s has decided to erase while the archive does not', (_, rule, decide) => {
  async function decided() {
    const here = await stage();
    const { id, call } = await here.archived();
    const hash = makeCallerHash('k'.repeat(32), 'BE')(number) ?? '';
    await here.set.catalogue.callers.keep({ call, hash, sealed: null });
    expect(await given(here, id, 'olga')).toEqual([200, 200, 200, 200, 200]);
    const comesBack = keptFromErasing(here);
    await decide(here, id);
    expect((await here.set.catalogue.recordings.find(id))?.status).toBe('archived');

    return { here, id, comesBack };
  }

  test('is neither heard nor given away by anybody from then on', async () => {
    const { here, id } = await decided();
    expect(await given(here, id, 'olga')).toEqual([403, 403, 403, 403, 403]);
    for (const who of ['otto', 'aude']) expect(await given(here, id, who)).toEqual([403, 403, 403, 403, 403]);
    // They see what a purpose of theirs keeps alone.
    expect(await given(here, id, 'anna')).toEqual([404, 403, 404, 403, 403]);
    expect(await given(here, id, 'lea')).toEqual([404, 404, 404, 404, 404]);
    const copy = { id, purpose: 'training', target: { file: folder.path(`${id}.wav`), replace: false } };
    const fetching = fetchRecording(
      { ...here.ports, holdsAllowed: () => true },
      { ...copy, progress: () => undefined, signal: never },
    );
    await expect(fetching).rejects.toMatchObject({ code: 'purpose_over' });
  });

  test('is told as decided in lists and on its page, and is due at once', async () => {
    const { here, id, comesBack } = await decided();
    const erasureDecided = new Date(here.set.clock.at).toISOString();
    const shown = { id, status: 'archived', erasureDecided, purposes: [{ purpose: 'training', inForce: false }] };
    expect(await here.json(`/recordings/${id}`, 'olga')).toMatchObject({ recording: shown });
    expect(await here.json('/calls', 'olga')).toMatchObject({ calls: [{ recording: shown }] });
    expect(await here.json('/retention/due', 'olga')).toMatchObject({ recordings: [shown] });
    expect(await here.json('/retention/overdue', 'olga')).toMatchObject({ recordings: [] });
    here.set.clock.at += 25 * hourMs;
    expect(await here.json('/retention/overdue', 'olga')).toMatchObject({ recordings: [shown] });
    comesBack();
    expect(await pass(here)).toMatchObject({ due: 1, erased: 1 });
    expect(await here.json(`/recordings/${id}`, 'olga')).toMatchObject({
      recording: { status: 'erased', erasureDecided: null },
    });
    const [certificate] = await here.set.catalogue.certificates.of(id);
    expect((await readCertificate(certificate?.jws ?? '')).content.rule.kind).toBe(rule);
  });

  test('counts in alarm, figures and report at once with the code of its failure, and as overdue after a day', async () => {
    const { here, comesBack } = await decided();
    const system = () => here.json('/system', 'otto');
    const due = { decided: 1, failures: [{ code: 'archive_unreachable', recordings: 1 }] };
    const retention = { due: 1, failedErasures: 1, failures: [{ code: 'archive_unreachable', recordings: 1 }] };
    const failing = { alarm: 'erasures_failing', about: null, count: 1 };
    expect(await system()).toMatchObject({ retention: { ...retention, overdue: 0 } });
    expect((await system())['alarms']).toContainEqual(failing);
    expect(await pass(here)).toMatchObject({ due: 1, erased: 0 });
    here.set.clock.at += 25 * hourMs;
    expect(await system()).toMatchObject({ retention: { ...retention, overdue: 1 } });
    expect((await system())['alarms']).toContainEqual({ alarm: 'recordings_overdue', about: null, count: 1 });
    expect((await system())['alarms']).toContainEqual(failing);
    const report = await here.json('/report', 'olga');
    expect(report).toMatchObject({ due: { ...due, held: 0, awaitingPass: 0, overdue: { recordings: 1, untried: 0 } } });
    comesBack();
    await pass(here);
    expect(await system()).toMatchObject({ retention: { due: 0, overdue: 0, failedErasures: 0, failures: [] } });
  });

  test('ends for an older state of the catalogue as well, by the ledger', async () => {
    const { here, id } = await decided();
    const [signed] = await here.set.catalogue.decisions.listBeyond('', 10);
    expect(signed).toMatchObject({ kind: 'purposesShortened', inLedger: true });
    const steps = (await here.set.catalogue.auditTrail.of(id)).filter(({ event }) => event === 'kept shorter');
    expect(steps).toMatchObject([{ actor: 'user:olga', detail: { purpose: 'training', to: here.set.clock.at } }]);
  });
});

test('one whose clocks disagree is due all the same once somebody has decided to erase it', async () => {
  const here = await stage();
  const { id } = await here.archived();
  const doubt = { apartMs: dayMs, endedAt: here.set.clock.at, witnesses: {}, actor: 'serve' };
  await here.set.catalogue.clockDoubts.raise(id, doubt);
  keptFromErasing(here);
  await post(here, `/recordings/${id}/erasure`, { ground: 'unlawful' });
  expect(await here.json('/system', 'otto')).toMatchObject({ retention: { due: 1, failedErasures: 1 } });
  // Whatever is found of its end, the decision stands.
  await here.set.catalogue.clockDoubts.settle(id, here.set.clock.at + 100 * dayMs, 'user:olga');
  expect((await here.ask(`/recordings/${id}/audio`, 'olga')).status).toBe(403);
});

test('a purpose that was over before the decision does not come back with the end that somebody settles', async () => {
  const here = await stage();
  const { id } = await here.archived(['training', 'agreement']);
  const endedAt = here.set.clock.at;
  here.set.clock.at += 30 * dayMs;
  await here.set.catalogue.clockDoubts.raise(id, { apartMs: dayMs, endedAt, witnesses: {}, actor: 'serve' });
  keptFromErasing(here);
  await post(here, `/recordings/${id}/erasure`, { ground: 'unlawful', includeEvidence: true });
  await here.set.catalogue.clockDoubts.settle(id, endedAt + 100 * dayMs, 'user:olga');
  expect((await here.ask(`/recordings/${id}/audio`, 'olga')).status).toBe(403);
  expect((await here.ask(`/recordings/${id}/audio`, 'anna')).status).toBe(404);
  expect(await here.json('/system', 'otto')).toMatchObject({ retention: { due: 1, failedErasures: 1 } });
});

test('who may hear what is held still hears it while a hold that was set meanwhile lasts, and no longer', async () => {
  const here = await stage();
  const { id } = await here.archived(['training', 'agreement']);
  keptFromErasing(here);
  await post(here, `/recordings/${id}/erasure`, { ground: 'unlawful', includeEvidence: true });
  const audio = async (who: string): Promise<number> => (await here.ask(`/recordings/${id}/audio`, who)).status;
  expect([await audio('olga'), await audio('lea'), await audio('anna')]).toEqual([403, 404, 404]);
  const until = new Date(here.set.clock.at + 30 * dayMs).toISOString().slice(0, 10);
  const held = await post(here, `/recordings/${id}/holds`, { ground: 'dispute', reason: 'A court asks', until });
  expect(held.status).toBe(201);
  // Held as evidence for a dispute; training has ended as it was decided.
  expect([await audio('olga'), await audio('lea'), await audio('anna')]).toEqual([200, 200, 404]);
  expect(await here.json('/retention/held', 'olga')).toMatchObject({
    recordings: [{ id, held: true, erasureDecided: new Date(here.set.clock.at).toISOString() }],
  });
  expect(await here.json('/report', 'olga')).toMatchObject({ due: { held: 1, decided: 1 } });
  const { id: hold } = JSON.parse(held.body) as { id: string };
  expect((await here.ask(`/recordings/${id}/holds/${hold}`, 'olga', { method: 'DELETE' })).status).toBe(204);
  expect([await audio('olga'), await audio('lea')]).toEqual([403, 404]);
});

test('nothing is decided where a hold was set just before, and the purposes go on', async () => {
  const here = await stage();
  const { id } = await here.archived(['training', 'agreement']);
  const { catalogue } = here.ports;
  const ask = catalogue.askedErasures.ask.bind(catalogue.askedErasures);
  jest.spyOn(catalogue.askedErasures, 'ask').mockImplementation(async (...asked) => {
    const at = here.set.clock.at;
    const hold = { id: '01K00000000000000000000001' as never, recording: id, ground: 'dispute', reason: 'x' } as const;
    await catalogue.legalHolds.set({ ...hold, author: 'user:olga', reviewAt: at, expiresAt: at + dayMs });

    return ask(...asked);
  });
  const refused = await post(here, `/recordings/${id}/erasure`, { ground: 'unlawful', includeEvidence: true });
  expect(refused).toMatchObject({ status: 409 });
  expect(refused.body).toContain('recording_held');
  expect(await catalogue.askedErasures.askedAt(id)).toBeUndefined();
  expect(await catalogue.decisions.listBeyond('', 10)).toEqual([]);
  expect((await here.ask(`/recordings/${id}/audio`, 'anna')).status).toBe(200);
});

/** It stores what it is given, and then sends so much of it and no more, for as long as nobody stops it. */
function hangingBehind(store: ObjectStore, bytes: number): { store: ObjectStore; hang: () => void } {
  let isHanging = false;
  const endless = async function* (): AsyncGenerator<Buffer> {
    yield Buffer.alloc(bytes);
    await new Promise(() => undefined);
  };
  const stream = (): Readable => Readable.from(endless(), { objectMode: false });

  return {
    store: {
      ...store,
      read: (...asked) => (isHanging ? Promise.resolve(stream()) : store.read(...asked)),
      readPart: (...asked) =>
        isHanging ? Promise.resolve({ stream: stream(), proved: 'length' }) : store.readPart(...asked),
    },
    hang: () => {
      isHanging = true;
    },
  };
}

test('a recording that is being played is cut when its erasure is decided', async () => {
  let hang = (): void => undefined;
  const here = await stage((set) => {
    const hanging = hangingBehind(set.store, 5_000);
    ({ hang } = hanging);

    return hanging.store;
  });
  const { id } = await here.archived(['training'], toneWav(440, 2_000));
  hang();
  const answer = await here.ask(`/recordings/${id}/audio`, 'anna', { headers: { range: 'bytes=0-9999' } });
  const reader = answer.body?.getReader();
  expect(((await reader?.read()) as { value?: Uint8Array } | undefined)?.value?.length).toBe(5_000);
  keptFromErasing(here);
  await post(here, `/recordings/${id}/erasure`, { ground: 'unlawful' });
  await expect(reader?.read()).rejects.toThrow();
  expect((await here.ask(`/recordings/${id}/audio`, 'anna')).status).toBe(404);
});
