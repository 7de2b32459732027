import type { NewAsked, PersonRequestRow } from '../../../src/catalogue/retention/askedErasures.ts';
import type { HoldId, RecordingId, RequestId } from '../../../src/core/ids.ts';
import { callStart } from '../call/calls.ts';
import { callEnd, idOf, policySql, recordingSql } from './catalogueRows.ts';
import { archivedRecording, clockAt, dayMs } from './catalogues.ts';
import type { TestDatabase } from './databases.ts';

/** Decisions to erase, and requests of persons, whatever database keeps them. */
export function askedErasureContract(newDatabase: () => TestDatabase): void {
  const now = callEnd;
  const cause = '{"rule":"subject","operator":"user:olga"}';
  const note = { event: 'erasure decided', actor: 'user:olga', detail: { rule: 'subject' } };
  const asking = (recordings: RecordingId[], more: Partial<NewAsked> = {}): NewAsked => ({
    recordings,
    cause,
    at: now,
    note,
    ending: [],
    ...more,
  });
  const requestOf = (id: string, more: Partial<PersonRequestRow> = {}): PersonRequestRow => ({
    id: id as RequestId,
    askedBy: 'user:olga',
    askedAt: now,
    endsAt: now + dayMs,
    controller: null,
    reference: null,
    found: '{"calls":1}',
    forget: null,
    ...more,
  });
  const hold = { ground: 'dispute', reason: 'x', author: 'user:olga', reviewAt: now, expiresAt: now + 10 } as const;

  test('is written down once, by one of several at the same time, with the end of its purposes and a line in the audit trail', async () => {
    const { connect } = newDatabase();
    const all = await Promise.all([1, 2, 3].map(() => connect(clockAt(now))));
    const [catalogue = await connect(clockAt(now))] = all;
    const { id } = await archivedRecording(catalogue, now + 100);
    const ending = {
      decision: { sha256: 'a', kind: 'purposesShortened', decidedAt: now, neededUntil: now + dayMs, jws: 'signed' },
      effect: { kind: 'purposesShortened', basis: 'person', ends: [{ recording: id, purpose: 'training', to: now }] },
    } as const;
    const { askedErasures, recordings, auditTrail } = catalogue;
    expect(await askedErasures.askedAt(id)).toBeUndefined();
    const done = await Promise.all(
      all.map((each, index) => each.askedErasures.ask(asking([id], { at: now + index, ending: [ending] }))),
    );
    expect(done).toEqual([true, true, true]);
    const at = await askedErasures.askedAt(id);
    expect([now, now + 1, now + 2]).toContain(at);
    expect((await auditTrail.of(id)).filter(({ event }) => event === note.event)).toMatchObject([note]);
    expect(await recordings.find(id)).toMatchObject({ keepUntil: now });
    const { asked, next } = await askedErasures.open(now, '', 9);
    expect([asked.map((each) => [each.row.id, each.cause]), next]).toEqual([[[id, cause]], undefined]);
    await recordings.move(id, 'archived', 'erased', {}, { event: 'erased', actor: 'test' });
    expect(await askedErasures.askedAt(id)).toBeUndefined();
    expect((await askedErasures.open(now, '', 9)).asked).toEqual([]);
  });

  test('is due from then on where it has no purposes, and never later than it was', async () => {
    const database = newDatabase();
    const catalogue = await database.connect(clockAt(now));
    const row = { status: 'failed', purposes: [] };
    await database.execute(
      [
        policySql('one', {}),
        recordingSql({ ...row, number: 1, keepUntil: null }),
        recordingSql({ ...row, number: 2, keepUntil: now + 5 }),
        recordingSql({ ...row, number: 3, keepUntil: now - 5 }),
      ].join('\n'),
    );
    await catalogue.askedErasures.ask(asking([1, 2, 3].map(idOf)));
    const ends = [1, 2, 3].map(async (number) => (await catalogue.recordings.find(idOf(number)))?.keepUntil);
    expect(await Promise.all(ends)).toEqual([now, now, now - 5]);
  });

  test('waits for a hold where a person has asked for it, and is not written down where nobody would ask again', async () => {
    const catalogue = await newDatabase().connect(clockAt(now));
    const { askedErasures, legalHolds } = catalogue;
    const [free, held] = [await archivedRecording(catalogue), await archivedRecording(catalogue)];
    await legalHolds.set({ ...hold, id: '01K00000000000000000000000' as HoldId, recording: held.id });
    expect(await askedErasures.ask(asking([free.id, held.id]))).toBe(false);
    expect([await askedErasures.askedAt(free.id), await askedErasures.askedAt(held.id)]).toEqual([
      undefined,
      undefined,
    ]);
    expect(await askedErasures.ask(asking([free.id, held.id]), requestOf('one'))).toBe(true);
    const openAt = async (at: number) => (await askedErasures.open(at, '', 9)).asked.map(({ row }) => row.id);
    expect(await openAt(now)).toEqual([free.id]);
    expect(await openAt(hold.expiresAt)).toEqual([free.id, held.id].toSorted());
  });

  test('is read page by page, also beyond one whose row cannot be read', async () => {
    const database = newDatabase();
    const told: string[] = [];
    const catalogue = await database.connect(clockAt(now), [], undefined, (id) => {
      told.push(id);
    });
    const { askedErasures } = catalogue;
    const made = [];
    for (let count = 0; count < 3; count += 1) made.push((await archivedRecording(catalogue)).id);
    const [first = '', second = '', third = ''] = made.toSorted();
    await askedErasures.ask(asking(made));
    await database.execute(`UPDATE recordings SET flags = 'x' WHERE id = '${second}'`);
    const page = async (after: string) => {
      const { asked, next } = await askedErasures.open(now, after, 2);

      return { ids: asked.map(({ row }) => row.id as string), next };
    };
    expect(await page('')).toEqual({ ids: [first], next: second });
    expect(await page(second)).toEqual({ ids: [third], next: undefined });
    expect(told).toEqual([second]);
  });

  test('of a person is read by whoever was asked, until its time is over and nothing is left to be forgotten', async () => {
    const { askedErasures } = await newDatabase().connect(clockAt(callStart));
    const [own, acme, silent] = [
      requestOf('a', { reference: 'ticket 7' }),
      requestOf('b', { controller: 'acme', forget: '{"calls":["x"]}' }),
      requestOf('c', { found: null, forget: '{}' }),
    ];
    for (const each of [own, acme, silent]) await askedErasures.ask(asking([]), each);
    expect(await askedErasures.request('a', now)).toEqual(own);
    expect(await askedErasures.request('a', own.endsAt)).toBeUndefined();
    const listed = async (companies: (string | null)[] | undefined, at = now) =>
      (await askedErasures.requests(companies, at, 9)).map(({ id }) => id as string);
    expect(await listed(undefined)).toEqual(['b', 'a']);
    expect(await listed([null])).toEqual(['a']);
    expect(await listed(['acme', 'bolt'])).toEqual(['b']);
    expect(await listed([])).toEqual([]);
    expect(await listed(undefined, own.endsAt)).toEqual([]);
    expect(await askedErasures.unforgotten('', 1)).toEqual([{ id: 'b', forget: acme.forget }]);
    expect(await askedErasures.unforgotten('b', 9)).toEqual([{ id: 'c', forget: '{}' }]);
    await askedErasures.noteFound(own.id, '{"calls":2}');
    // What nobody reads again stays so.
    await askedErasures.noteFound(silent.id, '{}');
    expect(await askedErasures.request('a', now)).toMatchObject({ found: '{"calls":2}' });
    expect(await askedErasures.request('c', now)).toMatchObject({ found: null });
    await askedErasures.noteForgotten(silent.id);
    await askedErasures.sweep(own.endsAt - 1);
    expect(await askedErasures.request('a', now)).toBeDefined();
    await askedErasures.sweep(own.endsAt);
    const left = ['a', 'b', 'c'].map(async (id) => (await askedErasures.request(id, now)) !== undefined);
    expect(await Promise.all(left)).toEqual([false, true, false]);
  });
}
