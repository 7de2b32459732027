import type { Unwatched } from '../../../src/call/watch/timeline.ts';
import { callStart, countingIds } from '../call/calls.ts';
import { clockAt, saveCall, unwatchedFrom } from './catalogues.ts';
import type { TestDatabase } from './databases.ts';

/** What happened in a call beside its states, and when nobody listened to it, whatever database keeps it. */
export function watchContract(newDatabase: () => TestDatabase): void {
  const open = () => newDatabase().connect(clockAt(callStart));

  it('has at its end what was not known at its beginning: when it was over, and that a party is a Local/ channel', async () => {
    const catalogue = await open();
    const call = await saveCall(catalogue, { until: 'talking' });
    const { facts } = call;
    const interval = unwatchedFrom(call, callStart + 25_000);
    await catalogue.journal.addToTimeline(facts.id, { kind: 'unwatched', interval });
    const end = { to: callStart + 30_000, heardAgainAt: callStart + 30_000, parties: [] };
    await catalogue.journal.addToTimeline(facts.id, { kind: 'unwatched', interval: { ...interval, ...end } });
    expect(await catalogue.timeline.unwatched(facts.id)).toMatchObject([{ from: interval.from, ...end }]);
  });

  it('is over with the comparison of the next process where the one that began it has died', async () => {
    const catalogue = await open();
    const call = await saveCall(catalogue, { until: 'talking' });
    const { facts } = call;
    const begun: Unwatched = { ...unwatchedFrom(call, callStart + 25_000), why: 'connection_lost' };
    const died = unwatchedFrom(call, callStart + 26_000);
    for (const interval of [begun, died])
      await catalogue.journal.addToTimeline(facts.id, { kind: 'unwatched', interval });
    const end = { to: callStart + 30_000, heardAgainAt: callStart + 30_001 };
    await catalogue.journal.addToTimeline(facts.id, { kind: 'unwatched', interval: { ...died, ...end } });
    expect(await catalogue.timeline.unwatched(facts.id)).toMatchObject([
      { from: begun.from, ...end },
      { from: died.from, ...end },
    ]);
  });

  it('has once what is told again by the same id, and each of two that are the same but for that', async () => {
    const catalogue = await open();
    const { facts } = await saveCall(catalogue, { until: 'talking' });
    const ids = countingIds();
    const [first, second] = [ids.happening(), ids.happening()];
    const joined = { kind: 'change', change: 'joined', at: callStart + 20_000 } as const;
    const tell = (id: typeof first) => catalogue.journal.addToTimeline(facts.id, joined, id);
    for (const id of [first, first, second, first]) await tell(id);
    expect(await catalogue.timeline.changes(facts.id)).toHaveLength(2);
  });

  it('has a sentence whose beginning was not seen before those whose was', async () => {
    const catalogue = await open();
    const { facts } = await saveCall(catalogue, { until: 'talking', shape: { mode: 'optIn', sentenceCount: 1 } });
    const { consent } = facts.order.script;
    if (consent.mode !== 'optIn') throw new Error('it is asked');
    const [seen, unseen] = [...consent.acceptance, ...consent.silence];
    if (seen === undefined || unseen === undefined) throw new Error('both answers are confirmed');
    const said = (sentence: typeof seen, startedAt: number | undefined) =>
      catalogue.journal.addToTimeline(facts.id, { kind: 'said', sentence, startedAt, finishedAt: callStart + 9_000 });
    await said(seen, callStart + 8_000);
    await said(unseen, undefined);
    expect((await catalogue.timeline.said(facts.id)).map(({ startedAt }) => startedAt)).toEqual([
      null,
      callStart + 8_000,
    ]);
  });

  it('is not known at first until when every event was seen, and then what was written last, also where a clock was set back', async () => {
    const { connect } = newDatabase();
    const catalogue = await connect(clockAt(callStart));
    expect(await catalogue.timeline.watchedUntil()).toBeUndefined();
    for (const until of [callStart, callStart + 1_000, callStart - 1_000])
      await catalogue.timeline.saveWatchedUntil(until);
    expect(await (await connect(clockAt(callStart))).timeline.watchedUntil()).toBe(callStart - 1_000);
  });
}
