import type { CallEvent } from '../../../src/call/decide/events.ts';
import type { Order } from '../../../src/call/decide/order.ts';
import type { CallState } from '../../../src/call/decide/state.ts';
import { callStart, eventsTo, aPrompt } from '../call/calls.ts';
import { clockAt, saveCall } from './catalogues.ts';
import type { TestDatabase } from './databases.ts';

/** What the catalogue keeps of what somebody asks for in a talk beside a pause, whatever database it is in. */
export function codeContract(newDatabase: () => TestDatabase): void {
  const catalogue = () => newDatabase().connect(clockAt(callStart));

  const at = callStart + 30_000;
  const erase: CallEvent = { type: 'eraseAsked', by: 'destination', at };
  const mark = (asked: 'agreement' | 'exemplary'): CallEvent => ({ type: 'markAsked', mark: asked, by: 'caller', at });
  const talk =
    (...events: CallEvent[]) =>
    (facts: { order: Order }): CallEvent[] => [...eventsTo('talking', facts), ...events];
  const left: CallEvent[] = [
    { type: 'callerLeft', at: callStart + 80_000 },
    { type: 'recorderFinished', at: callStart + 80_010 },
  ];

  /** A notice that names two purposes. */
  function naming(order: Order): Order {
    const statesMaxDays = { training: 28, agreement: 393 };
    const prompt = aPrompt({ kind: 'whole', purposes: ['training', 'agreement'], statesMaxDays });
    const sentences = order.script.sentences.slice(0, 1).map((each) => ({ ...each, prompt }));

    return { ...order, script: { ...order.script, sentences }, agreement: { purpose: 'agreement', keepDays: 392 } };
  }

  test('what was erased on request is discarded as that, and the trail says so', async () => {
    const all = await catalogue();
    const { id, facts } = await saveCall(all, { events: talk(erase, ...left) });
    expect(await all.recordings.find(id)).toMatchObject({ status: 'discarded', failure: 'erase_asked' });
    expect(await all.calls.find(facts.id)).toMatchObject({ result: 'unrecorded', reason: 'erase_asked' });
    expect((await all.auditTrail.of(id)).at(-1)).toMatchObject({
      to: 'discarded',
      event: 'somebody asked to erase it',
    });
  });

  test('an agreement that is marked is a purpose of the call from then on, also of one that is taken up again', async () => {
    const all = await catalogue();
    const events = (facts: { order: Order }): CallEvent[] => talk(mark('agreement'))({ order: naming(facts.order) });
    const { facts } = await saveCall(all, { events });
    expect(await all.calls.find(facts.id)).toMatchObject({ purposes: ['training', 'agreement'] });
    const [taken] = (await all.journal.open()) as CallState[];
    expect(taken?.facts).toMatchObject({ marks: ['agreement'], order: { keepDays: 392 } });
  });

  test('a talk that waits for somebody to ask for its recording is taken up as that, and what was erased as erased', async () => {
    const all = await catalogue();
    await saveCall(all, {
      events: ({ order }) => [
        ...eventsTo('dialling', { order: { ...order, records: 'onRequest' } }),
        { type: 'destinationAnswered', at },
      ],
    });
    await saveCall(all, { events: talk(erase) });
    const [waiting, erased] = (await all.journal.open()) as CallState[];
    expect(waiting).toMatchObject({ kind: 'talking', recorder: { kind: 'awaited' }, paused: { by: 'line' } });
    expect(erased).toMatchObject({ kind: 'talking', recorder: { kind: 'discarded', erasedBy: 'destination' } });
  });

  test('recordings that were marked as exemplary are found among the others, whatever else is asked for', async () => {
    const all = await catalogue();
    const [one] = [await saveCall(all), await saveCall(all)];
    await all.journal.addToTimeline(one.facts.id, { kind: 'change', change: 'exemplaryMarked', at });
    const found = async (filter: object): Promise<string[]> =>
      (await all.recordings.list({ limit: 9, ...filter })).map(({ id }) => id);
    expect(await found({})).toHaveLength(2);
    expect(await found({ exemplary: true })).toEqual([one.id]);
    expect(await found({ exemplary: true, line: 'default' })).toEqual([one.id]);
    expect(await found({ exemplary: true, line: 'other' })).toEqual([]);
  });
}
