import type { NewLegalHold } from '../../../src/catalogue/retention/legalHolds.ts';
import { erasureInterrupted } from '../../../src/catalogue/retention/auditTrail.ts';
import type { RecordingId } from '../../../src/core/ids.ts';
import { callStart } from '../call/calls.ts';
import { archivedRecording, clockAt, dayMs, type ConnectCatalogue } from './catalogues.ts';
import { aLegalHold } from './legalHolds.ts';

/**
 * What legal holds do, whatever database they are in.
 *
 * @param newDatabase makes an empty one
 */
export function legalHoldContract(newDatabase: () => ConnectCatalogue): void {
  const stage = async () => {
    const clock = clockAt(callStart + dayMs);

    return { catalogue: await newDatabase()(clock), clock };
  };
  const holdOf = (recording: RecordingId, more: Partial<NewLegalHold> = {}): NewLegalHold =>
    aLegalHold(recording, callStart, more);

  test('is in the audit trail without its reason, when it is set and when it is released', async () => {
    const { catalogue } = await stage();
    const { id } = await archivedRecording(catalogue);
    const hold = holdOf(id);
    await catalogue.legalHolds.set(hold);
    await catalogue.legalHolds.release(hold.id, 'user other');
    const [before, after] = (await catalogue.auditTrail.of(id)).slice(-2);
    expect(before).toMatchObject({
      event: 'hold set',
      actor: 'user lawyer',
      detail: { hold: hold.id, ground: 'dispute' },
    });
    expect(after).toMatchObject({ event: 'hold released', actor: 'user other', detail: { hold: hold.id } });
    expect(JSON.stringify([before, after])).not.toContain('Example');
    expect(await catalogue.legalHolds.of(id)).toMatchObject([
      { reason: 'the case of Mrs Example', releasedBy: 'user other' },
    ]);
  });

  test('that is not there, or was released, cannot be released', async () => {
    const { catalogue } = await stage();
    const { id } = await archivedRecording(catalogue);
    const hold = holdOf(id);
    await expect(catalogue.legalHolds.release(hold.id, 'x')).rejects.toMatchObject({ code: 'hold_unknown' });
    await catalogue.legalHolds.set(hold);
    await catalogue.legalHolds.release(hold.id, 'x');
    await expect(catalogue.legalHolds.release(hold.id, 'x')).rejects.toMatchObject({ code: 'hold_unknown' });
  });

  test('is read back as it was set', async () => {
    const { catalogue, clock } = await stage();
    const { id } = await archivedRecording(catalogue);
    const hold = holdOf(id);
    await catalogue.legalHolds.set(hold);
    const kept = { ...hold, setAt: clock.at, releasedAt: null, releasedBy: null };
    expect(await catalogue.legalHolds.of(id)).toEqual([kept]);
    clock.at += 5;
    expect(await catalogue.legalHolds.release(hold.id, 'user other')).toBe(id);
    expect(await catalogue.legalHolds.of(id)).toEqual([{ ...kept, releasedAt: clock.at, releasedBy: 'user other' }]);
  });

  test('keeps to the ms before it expires, and is listed in the order of ids', async () => {
    const { catalogue } = await stage();
    const { id } = await archivedRecording(catalogue);
    const holds = [1, 2, 3].map((day) =>
      holdOf(id, { id: `hold-${day}` as never, expiresAt: callStart + day * dayMs }),
    );
    for (const hold of holds.toReversed()) await catalogue.legalHolds.set(hold);
    const active = async (at: number, after = '', limit = 10) =>
      (await catalogue.legalHolds.active(at, after, limit)).map((hold) => hold.id);
    expect(await active(callStart + dayMs - 1)).toEqual(['hold-1', 'hold-2', 'hold-3']);
    expect(await active(callStart + dayMs)).toEqual(['hold-2', 'hold-3']);
    expect(await active(callStart, 'hold-1', 1)).toEqual(['hold-2']);
    await catalogue.legalHolds.release('hold-3' as never, 'x');
    expect(await active(callStart + 2 * dayMs)).toEqual([]);
  });

  test('is refused from the beginning of the erasure until that is interrupted', async () => {
    const { catalogue, clock } = await stage();
    const { id } = await archivedRecording(catalogue);
    await catalogue.certificates.beginErasure(id, clock.at, 'due', { event: '', actor: 'test' });
    await expect(catalogue.legalHolds.set(holdOf(id))).rejects.toMatchObject({ code: 'hold_too_late' });
    expect(await catalogue.legalHolds.of(id)).toEqual([]);
    await catalogue.auditTrail.append(id, { event: erasureInterrupted, actor: 'test' });
    await catalogue.legalHolds.set(holdOf(id));
    expect(await catalogue.legalHolds.of(id)).toHaveLength(1);
  });

  test('is set before an erasure or after it, whichever of two processes comes first', async () => {
    const clock = clockAt(callStart + dayMs);
    const connect = newDatabase();
    const [one, other] = [await connect(clock), await connect(clock)];
    for (let round = 0; round < 5; round += 1) {
      const { id } = await archivedRecording(one);
      const set = () => one.legalHolds.set(holdOf(id));
      const begin = () => other.certificates.beginErasure(id, clock.at, 'due', { event: '', actor: 'test' });
      const done = await Promise.allSettled((round % 2 === 0 ? [set, begin] : [begin, set]).map((step) => step()));
      expect(done.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    }
  });
}
