import { unlink, utimes } from 'node:fs/promises';
import { flagEndedUnwatched } from '../../../../src/archive/finish/endedUnwatched.ts';
import type { CallEvent } from '../../../../src/call/decide/events.ts';
import { archiveStage } from '../../../support/archive/archiving.ts';
import { eventsTo } from '../../../support/call/calls.ts';
import { catalogues, recorderEnd } from '../../../support/catalogue/catalogues.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';

/** Recordings of whose recorder nobody has told the end, after Asterisk has ended recorders since nobody watched. */

const folder = temporaryFolder();
const open = catalogues();
const flag = 'unwatched_too_long';
let stages = 0;

const untold = ({ order }: Parameters<typeof eventsTo>[1]): CallEvent[] => [
  ...eventsTo('talking', { order }),
  { type: 'callerLeft', at: undefined },
  { type: 'timeUp', timer: 'recorderFinish' },
];

it.each<[string, number | undefined, string[]]>([
  ['was last written to long before: its talk was over', -10_000, []],
  ['was last written to then', 200, [flag]],
  ['is not there', undefined, [flag]],
])('flags one whose file %s: %s ms, %j', async (_, writtenMs, flags) => {
  const set = await archiveStage(folder.path(`${(stages += 1)}`), open);
  const { id, file } = await set.recorded(undefined, { events: untold });
  expect(await set.catalogue.recordings.find(id)).toMatchObject({ finishedAt: null });
  if (writtenMs === undefined) await unlink(file);
  else await utimes(file, (recorderEnd + writtenMs) / 1_000, (recorderEnd + writtenMs) / 1_000);
  expect(await flagEndedUnwatched(recorderEnd, { ...set, application: 'preavis' })).toEqual(
    flags.length === 0 ? [] : [id],
  );
  expect((await set.catalogue.recordings.find(id))?.flags).toEqual(flags);
});
