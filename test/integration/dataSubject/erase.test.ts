import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { uploadPass } from '../../../src/archive/uploadPass.ts';
import type { RecordingRow } from '../../../src/catalogue/rows.ts';
import { PreavisError } from '../../../src/core/errors.ts';
import { makeIds, type RecordingId } from '../../../src/core/ids.ts';
import { retentionPass } from '../../../src/retention/pass.ts';
import { readCertificate } from '../../../src/retention/certificates/certificate.ts';
import { verifyCertificates } from '../../../src/retention/certificates/verify.ts';
import type { SubjectErasurePorts } from '../../../src/dataSubject/erase.ts';
import { eraseForPerson } from '../../../src/dataSubject/erase.ts';
import { requestNow } from '../../../src/dataSubject/personRequest.ts';
import { erasureBy } from '../../../src/retention/asked.ts';
import { eraseRecording, lockInArchive } from '../../../src/retention/erasure.ts';
import { elsewhere } from '../../support/catalogue/holders.ts';
import { callStart } from '../../support/call/calls.ts';
import { catalogues, dayMs } from '../../support/catalogue/catalogues.ts';
import { hash, number, subjectStage, type Answer, type SubjectStage } from '../../support/evidence/subjects.ts';
import { eventually } from '../../support/poll.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const open = catalogues();
const signal = new AbortController().signal;
let places = 0;
const stage = (): Promise<SubjectStage> => subjectStage(folder.path(`${(places += 1)}`), open);

let holds = 0;
const hold = ({ catalogue }: SubjectStage, recording: RecordingId): Promise<void> =>
  catalogue.legalHolds.set({
    id: `01K0000000000000000000000${(holds += 1)}` as never,
    recording,
    ground: 'restriction',
    reason: 'asked for',
    author: 'user alice',
    reviewAt: callStart + 10 * dayMs,
    expiresAt: callStart + 500 * dayMs,
  });

const aRequest = () => ({
  id: makeIds().request(),
  reference: null,
  told: { language: 'fr' as const, keysNotSearched: [] },
});

const asked = (set: SubjectStage) => ({
  ...set,
  lockInArchive: (row: RecordingRow, by: AbortSignal) => lockInArchive(row, set, by),
});

const outcomes = ({ json }: Answer): Record<string, unknown> =>
  Object.fromEntries(
    (json['recordings'] as { id: string; outcome: unknown }[]).map(({ id, outcome }) => [id, outcome]),
  );

/** What the report says of the requests. */
const requests = async ({ catalogue, clock }: SubjectStage) => {
  const at = clock.now();

  return (await catalogue.figures.read({ from: 0, to: at + 1, at, overdueBefore: 0 }, 'erasure failed')).requests;
};

