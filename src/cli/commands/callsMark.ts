import type { Change } from '../../call/watch/timeline.ts';
import type { ChangeRow } from '../../catalogue/rows.ts';
import { askServe, type Ask } from '../askServe.ts';
import type { CommandContext, ExitCode, Json } from '../context.ts';

/** What else than a pause may be asked of a call that goes on. Each counts once: asked again, it is done already. */

const has = (changes: readonly ChangeRow[], wanted: Change): boolean => changes.some(({ change }) => change === wanted);

const record: Ask = {
  task: 'record',
  notDone: 'code_not_done',
  late: 'serve did not record it in time',
  done: (changes) =>
    has(changes, 'recordAsked') ? { fields: { recorded: true }, words: 'it is recorded from now on' } : undefined,
};

const erase: Ask = {
  task: 'erase',
  notDone: 'code_not_done',
  late: 'serve did not erase it in time',
  done: (changes) =>
    has(changes, 'eraseAsked') ? { fields: { erased: true }, words: 'what was recorded is removed' } : undefined,
};

const agreement: Ask = {
  task: 'agreement',
  notDone: 'code_not_done',
  late: 'serve did not mark it in time',
  done: (changes) => {
    if (has(changes, 'agreementMarked')) return { fields: { agreement: true }, words: 'the agreement is marked' };
    if (!has(changes, 'agreementUntold')) return undefined;
    return { fields: { agreement: false }, words: 'no purpose is added: the notice did not name it', exit: 3 };
  },
};

const exemplary: Ask = {
  task: 'exemplary',
  notDone: 'code_not_done',
  late: 'serve did not mark it in time',
  done: (changes) =>
    has(changes, 'exemplaryMarked')
      ? { fields: { exemplary: true }, words: 'the call is marked as exemplary' }
      : undefined,
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
