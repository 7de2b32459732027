import type { CataloguePart } from '../../catalogue/catalogue.ts';
import { slackMs } from '../../catalogue/calls/endedUnwatched.ts';
import type { RecordingId } from '../../core/ids.ts';
import { lastWritten } from './spool.ts';

type Ports = {
  catalogue: CataloguePart<{ recordings: 'withoutEnd' | 'flagEndedUnwatched' }>;
  spoolFolder: string;
  actor: string;
  /** Whose calls nobody watched. */
  application: string;
};

/**
 * Flags the recordings whose recorders Asterisk has ended at this time of its clock, ms, since nobody watched; gives them. A talk may also have
 * ended by itself before that, while nobody watched either: then its file was last written to before.
 */
export async function flagEndedUnwatched(
  at: number,
  { catalogue, spoolFolder, actor, application }: Ports,
): Promise<RecordingId[]> {
  const before: RecordingId[] = [];
  for (const id of await catalogue.recordings.withoutEnd(at)) {
    // A folder that cannot be read says nothing.
    const writtenAt = await lastWritten(spoolFolder, id).catch(() => undefined);
    if (writtenAt !== undefined && writtenAt < at - slackMs) before.push(id);
  }

  return catalogue.recordings.flagEndedUnwatched(at, actor, before, application);
}