describe('the erasure that a person asks for', () => {
  test('is only told without --apply, and nothing is changed', async () => {
    const set = await stage();
    const { id } = await set.called(number);
    await set.calledOnly(number);
    const before = await set.objects();
    const preview = await set.erased({ apply: false });
    expect(preview).toMatchObject({ code: 0, json: { applied: false, calls: 2, unrecordedCalls: 1 } });
    expect(outcomes(preview)).toEqual({ [id]: { kind: 'erase' } });
    const { text } = await set.erased({ apply: false, json: false });
    expect(text).toContain('1 archived, for training');
    expect(text).toContain('Nothing was changed');
    const byUri = await set.erased({ apply: false, number: 'tel:02-555-01-23;phone-context=+32' });
    expect(byUri.json).toEqual(preview.json);
    expect(await set.objects()).toEqual(before);
    expect(await requests(set)).toMatchObject({ erased: 0, kept: 0, failed: 0 });
    expect(await set.catalogue.callers.callsOf(hash, '', 10)).toHaveLength(2);
  });

  test('erases archived and waiting recordings with a certificate each, and the person is not known any more', async () => {
    const set = await stage();
    const [sent, waiting] = [
      await set.called('0032 2 555 01 23'),
      await set.called('02/555.01.23', { archived: false }),
    ];
    const other = await set.called('+3225550124', { archived: false });
    await set.calledOnly(number);
    await set.catalogue.preferences.set(hash, 'nl', callStart + 300 * dayMs);
    const sealed = (await set.catalogue.callers.callsOf(hash, '', 10)).map((each) => each.sealed ?? '');
    expect(sealed).toHaveLength(3);
    expect(await readFile(join(set.at, 'catalogue.db-wal'), 'latin1')).toContain(sealed[0]);
    const answer = await set.erased();
    expect(answer).toMatchObject({ code: 0, json: { applied: true, calls: 3, languageRemembered: true } });
    expect(outcomes(answer)).toEqual({
      [sent.id]: { kind: 'erased', certificate: 1 },
      [waiting.id]: { kind: 'erased', certificate: 2 },
    });
    const { catalogue, store } = set;
    for (const { id } of [sent, waiting]) {
      expect((await catalogue.recordings.find(id))?.status).toBe('erased');
      const [certificate] = await catalogue.certificates.of(id);
      expect(certificate).toMatchObject({ inLedger: true, inArchive: true });
    }
    const { trusts, ledger } = set;
    expect(await verifyCertificates({ catalogue, store, ledger, since: 0, trusts }, { signal })).toMatchObject({
      checked: 2,
      faults: [],
    });
    expect(await set.objects()).toEqual(new Map());
    expect(await set.spooled()).toHaveLength(1);
    expect((await catalogue.recordings.find(other.id))?.status).toBe('recorded');
    expect(await catalogue.callers.callsOf(hash, '', 10)).toEqual([]);
    expect(await catalogue.preferences.find(hash)).toBeUndefined();
    expect(await set.exported({ json: false })).toMatchObject({ code: 0, text: 'no calls of this number' });
    expect(await set.erased({ json: false })).toMatchObject({ code: 0, text: 'no calls of this number' });
    for (const name of (await readdir(set.at)).filter((each) => /^catalogue|jsonl$/.test(each))) {
      const content = await readFile(join(set.at, name), 'latin1');
      expect(content).not.toMatch(/25550123/);
      for (const text of [hash, hash.slice(17), ...sealed]) expect(content).not.toContain(text);
    }
    expect(answer.json).toMatchObject({ logEmptied: true });
  });

  test('keeps what a hold, the law or evidence keeps, names it, and ends what else it was for', async () => {
    const set = await stage();
    const held = await set.called(number);
    await hold(set, held.id);
    const evidence = await set.called(number, { purposes: ['training', 'agreement'] });
    const duty = await set.called(number, { purposes: ['training', 'orders'] });
    const unknown = await set.called(number, { purposes: ['gone'] });
    const answer = await set.erased();
    expect(answer.code).toBe(3);
    expect(outcomes(answer)).toEqual({
      [held.id]: {
        kind: 'kept',
        exceptions: [
          { ground: 'hold', hold: 'restriction', until: '2028-01-06T10:00:00.000Z', article: 'GDPR art. 18' },
        ],
        ended: ['training'],
      },
      [evidence.id]: {
        kind: 'kept',
        exceptions: [{ ground: 'evidence', purpose: 'agreement', article: 'GDPR art. 17(3)(e)' }],
        ended: ['training'],
      },
      [duty.id]: {
        kind: 'kept',
        exceptions: [{ ground: 'obligation', purpose: 'orders', article: 'GDPR art. 17(3)(b)' }],
        ended: ['training'],
      },
      [unknown.id]: {
        kind: 'kept',
        exceptions: [{ ground: 'unknown', purpose: 'gone', article: null }],
        ended: [],
      },
    });
    const now = set.clock.now();
    for (const { id } of [held, evidence, duty]) {
      const ends = await set.catalogue.recordings.purposeEnds(id);
      expect(ends.find(({ purpose }) => purpose === 'training')?.keepUntil).toBe(now);
      expect((await set.catalogue.auditTrail.of(id)).map(({ event }) => event)).toContain(
        'erasure asked by the person, refused',
      );
    }
    expect((await set.catalogue.recordings.purposeEnds(evidence.id)).at(-1)?.keepUntil).toBeGreaterThan(now);
    expect(await set.catalogue.callers.callsOf(hash, '', 10)).toHaveLength(4);
    const each = (ground: string) => ({ ground, recordings: 1 });
    const grounds = ['evidence', 'hold', 'obligation', 'unknown'].map(each);
    expect(await requests(set)).toEqual({ erased: 0, kept: 4, failed: 0, grounds, failures: [] });

    // Whoever is responsible has weighed the evidence: that of the law and of the hold remains.
    const second = await set.erased({ includeEvidence: true });
    expect(second.code).toBe(3);
    expect(outcomes(second)).toMatchObject({
      [evidence.id]: { kind: 'erased' },
      [duty.id]: { kind: 'kept', ended: [] },
      [held.id]: { kind: 'kept', ended: [] },
    });
    // What the hold alone keeps is erased after it.
    const [set1] = await set.catalogue.legalHolds.of(held.id);
    await set.catalogue.legalHolds.release(set1?.id ?? ('' as never), 'user alice');
    expect(outcomes(await set.erased())).toMatchObject({ [held.id]: { kind: 'erased' } });
    expect(await requests(set)).toMatchObject({ erased: 2, kept: 2 });
  });

  test('does not begin where the ledger cannot be used: nothing is erased without it', async () => {
    const set = await stage();
    const { id } = await set.called(number);
    await mkdir(join(set.at, 'erasures.jsonl'));
    expect(await set.erased({ apply: false })).toMatchObject({ code: 0 });
    await expect(set.erased()).rejects.toMatchObject({ code: 'ledger_unusable' });
    expect(await set.catalogue.recordings.find(id)).toMatchObject({ status: 'archived' });
    expect(await set.catalogue.callers.callsOf(hash, '', 10)).toHaveLength(1);
  });

  test('leaves what is not finished to a later run', async () => {
    const set = await stage();
    const going = await set.recorded(undefined, { until: 'talking' });
    await set.catalogue.callers.keep({ call: going.facts.id, hash, sealed: null });
    const answer = await set.erased();
    expect(answer).toMatchObject({ code: 3 });
    expect(outcomes(answer)).toEqual({ [going.id]: { kind: 'unfinished' } });
    expect((await set.erased({ json: false })).text).toContain('not finished: run it again');
    expect(await set.catalogue.callers.callsOf(hash, '', 10)).toHaveLength(1);
  });

  test('waits for a retention run to end, and one that cannot be erased keeps no other', async () => {
    const set = await stage();
    const [one, other] = [await set.called(number), await set.called(number)];
    const ports: SubjectErasurePorts = {
      ...set,
      ...erasureBy({ rule: 'subject', operator: 'user alice' }, set),
      operator: 'user alice',
    };
    const rules = { includeEvidence: false, kindOf: () => 'training' as const };
    const order = {
      person: { kind: 'caller', hash } as const,
      request: aRequest(),
      apply: true,
      waitMs: 0,
      signal,
      ...rules,
    };
    const taken = {
      ...set.catalogue,
      leases: { ...set.catalogue.leases, take: () => Promise.resolve({ kind: 'busy' as const, other: elsewhere() }) },
    };
    await expect(eraseForPerson({ ...ports, catalogue: taken }, order)).rejects.toMatchObject({ code: 'job_busy' });
    expect((await set.catalogue.recordings.find(one.id))?.status).toBe('archived');
    const versions: typeof set.store.versions = (key) =>
      key.includes(one.id) ? Promise.resolve(['there is one left']) : set.store.versions(key);
    const failing: SubjectErasurePorts['erase'] = (row) =>
      eraseRecording(row, { rule: 'subject', operator: 'user alice' }, { ...set, store: { ...set.store, versions } });
    const { recordings } = await eraseForPerson({ ...ports, erase: failing }, order);
    expect(recordings.map(({ id, outcome }) => [id, outcome.kind])).toEqual(
      [one, other].map(({ id }) => [id, id === one.id ? 'failed' : 'erased']).toSorted(),
    );
    expect((await set.catalogue.recordings.find(one.id))?.status).toBe('archived');
    expect((await set.catalogue.auditTrail.of(one.id)).at(-1)).toMatchObject({
      event: 'erasure asked by the person, failed',
      actor: 'user alice',
      detail: { code: 'archive_failed' },
    });
    expect(await requests(set)).toMatchObject({
      erased: 1,
      kept: 0,
      failed: 1,
      failures: [{ code: 'archive_failed', recordings: 1 }],
    });
  });

  test('lets a hold win that is set while it runs', async () => {
    const set = await stage();
    const { id } = await set.called(number);
    const ports: SubjectErasurePorts = {
      ...set,
      ...erasureBy({ rule: 'subject', operator: 'user alice' }, set),
      operator: 'user alice',
      erase: async (row) => {
        await hold(set, row.id);
        return eraseRecording(row, { rule: 'subject', operator: 'user alice' }, set);
      },
    };
    const order = {
      person: { kind: 'caller', hash } as const,
      request: aRequest(),
      apply: true,
      waitMs: 0,
      signal,
      includeEvidence: false,
      kindOf: () => 'training' as const,
    };
    const { recordings } = await eraseForPerson(ports, order);
    expect(recordings).toMatchObject([{ id, outcome: { kind: 'kept', exceptions: [{ ground: 'hold' }] } }]);
    expect((await set.catalogue.recordings.find(id))?.status).toBe('archived');
    const pass = () => retentionPass(set, { dryRun: false, clockIsRight: true, waitMs: 0, signal });
    expect(await pass()).toMatchObject({ erased: 0 });
    set.clock.at = callStart + 501 * dayMs;
    expect(await pass()).toMatchObject({ erased: 1 });
    const [certificate] = await set.catalogue.certificates.of(id);
    expect((await readCertificate(certificate?.jws ?? '')).content.rule).toMatchObject({ kind: 'subject' });
  });

  test('is done once the hold ends that was set before it was written down, though the process was killed then', async () => {
    const set = await stage();
    const { id } = await set.called(number);
    const by = erasureBy({ rule: 'subject', operator: 'user alice' }, set);
    const ports: SubjectErasurePorts = {
      ...set,
      ...by,
      operator: 'user alice',
      ask: async (recordings, request) => {
        await hold(set, id);
        await by.ask(recordings, request);
        throw new Error('killed at: retention, asked');
      },
    };
    const request = aRequest();
    const rules = { apply: true, waitMs: 0, signal, includeEvidence: false, kindOf: () => 'training' as const };
    const killed = eraseForPerson(ports, { person: { kind: 'caller', hash }, request, ...rules });
    await expect(killed).rejects.toThrow('killed at');
    const pass = () => retentionPass(set, { dryRun: false, clockIsRight: true, waitMs: 0, signal });
    const now = async () => {
      const row = await set.catalogue.askedErasures.request(request.id, callStart);

      return row && requestNow(row, asked(set));
    };
    expect(await pass()).toMatchObject({ erased: 0 });
    const until = callStart + 500 * dayMs;
    expect(await now()).toMatchObject({
      isFinished: true,
      result: {
        recordings: [
          {
            id,
            outcome: {
              kind: 'kept',
              exceptions: [{ ground: 'hold', hold: 'restriction', until }],
              ended: ['training'],
            },
          },
        ],
      },
    });
    const [held] = await set.catalogue.legalHolds.of(id);
    await set.catalogue.legalHolds.release(held?.id as never, 'user alice');
    expect(await pass()).toMatchObject({ erased: 1 });
    expect(await now()).toMatchObject({ isFinished: true, result: { recordings: [{ outcome: { kind: 'erased' } }] } });
  });

  test('that is interrupted before all calls were looked at does not say that something was decided', async () => {
    const set = await stage();
    const { id } = await set.called(number);
    const taking = await set.catalogue.leases.take('retention', elsewhere());
    if (taking.kind === 'busy') throw new Error('another pass is under way');
    const listeners = process.listenerCount('SIGINT');
    const erasing = expect(set.erased()).rejects.toMatchObject({
      code: 'interrupted',
      message: expect.stringContaining('perhaps nothing was decided yet') as string,
    });
    await eventually(() => process.listenerCount('SIGINT') > listeners);
    process.emit('SIGINT');
    await set.catalogue.leases.release(taking.turn);
    await erasing;
    expect(await set.catalogue.askedErasures.askedAt(id)).toBeUndefined();
  });
});

