import type { CallState } from '../../../src/call/decide/state.ts';
import type { UnreadableCall } from '../../../src/call/session/journal.ts';
import { watchedBy } from '../../../src/catalogue/calls/timeline.ts';
import { makeIds } from '../../../src/core/ids.ts';
import { beginning, callStart, someFacts } from '../call/calls.ts';
import { clockAt, saveCall, type ConnectCatalogue } from './catalogues.ts';

/**
 * What is of one of several serves of a PBX, as of two workers, whatever database it is in.
 *
 * @param newDatabase makes an empty one
 */
export function workerContract(newDatabase: () => ConnectCatalogue): void {
  const [own, peer] = ['preavis-a', 'preavis-b'];

  test('that had not ended is for whoever has its application; one of none, from before that was written down, for who asks for it', async () => {
    const { journal, calls } = await newDatabase()(clockAt(callStart));
    const ids = makeIds();
    const saved = new Map<string | undefined, CallState>();
    for (const application of [undefined, own, peer]) {
      const { state } = beginning(someFacts(ids));
      await journal.save(state, {}, application);
      // Later steps say it as well, and change nothing of it.
      await journal.save(state, {}, application);
      saved.set(application, state);
      expect((await calls.find(state.facts.id))?.application).toBe(application ?? null);
    }
    const open = async (
      of?: Parameters<typeof journal.open>[0],
    ): Promise<(CallState | UnreadableCall | undefined)[]> => [...(await journal.open(of))];
    const [none, ofOwn, ofPeer] = [undefined, own, peer].map((application) => saved.get(application));
    // Ids of the same millisecond are in no order.
    const inAnyOrder = (states: readonly unknown[]): unknown => expect.arrayContaining(states);
    expect(await open()).toEqual(inAnyOrder([none, ofOwn, ofPeer]));
    expect(await open()).toHaveLength(3);
    expect(await open({ application: own, orNone: true })).toEqual(inAnyOrder([none, ofOwn]));
    expect(await open({ application: own, orNone: true })).toHaveLength(2);
    expect(await open({ application: peer })).toEqual([ofPeer]);
    expect(await open({ application: '', orNone: true })).toEqual([none]);
  });

  test('is of another serve of this PBX from now on where that one says so; what has ended is not', async () => {
    const catalogue = await newDatabase()(clockAt(callStart));
    const { journal, calls } = catalogue;
    const ids = makeIds();
    const states: CallState[] = [];
    for (const application of [undefined, own, peer]) {
      const { state } = beginning(someFacts(ids));
      await journal.save(state, {}, application);
      states.push(state);
    }
    const { state: ended } = await saveCall(catalogue, { application: peer });
    const applications = (): Promise<(string | null | undefined)[]> =>
      Promise.all([...states, ended].map(async ({ facts }) => (await calls.find(facts.id))?.application));
    expect(new Set(await journal.openApplications())).toEqual(new Set([null, own, peer]));
    expect(await journal.openOfOthers(own)).toEqual([states[2]]);
    await journal.adoptOpen(null, own);
    expect(await applications()).toEqual([own, own, peer, peer]);
    await journal.adoptOpen(peer, own);
    expect(await applications()).toEqual([own, own, own, peer]);
    expect(await journal.openApplications()).toEqual([own]);
    expect(await journal.openOfOthers(own)).toEqual([]);
  });

  test('whose recorder was ended is flagged for the worker whom nobody watched for, and not for the other one, who watched', async () => {
    const catalogue = await newDatabase()(clockAt(callStart));
    const { recordings, timeline } = catalogue;
    const at = callStart + 70_000;
    const asterisk = { version: '22.0.0', node: 'node', pbx: 'label' };
    const [ofOwn, ofPeer] = [
      await saveCall(catalogue, { until: 'talking', application: own }),
      // Where a file has the catalogue, the name of the PBX is no more than a label.
      await saveCall(catalogue, { until: 'talking', application: peer, shape: { asterisk } }),
    ];
    await timeline.saveWatchedUntil(at - 30_000, watchedBy({ pbx: undefined, application: own }));
    await timeline.saveWatchedUntil(at, watchedBy({ pbx: undefined, application: peer }));
    expect(await recordings.flagEndedUnwatched(at, 'test', [], own)).toEqual([ofOwn.id]);
    expect(await recordings.flagEndedUnwatched(at, 'test', [], peer)).toEqual([ofPeer.id]);
  });

  test('is watched until a time of its own: the other one does not count for it', async () => {
    const { timeline } = await newDatabase()(clockAt(callStart));
    const [ofOwn, ofPeer] = [own, peer].map((application) => watchedBy({ pbx: undefined, application }));
    await timeline.saveWatchedUntil(callStart, ofOwn);
    await timeline.saveWatchedUntil(callStart + 5_000, ofPeer);
    expect([await timeline.watchedUntil(ofOwn), await timeline.watchedUntil(ofPeer)]).toEqual([
      callStart,
      callStart + 5_000,
    ]);
    expect(await timeline.watchedUntil()).toBeUndefined();
  });
}
