import { callStart } from '../call/calls.ts';
import { clockAt, recorderEnd, saveCall } from './catalogues.ts';
import type { TestDatabase } from './databases.ts';

/** Recorders that Asterisk has ended while nobody watched: which recordings were theirs, whatever database keeps them. */
export function endedUnwatchedContract(newDatabase: () => TestDatabase): void {
  const open = () => newDatabase().connect(clockAt(callStart));
  const flag = 'unwatched_too_long';

  const flagsAfter = async (until: 'talking' | 'ended', at: number): Promise<readonly string[] | undefined> => {
    const catalogue = await open();
    const { id } = await saveCall(catalogue, { until });
    await catalogue.recordings.flagEndedUnwatched(at, 'test', []);

    return (await catalogue.recordings.find(id))?.flags;
  };

  it('flags a recording that was on then, once, and says so in the audit trail', async () => {
    const catalogue = await open();
    const { id } = await saveCall(catalogue, { until: 'talking' });
    const at = recorderEnd + 5_000;
    expect(await catalogue.recordings.flagEndedUnwatched(at, 'serve', [])).toEqual([id]);
    expect(await catalogue.recordings.flagEndedUnwatched(at, 'serve', [])).toEqual([]);
    expect((await catalogue.recordings.find(id))?.flags).toEqual([flag]);
    expect(
      (await catalogue.auditTrail.of(id)).filter(({ event }) => event === 'ended since nobody watched'),
    ).toHaveLength(1);
  });

  it.each([
    ['began after it', 'talking', callStart - 60_000, []],
    ['ended by itself long before it', 'ended', recorderEnd + 60_000, []],
    ['ended by itself long after it', 'ended', recorderEnd - 20_000, []],
    ['ended with it, to the second', 'ended', Math.floor(recorderEnd / 1_000) * 1_000, [flag]],
  ] as const)('of one that %s', async (_, until, at, flags) => {
    expect(await flagsAfter(until, at)).toEqual(flags);
  });
}