describe('what became of it, when it is read again', () => {
  const kindOf = (purpose: string) => (purpose === 'agreement' ? ('evidence' as const) : ('training' as const));
  const pass = (set: SubjectStage) => retentionPass(set, { dryRun: false, clockIsRight: true, waitMs: 0, signal });

  /** A request of the person, and how it is told now. */
  async function requested(set: SubjectStage, change: Partial<SubjectErasurePorts> = {}) {
    const request = aRequest();
    const by = erasureBy({ rule: 'subject', operator: 'user alice' }, set);
    const order = { person: { kind: 'caller', hash } as const, request, apply: true, waitMs: 0, signal };
    const ports = { ...set, ...by, operator: 'user alice', ...change };
    await eraseForPerson(ports, { ...order, includeEvidence: false, kindOf });

    const row = await set.catalogue.askedErasures.request(request.id, callStart);

    return async (ports = asked(set)) => {
      const now = row && (await requestNow(row, ports));
      const [recording] = now?.result.recordings ?? [];

      return { isFinished: now?.isFinished, outcome: recording?.outcome };
    };
  }

  test('is the hold that keeps it, also one that was set or changed since, and the certificate once it is erased', async () => {
    const set = await stage();
    const { id } = await set.called(number);
    await hold(set, id);
    const now = await requested(set);
    const exceptions = [{ ground: 'hold', hold: 'restriction', until: callStart + 500 * dayMs }];
    const kept = { isFinished: true, outcome: { kind: 'kept', exceptions, ended: ['training'] } };
    expect(await now()).toEqual(kept);
    const [first] = await set.catalogue.legalHolds.of(id);
    await set.catalogue.legalHolds.release(first?.id as never, 'user alice');
    expect(await now()).toEqual({ isFinished: false, outcome: { kind: 'erase' } });
    await hold(set, id);
    expect(await now()).toEqual(kept);
    const holds = await set.catalogue.legalHolds.of(id);
    await set.catalogue.legalHolds.release(holds.at(-1)?.id as never, 'user alice');
    expect(await pass(set)).toMatchObject({ erased: 1 });
    expect(await now()).toEqual({ isFinished: true, outcome: { kind: 'erased', certificate: 1 } });
  });

  test('is the purpose that keeps it until that ends, and then the certificate', async () => {
    const set = await stage();
    await set.called(number, { purposes: ['training', 'agreement'] });
    const now = await requested(set);
    const exceptions = [{ ground: 'evidence', purpose: 'agreement' }];
    expect(await now()).toEqual({
      isFinished: true,
      outcome: { kind: 'kept', exceptions, ended: ['training'] },
    });
    set.clock.at = callStart + 400 * dayMs;
    expect(await now()).toEqual({ isFinished: false, outcome: { kind: 'erase' } });
    await pass(set);
    expect(await now()).toMatchObject({ isFinished: true, outcome: { kind: 'erased' } });
  });

  test('is the lock that the retention run has met, as the archive says it or as it was noted', async () => {
    const set = await stage();
    const { id } = await set.called(number);
    const locked = () => Promise.reject(new PreavisError('archive_locked', 'it is locked'));
    const now = await requested(set, { erase: locked });
    expect(await now()).toEqual({ isFinished: false, outcome: { kind: 'failed', code: 'archive_locked' } });
    const lock = { mode: 'compliance', until: callStart + 500 * dayMs } as const;
    const says = { ...asked(set), lockInArchive: () => Promise.resolve(lock) };
    const kept = { kind: 'kept', exceptions: [{ ground: 'lock', ...lock }], ended: ['training'] };
    expect(await now(says)).toEqual({ isFinished: true, outcome: kept });
    expect(await pass(set)).toMatchObject({ erased: 1 });
    expect((await set.catalogue.recordings.find(id))?.status).toBe('erased');
    expect(await now(says)).toMatchObject({ isFinished: true, outcome: { kind: 'erased' } });
  });
});

