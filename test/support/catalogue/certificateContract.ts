import { erasedAgain, erasureBegun } from '../../../src/catalogue/retention/auditTrail.ts';
import type { ErasureGround, NewCertificate } from '../../../src/catalogue/retention/certificates.ts';
import { asPreavisError } from '../../../src/core/errors.ts';
import { makeIds, type RecordingId } from '../../../src/core/ids.ts';
import { callStart } from '../call/calls.ts';
import { archivedRecording, clockAt, dayMs, type ConnectCatalogue } from './catalogues.ts';

/**
 * What certificates and the two ends of an erasure do, whatever database they are in.
 *
 * @param newDatabase makes an empty one
 */
export function certificateContract(newDatabase: () => ConnectCatalogue): void {
  const stage = async () => {
    const clock = clockAt(callStart + dayMs);

    return { catalogue: await newDatabase()(clock), clock };
  };
  const note = { event: 'erased and checked', actor: 'test' };
  const certificateOf = (recording: RecordingId, number: number): NewCertificate => ({
    number,
    sha256: String(number).repeat(64),
    recording,
    issuedAt: callStart + number,
    jws: `signed ${number}`,
  });

  test('is begun unless a hold keeps it, or a doubt where nobody has decided; what was erased before, always', async () => {
    const { catalogue, clock } = await stage();
    const [held, doubtful] = [await archivedRecording(catalogue), await archivedRecording(catalogue)];
    await catalogue.legalHolds.set({
      ...{ id: makeIds().hold(), recording: held.id, ground: 'dispute', reason: 'why', author: 'user' },
      ...{ reviewAt: clock.at, expiresAt: clock.at + 10 },
    });
    const doubt = { apartMs: 900_000, endedAt: callStart, witnesses: {}, actor: 'test' };
    expect(await catalogue.clockDoubts.raise(doubtful.id, doubt)).toBe(true);
    const begin = (id: RecordingId, why: ErasureGround, at = clock.at) =>
      catalogue.certificates.beginErasure(id, at, why, note).then(
        () => 'begun',
        (thrown: unknown) => asPreavisError(thrown).code,
      );
    expect([await begin(held.id, 'due'), await begin(held.id, 'asked')]).toEqual(['recording_held', 'recording_held']);
    expect(await begin(doubtful.id, 'due')).toBe('clock_doubtful');
    expect((await catalogue.auditTrail.of(held.id)).map(({ event }) => event)).not.toContain(erasureBegun);
    expect([await begin(doubtful.id, 'asked'), await begin(held.id, 'erased before')]).toEqual(['begun', 'begun']);
    expect(await begin(held.id, 'due', clock.at + 10)).toBe('begun');
    expect((await catalogue.auditTrail.of(held.id)).at(-1)).toMatchObject({
      event: erasureBegun,
      from: null,
      to: null,
    });
  });

  test('is finished with its certificate by one of two that follow the same one', async () => {
    const clock = clockAt(callStart + dayMs);
    const connect = newDatabase();
    const [one, other] = [await connect(clock), await connect(clock)];
    const [first, second] = [await archivedRecording(one), await archivedRecording(one)];
    const finished = await Promise.all([
      one.certificates.finishErasure('archived', certificateOf(first.id, 1), null, note),
      other.certificates.finishErasure('archived', { ...certificateOf(second.id, 1), sha256: 'f' }, null, note),
    ]);
    expect(finished.toSorted()).toEqual([false, true]);
    const rows = [await one.recordings.find(first.id), await one.recordings.find(second.id)];
    expect(rows.map((row) => row?.status === 'erased')).toEqual(finished);
    expect(await one.certificates.count()).toBe(1);
    const last = (await one.certificates.last())?.sha256 ?? null;
    const [left = first] = [first, second].filter((_, index) => finished[index] === false);
    expect(await other.certificates.finishErasure('archived', certificateOf(left.id, 2), last, note)).toBe(true);
    expect((await one.certificates.newest(10)).map(({ number }) => number)).toEqual([2, 1]);
  });

  test('is not finished while something of it may lie in an archive that nobody has looked into', async () => {
    const { catalogue } = await stage();
    const { id } = await archivedRecording(catalogue);
    await catalogue.archiveCopies.note(id, 'two');
    await catalogue.archiveCopies.note(id, 'three');
    const finish = (places: string[]) =>
      catalogue.certificates.finishErasure('archived', certificateOf(id, 1), null, note, places);
    await expect(finish(['two'])).rejects.toMatchObject({ code: 'status_conflict' });
    expect(await catalogue.certificates.of(id)).toEqual([]);
    expect(await catalogue.archiveCopies.of(id)).toHaveLength(2);
    expect(await finish(['two', 'three'])).toBe(true);
    expect(await catalogue.archiveCopies.of(id)).toEqual([]);
  });

  test('that is found elsewhere ends its recording and every hold of it; twice is once', async () => {
    const { catalogue, clock } = await stage();
    const { id } = await archivedRecording(catalogue);
    await catalogue.legalHolds.set({
      ...{ id: makeIds().hold(), recording: id, ground: 'authority', reason: 'why', author: 'user' },
      ...{ reviewAt: clock.at, expiresAt: clock.at + 10 },
    });
    const found = certificateOf(id, 7);
    const again = { event: erasedAgain, actor: 'replay' };
    await catalogue.certificates.restore(found, 'archived', 'archive', again);
    await catalogue.certificates.restore(found, 'erased', 'archive', again);
    expect(await catalogue.certificates.of(id)).toEqual([{ ...found, inLedger: false, inArchive: true }]);
    expect((await catalogue.recordings.find(id))?.status).toBe('erased');
    expect(await catalogue.legalHolds.of(id)).toMatchObject([{ releasedBy: 'replay' }]);
    expect(await catalogue.certificates.isKnown(found.sha256)).toBe(true);
  });

  test('is noted where it is kept as well, and given in the order of numbers', async () => {
    const { catalogue } = await stage();
    const numbers = (rows: readonly { number: number }[]) => rows.map(({ number }) => number);
    const { certificates } = catalogue;
    for (const number of [1, 2, 3]) {
      const { id } = await archivedRecording(catalogue);
      const previous = (await certificates.last())?.sha256 ?? null;
      await certificates.finishErasure('archived', certificateOf(id, number), previous, note);
    }
    expect(numbers(await certificates.withoutCopy('ledger', 2))).toEqual([1, 2]);
    await certificates.noteCopy('1'.repeat(64), 'ledger', true);
    await certificates.noteCopy('2'.repeat(64), 'archive', true);
    expect(numbers(await certificates.withoutCopy('ledger', 10))).toEqual([2, 3]);
    expect(numbers(await certificates.withoutCopy('archive', 10))).toEqual([1, 3]);
    await certificates.noteCopy('1'.repeat(64), 'ledger', false);
    expect(numbers(await certificates.withoutCopy('ledger', 10))).toEqual([1, 2, 3]);
    expect(numbers(await certificates.listBeyond({ number: 1, sha256: '1'.repeat(64) }, 1))).toEqual([2]);
  });

  test('from before a time is old, but for the last; without it the recording is erased without one', async () => {
    const { catalogue, clock } = await stage();
    const { certificates } = catalogue;
    const [one, two] = [await archivedRecording(catalogue), await archivedRecording(catalogue)];
    const named = { ...note, detail: { certificate: { number: 1, sha256: '1'.repeat(64) } } };
    await certificates.finishErasure('archived', certificateOf(one.id, 1), null, named);
    await certificates.finishErasure('archived', certificateOf(two.id, 2), '1'.repeat(64), note);
    expect(await certificates.missing(0, 10)).toEqual([]);
    // The lines of the trail are of that time too.
    const later = clock.at + 1;
    expect((await certificates.old(later, 10)).map(({ number }) => number)).toEqual([1]);
    expect(await certificates.old(callStart + 1, 10)).toEqual([]);
    await certificates.remove('1'.repeat(64));
    expect(await certificates.erasedWithoutCertificate(0, 10)).toEqual([one.id]);
    expect(await certificates.missing(0, 10)).toEqual([{ recording: one.id, number: 1 }]);
    expect(await certificates.count()).toBe(1);
  });

  test('has for each ledger the place up to which it was read', async () => {
    const { certificates } = (await stage()).catalogue;
    expect(await certificates.ledgerRead('/a')).toBeUndefined();
    await certificates.noteLedgerRead('/a', { start: 10, end: 20, sha256: 'x' });
    await certificates.noteLedgerRead('/a', { start: 20, end: 35, sha256: 'y' });
    expect(await certificates.ledgerRead('/a')).toEqual({ start: 20, end: 35, sha256: 'y' });
    expect(await certificates.ledgerRead('/b')).toBeUndefined();
  });

  test('counts what is due, and what would be but for a hold', async () => {
    const { catalogue, clock } = await stage();
    const [held] = [await archivedRecording(catalogue), await archivedRecording(catalogue)];
    await catalogue.legalHolds.set({
      ...{ id: makeIds().hold(), recording: held.id, ground: 'dispute', reason: 'why', author: 'user' },
      ...{ reviewAt: clock.at, expiresAt: clock.at + 10 },
    });
    const counts = async (at: number) => [
      await catalogue.certificates.countDue(at),
      await catalogue.certificates.countHeld(at),
    ];
    expect(await counts(callStart + dayMs - 1)).toEqual([0, 0]);
    expect(await counts(callStart + dayMs)).toEqual([1, 1]);
    expect(await counts(callStart + dayMs + 10)).toEqual([2, 0]);
  });
}
