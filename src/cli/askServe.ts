import { setTimeout as sleep } from 'node:timers/promises';
import type { UserTask } from '../ari/events.ts';
import type { Order } from '../call/decide/order.ts';
import type { Catalogue } from '../catalogue/catalogue.ts';
import type { ChangeRow } from '../catalogue/rows.ts';
import { asPreavisError, PreavisError } from '../core/errors.ts';
import { isUlid, type CallId } from '../core/ids.ts';
import { makeAri } from '../services/ari.ts';
import { withCatalogue } from './withCatalogue.ts';
import { answer, type CommandContext, type ExitCode, type Json } from './context.ts';

/** How long the serve beside this command may take, ms: before it goes on, both sides hear that it does, in two languages at most. */
const doneWithinMs = 15_000;
const lookEveryMs = 100;

/** What a command asks of a call that goes on. */
export type Ask = {
  task: UserTask;
  /** Of the error where it is not done. */
  notDone: 'pause_not_done' | 'code_not_done';
  /** Why this call cannot have it, by the line as it was when the call came: serve would do nothing. undefined where it can. */
  impossible?: (order: Order) => string | undefined;
  /** What is wrong where serve takes too long. */
  late: string;
  /** What is printed once this is done, as --json has it and in words; undefined while it is not. */
  done: (
    changes: readonly ChangeRow[],
  ) => { fields: Record<string, unknown>; words: string; exit?: ExitCode } | undefined;
};

/** Serve is asked through Asterisk, as by any program; what it has done is in the catalogue. */
export function askServe(ask: Ask, context: CommandContext, id: string, { json }: Json): Promise<ExitCode> {
  const { task, notDone, impossible } = ask;

  return withCatalogue<ExitCode>(context, async (catalogue, config) => {
    const call = isUlid(id) ? await catalogue.calls.find(id as CallId) : undefined;
    if (call === undefined) throw new PreavisError('call_unknown', 'there is no call with this id');
    if (call.phase !== 'talking') throw new PreavisError(notDone, 'nobody talks in this call now');
    const order = await orderOf(call.id, catalogue);
    const why = order && impossible?.(order);
    if (why !== undefined) throw new PreavisError(notDone, why);
    const ari = makeAri(config);
    try {
      await ari.commands.ask(task, call.id);
    } catch (thrown) {
      const error = asPreavisError(thrown);
      if (error.code !== 'ari_not_found') throw error;
      throw new PreavisError(notDone, 'no serve is connected to Asterisk', { cause: error });
    } finally {
      ari.close();
    }
    const { fields, words, exit = 0 } = await becomesDone(ask, call.id, catalogue);
    answer(context, json, { call: call.id, ...fields }, () => [words]);

    return exit;
  });
}

/** What the call was to become; undefined where this version cannot read it, or it is over by now. */
async function orderOf(id: CallId, { journal }: Catalogue): Promise<Order | undefined> {
  const open = await journal.open();
  const found = open.find((state) => state.kind !== 'unreadable' && state.facts.id === id);

  return found === undefined || found.kind === 'unreadable' ? undefined : found.facts.order;
}

async function becomesDone({ notDone, late, done }: Ask, id: CallId, { timeline }: Catalogue) {
  const until = performance.now() + doneWithinMs;
  for (;;) {
    const found = done(await timeline.changes(id));
    if (found !== undefined) return found;
    if (performance.now() > until) throw new PreavisError(notDone, late);
    await sleep(lookEveryMs);
  }
}