describe('whose call it was', () => {
  const pass = (set: SubjectStage): Promise<unknown> =>
    set.catalogue.passes
      .note('retention', set.clock.now())
      .then(() => retentionPass(set, { dryRun: false, waitMs: 0, signal }));
  const kept = async ({ catalogue }: SubjectStage): Promise<string[]> =>
    (await catalogue.callers.callsOf(hash, '', 5_000)).map(({ call }) => call);

  test('is kept as long as the recording, and where there is none for privacy.callerDays', async () => {
    const set = await stage();
    const short = await set.called(number);
    const long = await set.called(number, { purposes: ['agreement'] });
    const silent = await set.calledOnly(number);
    expect((await kept(set)).toSorted()).toEqual([short.call, long.call, silent].toSorted());
    set.clock.at = callStart + 27 * dayMs;
    await pass(set);
    expect(await kept(set)).toHaveLength(3);
    set.clock.at = callStart + 30 * dayMs;
    await pass(set);
    expect((await kept(set)).toSorted()).toEqual([long.call, silent].toSorted());
    set.clock.at = callStart + 89 * dayMs;
    await pass(set);
    expect(await kept(set)).toHaveLength(2);
    set.clock.at = callStart + 91 * dayMs;
    await pass(set);
    expect(await kept(set)).toEqual([long.call]);
    set.clock.at = callStart + 397 * dayMs;
    await pass(set);
    expect(await kept(set)).toEqual([]);
  });

  test('is not kept of one who refuses, nor of one that was erased by a ledger', async () => {
    const set = await stage();
    const refused = await set.recorded(undefined, { until: 'talking' });
    const { id } = await set.called(number);
    await set.catalogue.callers.keep({ call: refused.facts.id, hash, sealed: null });
    await set.catalogue.recordings.move(refused.id, 'recording', 'discarded', {}, { event: 'refused', actor: 'test' });
    expect(await kept(set)).toHaveLength(1);
    const row = await set.catalogue.recordings.find(id);
    const certificate = { number: 9, sha256: 'a'.repeat(64), recording: id, issuedAt: callStart, jws: 'x' };
    await set.catalogue.certificates.restore(certificate, row?.status, 'ledger', { event: 'again', actor: 'test' });
    expect(await kept(set)).toEqual([]);
  });

  test('is swept in parts, each row once', async () => {
    const set = await stage();
    const calls = [];
    for (let count = 0; count < 7; count += 1) calls.push(await set.calledOnly(number));
    const times = { since: callStart + dayMs, at: callStart + dayMs };
    const removed: number[] = [];
    for (let after: string | undefined = ''; after !== undefined;) {
      const part: Awaited<ReturnType<typeof set.catalogue.callers.sweep>> = await set.catalogue.callers.sweep(
        times,
        after,
        3,
      );
      removed.push(part.removed);
      after = part.next;
    }
    expect(removed).toEqual([3, 3, 1]);
    expect(await kept(set)).toEqual([]);
  });

  test('goes with a recording whose bytes were never sent', async () => {
    const set = await stage();
    const { id } = await set.called(number, { archived: false });
    await writeFile(join(set.at, 'unrelated'), '');
    await set.erased();
    await uploadPass(set, { waitMs: 0, signal, all: true });
    expect((await set.catalogue.recordings.find(id))?.status).toBe('erased');
    expect(await kept(set)).toEqual([]);
  });
});
