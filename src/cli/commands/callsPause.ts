import type { ChangeRow } from '../../catalogue/rows.ts';
import { askServe, type Ask } from '../askServe.ts';
import type { CommandContext, ExitCode, Json } from '../context.ts';

/** Pauses the recording of a call that goes on, and returns once it is. */
export const callsPause = (context: CommandContext, id: string, options: Json): Promise<ExitCode> =>
  askServe(pause, context, id, options);

/** Lets the recording of a call go on, and returns once it does. */
export const callsResume = (context: CommandContext, id: string, options: Json): Promise<ExitCode> =>
  askServe(resume, context, id, options);

const isPaused = (changes: readonly ChangeRow[]): boolean =>
  changes.findLast(({ change }) => change.startsWith('pause'))?.change === 'pauseBegan';

const pause: Ask = {
  task: 'pause',
  notDone: 'pause_not_done',
  late: 'serve did not pause it in time',
  done: (changes) => (isPaused(changes) ? { fields: { paused: true }, words: 'the recording is paused' } : undefined),
};

const resume: Ask = {
  task: 'resume',
  notDone: 'pause_not_done',
  late: 'serve did not let it go on in time',
  done: (changes) =>
    isPaused(changes) ? undefined : { fields: { paused: false }, words: 'the recording goes on, or was not paused' },
};
