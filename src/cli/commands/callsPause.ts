import { setTimeout as sleep } from 'node:timers/promises';
import type { Catalogue } from '../../catalogue/catalogue.ts';
import type { UserTask } from '../../ari/events.ts';
import { asPreavisError, PreavisError } from '../../core/errors.ts';
import { isUlid, type CallId } from '../../core/ids.ts';
import { makeAri } from '../../services/ari.ts';
import { withCatalogue } from '../withCatalogue.ts';
import { answer, type CommandContext, type ExitCode, type Json } from '../context.ts';

/** How long the serve beside this command may take, ms: before it goes on, both sides hear that it does, in two languages at most. */
const doneWithinMs = 15_000;
const lookEveryMs = 100;

/** Pauses the recording of a call that goes on, and returns once it is. */
export const callsPause = (context: CommandContext, id: string, options: Json): Promise<ExitCode> =>
  askServe('pause', context, id, options);

/** Lets the recording of a call go on, and returns once it does. */
export const callsResume = (context: CommandContext, id: string, options: Json): Promise<ExitCode> =>
  askServe('resume', context, id, options);

/** Serve is asked through Asterisk, as by any program; what it has done is in the catalogue. */
function askServe(task: UserTask, context: CommandContext, id: string, { json }: Json): Promise<ExitCode> {
  return withCatalogue<ExitCode>(context, async (catalogue, config) => {
    const call = isUlid(id) ? await catalogue.calls.find(id as CallId) : undefined;
    if (call === undefined) throw new PreavisError('call_unknown', 'there is no call with this id');
    if (call.phase !== 'talking') throw new PreavisError('pause_not_done', 'nobody talks in this call now');
    const ari = makeAri(config);
    try {
      await ari.commands.ask(task, call.id);
    } catch (thrown) {
      const error = asPreavisError(thrown);
      if (error.code !== 'ari_not_found') throw error;
      throw new PreavisError('pause_not_done', 'no serve is connected to Asterisk', { cause: error });
    } finally {
      ari.close();
    }
    const isPaused = await becomes(task === 'pause', call.id, catalogue);
    answer(context, json, { call: call.id, paused: isPaused }, () => [
      isPaused ? 'the recording is paused' : 'the recording is not paused',
    ]);

    return 0;
  });
}

async function becomes(isPaused: boolean, id: CallId, { timeline }: Catalogue): Promise<boolean> {
  const until = performance.now() + doneWithinMs;
  for (;;) {
    const changes = await timeline.changes(id);
    const last = changes.findLast(({ change }) => change.startsWith('pause'))?.change;
    if ((last === 'pauseBegan') === isPaused) return isPaused;
    if (performance.now() > until) {
      throw new PreavisError(
        'pause_not_done',
        isPaused ? 'serve did not pause it in time' : 'serve did not let it go on in time',
      );
    }
    await sleep(lookEveryMs);
  }
}
