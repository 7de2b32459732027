import type { Change } from '../../call/watch/timeline.ts';
import type { ChangeRow } from '../../catalogue/rows.ts';
import { askServe, type Ask } from '../askServe.ts';
import type { CommandContext, ExitCode, Json } from '../context.ts';

/** What else than a pause may be asked of a call that goes on. Each counts once: asked again, it is done already. */

const has = (changes: readonly ChangeRow[], wanted: Change): boolean => changes.some(({ change }) => change === wanted);

type Once = { change: Change; fields: Record<string, unknown>; words: string } & Pick<Ask, 'impossible' | 'late'>;

/** Done as soon as the call has this change. */
const once = (task: Ask['task'], { change, fields, words, ...more }: Once): Ask => ({
  ...more,
  task,
  notDone: 'code_not_done',
  done: (changes) => (has(changes, change) ? { fields, words } : undefined),
});

const record = once('record', {
  change: 'recordAsked',
  impossible: ({ records }) =>
    records === 'onRequest' ? undefined : 'its line did not record on request (records: onRequest) when the call came',
  late: 'serve did not record it in time',
  fields: { recorded: true },
  words: 'it is recorded from now on',
});

const erase = once('erase', {
  change: 'eraseAsked',
  late: 'serve did not erase it in time',
  fields: { erased: true },
  words: 'what was recorded is removed',
});

const exemplary = once('exemplary', {
  change: 'exemplaryMarked',
  late: 'serve did not mark it in time',
  fields: { exemplary: true },
  words: 'the call is marked as exemplary',
});

const agreement: Ask = {
  task: 'agreement',
  notDone: 'code_not_done',
  impossible: ({ agreement: asked }) =>
    asked === undefined ? 'its line had no purpose for agreements (codes.agreement) when the call came' : undefined,
  late: 'serve did not mark it in time',
  done: (changes) => {
    if (has(changes, 'agreementMarked')) return { fields: { agreement: true }, words: 'the agreement is marked' };
    if (!has(changes, 'agreementUntold')) return undefined;
    return { fields: { agreement: false }, words: 'no purpose is added: the notice did not name it', exit: 3 };
  },
};

type Command = (context: CommandContext, id: string, options: Json) => Promise<ExitCode>;

/** Records a call from now on, and returns once both were told. */
export const callsRecord: Command = (...given) => askServe(record, ...given);

/** Stops the recording of a call and removes what it has. */
export const callsErase: Command = (...given) => askServe(erase, ...given);

/** Marks that an agreement is made; exit 3 where the caller was not told of its purpose. */
export const callsAgreement: Command = (...given) => askServe(agreement, ...given);

/** Marks a call as exemplary. */
export const callsExemplary: Command = (...given) => askServe(exemplary, ...given);
