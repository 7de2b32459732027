import type { Catalogue } from '../../../src/catalogue/catalogue.ts';
import type { Here } from '../../../src/catalogue/here.ts';
import { firstDue } from '../../../src/catalogue/calls/recordings.ts';
import { leftBehind } from '../../../src/services/leftBehind.ts';
import { callStart } from '../call/calls.ts';
import { elsewhere } from './holders.ts';
import { clockAt, dayMs, recorderEnd, saveCall, type ConnectCatalogue, type SavedCall } from './catalogues.ts';

const at = (pbx: string | undefined, application = 'preavis'): Here => ({ pbx, application });
const note = { event: 'test', actor: 'test' };

/** A call that came to this PBX. */
function called(
  catalogue: Catalogue,
  pbx: string | undefined,
  until: 'talking' | 'ended' = 'ended',
): Promise<SavedCall> {
  const asterisk = { version: '22.0.0', node: 'node', ...(pbx === undefined ? {} : { pbx }) };

  return saveCall(catalogue, { until, shape: { asterisk } });
}

/** What is local to a PBX, and what is not, whatever database they share. */
export function hereContract(newDatabase: () => ConnectCatalogue): void {
  async function three() {
    const connect = newDatabase();
    const clock = clockAt(callStart);
    const [brussels, liege, unnamed] = [
      await connect(clock, [], at('brussels')),
      await connect(clock, [], at('liege')),
      await connect(clock, [], at(undefined)),
    ];

    return { brussels, liege, unnamed, all: [brussels, liege, unnamed] as const };
  }
  /** One after the other: what one has changed, the next finds changed. */
  const each = async <Found>(
    all: readonly Catalogue[],
    look: (catalogue: Catalogue) => Promise<Found>,
  ): Promise<Found[]> => {
    const found: Found[] = [];
    for (const catalogue of all) found.push(await look(catalogue));

    return found;
  };

  test('has its own open calls and no others, but for who looks at all, and has all where it has no name', async () => {
    const { all, unnamed } = await three();
    const [one, two, three_] = [
      await called(unnamed, 'brussels', 'talking'),
      await called(unnamed, 'liege', 'talking'),
      await called(unnamed, undefined, 'talking'),
    ];
    const ids = async (look: (catalogue: Catalogue) => ReturnType<Catalogue['journal']['open']>): Promise<unknown[]> =>
      each(all, async (catalogue) => (await look(catalogue)).map((state) => 'facts' in state && state.facts.id));
    const everywhere = [one.facts.id, two.facts.id, three_.facts.id];
    expect(await ids(({ journal }) => journal.open())).toEqual([[one.facts.id], [two.facts.id], everywhere]);
    expect(await ids(({ journal }) => journal.openAnywhere())).toEqual([everywhere, everywhere, everywhere]);
  });

  test('finishes, compares, sends and flags its own recordings alone', async () => {
    const { all, brussels, liege } = await three();
    const [one, two] = [await called(brussels, 'brussels'), await called(liege, 'liege')];
    expect(await each(all, async ({ recordings }) => (await recordings.finishable()).map(({ id }) => id))).toEqual([
      [one.id],
      [two.id],
      [one.id, two.id],
    ]);
    for (const { id } of [one, two]) await brussels.recordings.move(id, 'recording', 'recorded', {}, note);
    expect(await each(all, async ({ calls }) => (await calls.unwitnessed()).map(({ id }) => id))).toEqual([
      [one.facts.id],
      [two.facts.id],
      [one.facts.id, two.facts.id],
    ]);
    for (const { facts } of [one, two]) {
      await liege.calls.saveWitness(facts.id, { status: 'unavailable', sentences: [] }, 'test');
    }
    const sendable = ({ recordings }: Catalogue) => recordings.sendable(callStart + dayMs, '', 10);
    expect(await each(all, async (catalogue) => (await sendable(catalogue)).map(({ id }) => id))).toEqual([
      [one.id],
      [two.id],
      [one.id, two.id],
    ]);
    expect(
      await each(all, async ({ recordings }) => (await recordings.waitingHere()).map(({ count }) => count)),
    ).toEqual([[1], [1], [2]]);
    expect((await liege.recordings.waiting()).map(({ count }) => count)).toEqual([2]);
    expect(await each(all, ({ recordings }) => recordings.isHere(one.id))).toEqual([true, false, true]);
  });

  test('knows what lies at names that nobody has served for an hour', async () => {
    const connect = newDatabase();
    const clock = clockAt(callStart);
    const [north, south, unnamed] = [
      await connect(clock, [], at('north')),
      await connect(clock, [], at('south')),
      await connect(clock, [], at(undefined)),
    ];
    for (const pbx of ['north', 'east', 'south', 'east']) await called(north, pbx);
    const archived = await called(south, 'east');
    await south.recordings.move(archived.id, 'recording', 'recorded', {}, note);
    await south.recordings.move(archived.id, 'recorded', 'archived', {}, note);
    const east = { pbx: 'east', recordings: 2 };
    expect(await leftBehind(north)).toEqual([east, { pbx: 'south', recordings: 1 }]);
    await south.leases.noteServing(at('south'), elsewhere());
    expect(await leftBehind(north)).toEqual([east]);
    expect(await leftBehind(unnamed)).toEqual([]);
  });

  test('flags those of its own whose recorders ended unwatched', async () => {
    const { all, brussels, liege } = await three();
    const [one, two] = [await called(brussels, 'brussels', 'talking'), await called(liege, 'liege', 'talking')];
    const endedAt = callStart + 70_000;
    expect(await each(all, ({ recordings }) => recordings.withoutEnd(endedAt))).toEqual([
      [one.id],
      [two.id],
      [one.id, two.id],
    ]);
    expect(await each(all, ({ recordings }) => recordings.flagEndedUnwatched(endedAt, 'test', []))).toEqual([
      [one.id],
      [two.id],
      [],
    ]);
  });

  test('erases what is archived of any, and what lies at itself', async () => {
    const { all, brussels, liege } = await three();
    const keepUntil = callStart + dayMs;
    const ends = { keepUntil, keptFrom: recorderEnd, purposeEnds: [{ purpose: 'training', keepUntil }] };
    const [one, two] = [await called(brussels, 'brussels'), await called(liege, 'liege')];
    for (const { id } of [one, two]) await brussels.recordings.move(id, 'recording', 'recorded', ends, note);
    const due = ({ recordings }: Catalogue) => recordings.due(keepUntil, firstDue, 10);
    const dueOf = () => each(all, async (catalogue) => (await due(catalogue)).rows.map(({ id }) => id));
    expect(await dueOf()).toEqual([[one.id], [two.id], [one.id, two.id]]);
    await liege.recordings.move(two.id, 'recorded', 'archived', { archive: 'one', objectKey: 'a.wav' }, note);
    expect(await dueOf()).toEqual([[one.id, two.id], [two.id], [one.id, two.id]]);
  });

  test('has times of its own for its uploads and comparisons, and those of all for retention', async () => {
    const { all, brussels, liege } = await three();
    await brussels.passes.noteDone('upload', 1);
    await liege.passes.noteDone('retention', 2);
    expect(await each(all, async ({ passes }) => (await passes.times('upload')).doneAt)).toEqual([
      1,
      undefined,
      undefined,
    ]);
    expect(await each(all, async ({ passes }) => (await passes.times('retention')).doneAt)).toEqual([2, 2, 2]);
  });

  test('says of each of its applications until when it has watched', async () => {
    const connect = newDatabase();
    const [one, two] = [await connect(clockAt(0), [], at('b', 'a')), await connect(clockAt(0), [], at('b', 'b'))];
    expect(await one.timeline.watchedUntil()).toBeUndefined();
    await one.timeline.saveWatchedUntil(5);
    await two.timeline.saveWatchedUntil(7);
    expect([await one.timeline.watchedUntil(), await two.timeline.watchedUntil()]).toEqual([5, 7]);
  });

  test('takes over what it has left unfinished when it had no name yet, and nothing that is finished', async () => {
    const { brussels, liege, unnamed } = await three();
    const open = await called(unnamed, undefined, 'talking');
    const waiting = await called(unnamed, undefined);
    await unnamed.recordings.move(waiting.id, 'recording', 'recorded', {}, note);
    const finished = await called(unnamed, undefined);
    await unnamed.recordings.move(finished.id, 'recording', 'recorded', {}, note);
    await unnamed.recordings.move(finished.id, 'recorded', 'archived', {}, note);
    await unnamed.calls.saveWitness(finished.facts.id, { status: 'unavailable', sentences: [] }, 'test');
    expect(await unnamed.calls.nameUnnamed()).toBe(0);
    expect(await brussels.calls.nameUnnamed()).toBe(2);
    expect(await liege.calls.nameUnnamed()).toBe(0);
    const pbxOf = async ({ facts }: SavedCall) => (await liege.calls.find(facts.id))?.pbx;
    expect([await pbxOf(open), await pbxOf(waiting), await pbxOf(finished)]).toEqual(['brussels', 'brussels', null]);
  });
}
