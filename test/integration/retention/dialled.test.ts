import { join } from 'node:path';
import { openSqlite } from '../../../src/catalogue/sqlite/sqlite.ts';
import { makeIds, type CallId } from '../../../src/core/ids.ts';
import { retentionPass } from '../../../src/retention/pass.ts';
import { callStart } from '../../support/call/calls.ts';
import { catalogues, dayMs } from '../../support/catalogue/catalogues.ts';
import { number, subjectStage, type SubjectStage } from '../../support/evidence/subjects.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

/** The end of what is kept of the number that a caller dialled. */

const folder = temporaryFolder();
const open = catalogues();
const direct = '+3225550101';
let places = 0;
let set: SubjectStage;

beforeEach(async () => {
  set = await subjectStage(folder.path(`${(places += 1)}`), open);
});

/** A pass so many days after the calls, where such numbers are kept for ten. */
async function passAfter(days: number, keptDays = 10): Promise<void> {
  set.clock.at = callStart + days * dayMs;
  await set.catalogue.passes.note('retention', set.clock.now());
  const signal = new AbortController().signal;
  await retentionPass({ ...set, dialledKeptMs: keptDays * dayMs }, { dryRun: false, waitMs: 0, signal });
}

function asked<T>(ask: (database: ReturnType<typeof openSqlite>) => T): T {
  const database = openSqlite(join(set.at, 'catalogue.db'));
  try {
    return ask(database);
  } finally {
    database.close();
  }
}

const logDebt = (): number =>
  asked((database) => database.prepare('SELECT erased FROM log_debt').pluck().get()) as number;

const of = (call: CallId): Promise<string | undefined> => set.catalogue.dialled.of(call);

describe('the number that was dialled', () => {
  test('ends with privacy.dialledDays, of a recorded call and of any other, though more of them is kept', async () => {
    const recorded = await set.called(number, { purposes: ['orders'], dialled: direct });
    const only = await set.calledOnly(number, 'default', '101', direct);
    await passAfter(9);
    expect([await of(recorded.call), await of(only)]).toEqual([direct, direct]);
    await passAfter(11);
    expect([await of(recorded.call), await of(only)]).toEqual([undefined, undefined]);
    expect((await set.catalogue.recordings.find(recorded.id))?.status).toBe('archived');
    expect(await set.catalogue.extensions.of(only)).toBe('101');
  });

  test('goes with the next pass once it is to be kept no more', async () => {
    const call = await set.calledOnly(number, 'default', '101', direct);
    await passAfter(1, 0);
    expect(await of(call)).toBeUndefined();
  });

  test('ends with its recording, where that is sooner', async () => {
    const { call, id } = await set.called(number, { dialled: direct });
    await passAfter(29, 400);
    expect((await set.catalogue.recordings.find(id))?.status).toBe('erased');
    expect(await of(call)).toBeUndefined();
  });

  test('goes with the next pass where it was kept after its recording was erased', async () => {
    const { call, id } = await set.called(number, { dialled: direct });
    await passAfter(29, 400);
    expect((await set.catalogue.recordings.find(id))?.status).toBe('erased');
    await set.catalogue.dialled.keep(call, direct);
    await passAfter(30, 400);
    expect(await of(call)).toBeUndefined();
  });

  test('is not forgotten by a decision while a legal hold keeps the recording, though the hold was set after it', async () => {
    const { call, id } = await set.called(number, { purposes: ['agreement'], dialled: direct });
    const until = set.clock.now() + 20 * dayMs;
    await set.catalogue.legalHolds.set({
      ...{ id: makeIds().hold(), recording: id, ground: 'dispute', reason: 'claim', author: 'officer' },
      ...{ reviewAt: until, expiresAt: until },
    });
    const free = await set.calledOnly(number, 'default', '101', direct);
    await set.decisions.forgetNumbers([call, free]);
    expect([await of(call), await of(free)]).toEqual([direct, undefined]);
    set.clock.at = until;
    await set.decisions.forgetNumbers([call]);
    expect(await of(call)).toBeUndefined();
  });

  test('stays while a legal hold keeps the recording, and while the call goes on', async () => {
    const { call, id } = await set.called(number, { purposes: ['agreement'], dialled: direct });
    const until = callStart + 20 * dayMs;
    await set.catalogue.legalHolds.set({
      ...{ id: makeIds().hold(), recording: id, ground: 'dispute', reason: 'claim', author: 'officer' },
      ...{ reviewAt: until, expiresAt: until },
    });
    const goingOn = await set.calledOnly(number, 'default', '101', direct);
    asked((database) => database.prepare(`UPDATE calls SET state = '{}' WHERE id = ?`).run(goingOn));
    await passAfter(15);
    expect([await of(call), await of(goingOn)]).toEqual([direct, direct]);
    await passAfter(21);
    expect([await of(call), await of(goingOn)]).toEqual([undefined, direct]);
  });

  test('is out of the write-ahead log once that was emptied', async () => {
    await set.calledOnly(number, 'default', undefined, direct);
    const before = logDebt();
    await set.catalogue.dialled.sweep({ since: callStart + 10 * dayMs, at: callStart }, '', 10);
    expect(logDebt()).toBe(before + 1);
  });

  test('is swept in parts, each call once', async () => {
    const calls = [];
    for (let each = 0; each < 5; each += 1) calls.push(await set.calledOnly(number, 'default', undefined, direct));
    const times = { since: callStart + 10 * dayMs, at: callStart };
    let [removed, after, parts]: [number, string | undefined, number] = [0, '', 0];
    while (after !== undefined) {
      const part: { removed: number; next: string | undefined } = await set.catalogue.dialled.sweep(times, after, 2);
      [removed, after, parts] = [removed + part.removed, part.next, parts + 1];
    }
    expect([removed, parts]).toEqual([5, 3]);
    for (const call of calls) expect(await of(call)).toBeUndefined();
  });

  test('is forgotten with whose call it was, at the request of who called and of who was called', async () => {
    const only = await set.calledOnly(number, 'default', '101', direct);
    const recorded = await set.called(number, { dialled: direct });
    await set.erased();
    expect([await of(only), await of(recorded.call)]).toEqual([undefined, undefined]);
    const answered = await set.calledOnly(number, 'default', '101', direct);
    await set.erased({ number: undefined, extension: '101' });
    expect(await of(answered)).toBeUndefined();
    expect(await set.catalogue.calls.find(answered)).toBeDefined();
  });
});
