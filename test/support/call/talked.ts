import type { Agent, Call } from '../../../lab/telephones/sip.ts';

/** From the start of a recorder until this telephone hung up, ms. Asterisk may end the file later, on a busy machine by most of a second. */
export function talkedMs(telephone: Pick<Agent | Call, 'events'>, startedAt: number | null | undefined): number {
  const hungUpAt = telephone.events().findLast(({ name }) => name === 'byeSent')?.at ?? Infinity;

  return hungUpAt - (startedAt ?? 0);
}
