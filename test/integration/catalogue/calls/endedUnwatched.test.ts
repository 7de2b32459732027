import { callStart } from '../../../support/call/calls.ts';
import { catalogues, recorderEnd, saveCall } from '../../../support/catalogue/catalogues.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';

/** Recorders that Asterisk has ended while nobody watched: which recordings were theirs. */

const open = catalogues();
const folder = temporaryFolder();
const flag = 'unwatched_too_long';

const flagsAfter = async (until: 'talking' | 'ended', at: number): Promise<readonly string[] | undefined> => {
  const catalogue = open(folder.path(`${until}-${at}.sqlite`));
  const { id } = await saveCall(catalogue, { until });
  await catalogue.recordings.flagEndedUnwatched(at, 'test', []);

  return (await catalogue.recordings.find(id))?.flags;
};

it('flags a recording that was on then, once, and says so in the audit trail', async () => {
  const catalogue = open(folder.path('on.sqlite'));
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
