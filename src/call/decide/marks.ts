import type { CallEvent } from './events.ts';
import { saved, stay } from './handlers.ts';
import { mayRecord } from './newcomers.ts';
import type { AskedMark, Mark, Order } from './order.ts';
import { orderOf } from './parties.ts';
import { wasHeard } from './recordable.ts';
import type { Sentence } from './sentence.ts';
import type { Facts, In, Step } from './state.ts';

/**
 * What somebody marks in a talk: that an agreement is made here, so that the recording is kept for that purpose as well; or that the call is
 * exemplary. Each counts once in a call.
 */

type Talking = In<'talking'>;

/** Whether these sentences say that calls are recorded for this purpose, and for how long that is kept. */
function name(sentences: readonly Sentence[], purpose: string): boolean {
  const prompts = sentences.map(({ prompt }) => prompt);

  return (
    prompts.some(({ kind, purposes }) => kind !== 'storage' && purposes.includes(purpose)) &&
    prompts.some(({ statesMaxDays }) => statesMaxDays !== null && Object.hasOwn(statesMaxDays, purpose))
  );
}

/** The purposes that a newcomer is to be told of: those of the recording, and the one that may be added. */
export function purposesToTell({ request, agreement, script }: Order): readonly string[] {
  const { purposes } = request;
  const isPending =
    agreement !== undefined && !purposes.includes(agreement.purpose) && name(script.sentences, agreement.purpose);

  return isPending ? [...purposes, agreement.purpose] : purposes;
}

/** What this mark is in this call; undefined where it is none. */
function markOf({ facts, told }: Talking, mark: AskedMark): Mark | undefined {
  if (mark === 'exemplary') return mark;
  const { agreement } = orderOf(facts);
  if (agreement === undefined) return undefined;
  const heard = told.sentences.filter(({ verdict }) => wasHeard(verdict)).map(({ sentence }) => sentence);

  return name(heard, agreement.purpose) ? 'agreement' : 'agreementUntold';
}

/** The call that is recorded for the purpose of agreements as well, and kept as long as that wants. */
function withAgreement(facts: Facts): Facts {
  const order = orderOf(facts);
  const { agreement, request, keepDays } = order;
  if (agreement === undefined || request.purposes.includes(agreement.purpose)) return facts;

  return {
    ...facts,
    order: {
      ...order,
      request: { ...request, purposes: [...request.purposes, agreement.purpose] },
      keepDays: Math.max(keepDays, agreement.keepDays),
    },
  };
}

export function markTalk(state: Talking, { mark: asked }: Extract<CallEvent, { type: 'markAsked' }>): Step {
  const { facts } = state;
  const mark = mayRecord(state) ? markOf(state, asked) : undefined;
  const { marks = [] } = facts;
  if (mark === undefined || marks.includes(mark)) return stay(state);
  const now = mark === 'agreement' ? withAgreement(facts) : facts;

  return saved({ ...state, facts: { ...now, marks: [...marks, mark] } });
}
