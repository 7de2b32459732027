import { setTimeout as sleep } from 'node:timers/promises';
import type { UserTask } from '../ari/events.ts';
import type { Order } from '../call/decide/order.ts';
import type { Change } from '../call/watch/timeline.ts';
import type { CataloguePart } from '../catalogue/catalogue.ts';
import type { CallRow, ChangeRow } from '../catalogue/rows.ts';
import type { Config } from '../config/schema.ts';
import { servingAs } from '../config/workers.ts';
import { asPreavisError, PreavisError } from '../core/errors.ts';
import type { CallId } from '../core/ids.ts';
import { makeAri } from './ari.ts';
import { serveNameOf } from './serveName.ts';

/** What is asked of a call that goes on, by whoever does not serve it. */

/** How long the serve may take, ms: before it goes on, both sides hear that it does, in two languages at most. */
const doneWithinMs = 15_000;
const lookEveryMs = 100;

/** `fields`: as programs are told of it; `isFull`: whether all of what was asked is done. */
export type Done = { fields: Record<string, unknown>; words: string; isFull: boolean };

export type Ask = {
  task: UserTask;
  /** Of the error where it is not done. */
  notDone: 'pause_not_done' | 'code_not_done';
  /** Why this call cannot have it, by the line as it was when the call came: serve would do nothing. undefined where it can. */
  impossible?: (order: Order) => string | undefined;
  /** What is wrong where serve takes too long. */
  late: string;
  /** What became of it; undefined while it is not done. */
  done: (changes: readonly ChangeRow[]) => Done | undefined;
};

type AskPorts = { config: Config; catalogue: CataloguePart<{ timeline: 'changes'; journal: 'open' }> };

/**
 * Serve is asked through Asterisk, as by any program; what it has done is in the catalogue.
 *
 * @throws PreavisError `pause_not_done`, `code_not_done`, and what Asterisk or the catalogue throws
 */
export async function askServe(
  ask: Ask,
  call: Pick<CallRow, 'id' | 'phase' | 'pbx' | 'application'>,
  { config, catalogue }: AskPorts,
): Promise<Done> {
  const { task, notDone, impossible } = ask;
  if (call.phase !== 'talking') throw new PreavisError(notDone, 'nobody talks in this call now');
  const { pbx } = serveNameOf(config);
  if (pbx !== undefined && call.pbx !== pbx) {
    throw new PreavisError(
      notDone,
      `the call is at ${call.pbx === null ? 'another PBX' : `the PBX ${call.pbx}`}: ask there`,
    );
  }
  const order = await orderOf(call.id, catalogue);
  const why = order && impossible?.(order);
  if (why !== undefined) throw new PreavisError(notDone, why);
  // Whoever has the calls of that one of two workers hears it.
  const ari = makeAri(servingAs(config, call.application ?? config.ari.application));
  try {
    await ari.commands.ask(task, call.id);
  } catch (thrown) {
    const error = asPreavisError(thrown);
    if (error.code !== 'ari_not_found') throw error;
    throw new PreavisError(notDone, 'no serve is connected to Asterisk', { cause: error });
  } finally {
    ari.close();
  }

  return becomesDone(ask, call.id, catalogue);
}

/** What the call was to become; undefined where this version cannot read it, or it is over by now. */
async function orderOf(id: CallId, { journal }: AskPorts['catalogue']): Promise<Order | undefined> {
  const open = await journal.open();
  const found = open.find((state) => state.kind !== 'unreadable' && state.facts.id === id);

  return found === undefined || found.kind === 'unreadable' ? undefined : found.facts.order;
}

async function becomesDone({ notDone, late, done }: Ask, id: CallId, { timeline }: AskPorts['catalogue']) {
  const until = performance.now() + doneWithinMs;
  for (;;) {
    const found = done(await timeline.changes(id));
    if (found !== undefined) return found;
    if (performance.now() > until) throw new PreavisError(notDone, late);
    await sleep(lookEveryMs);
  }
}

const isPaused = (changes: readonly ChangeRow[]): boolean =>
  changes.findLast(({ change }) => change.startsWith('pause'))?.change === 'pauseBegan';

const has = (changes: readonly ChangeRow[], wanted: Change): boolean => changes.some(({ change }) => change === wanted);

type Once = { change: Change; fields: Record<string, unknown>; words: string } & Pick<Ask, 'impossible' | 'late'>;

/** Each counts once: asked again, it is done already. */
const once = (task: Ask['task'], { change, fields, words, ...more }: Once): Ask => ({
  ...more,
  task,
  notDone: 'code_not_done',
  done: (changes) => (has(changes, change) ? { fields, words, isFull: true } : undefined),
});

/** All that can be asked. */
export const asks: Readonly<Record<UserTask, Ask>> = {
  pause: {
    task: 'pause',
    notDone: 'pause_not_done',
    late: 'serve did not pause it in time',
    done: (changes) =>
      isPaused(changes) ? { fields: { paused: true }, words: 'the recording is paused', isFull: true } : undefined,
  },
  resume: {
    task: 'resume',
    notDone: 'pause_not_done',
    late: 'serve did not let it go on in time',
    done: (changes) =>
      isPaused(changes)
        ? undefined
        : { fields: { paused: false }, words: 'the recording goes on, or was not paused', isFull: true },
  },
  record: once('record', {
    change: 'recordAsked',
    impossible: ({ records }) =>
      records === 'onRequest'
        ? undefined
        : 'its line did not record on request (records: onRequest) when the call came',
    late: 'serve did not record it in time',
    fields: { recorded: true },
    words: 'it is recorded from now on',
  }),
  erase: once('erase', {
    change: 'eraseAsked',
    late: 'serve did not erase it in time',
    fields: { erased: true },
    words: 'what was recorded is removed',
  }),
  exemplary: once('exemplary', {
    change: 'exemplaryMarked',
    late: 'serve did not mark it in time',
    fields: { exemplary: true },
    words: 'the call is marked as exemplary',
  }),
  agreement: {
    task: 'agreement',
    notDone: 'code_not_done',
    impossible: ({ agreement: asked }) =>
      asked === undefined ? 'its line had no purpose for agreements (codes.agreement) when the call came' : undefined,
    late: 'serve did not mark it in time',
    done: (changes) => {
      if (has(changes, 'agreementMarked')) {
        return { fields: { agreement: true }, words: 'the agreement is marked', isFull: true };
      }
      if (!has(changes, 'agreementUntold')) return undefined;
      const words = 'no purpose is added: the notice did not name it';

      return { fields: { agreement: false }, words, isFull: false };
    },
  },
};
