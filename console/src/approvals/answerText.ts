import type { Approval } from '../api/types.ts';
import type { Messages } from '../messages/en.ts';
import { fill } from '../text/fill.ts';
import type { Format } from '../text/format.ts';
import { personText } from '../text/law.ts';

/** What became of a request, in a sentence. */
export function answerText(approval: Approval, say: Messages, format: Format): string {
  const { state, answeredBy, answeredAt, until, openUntil } = approval;
  const who = personText(answeredBy ?? '');
  switch (state) {
    case 'open':
      return fill(say.approvals.openUntil, { time: format.dayAndTime(openUntil) });
    case 'approved':
      return fill(say.approvals.until, { who, time: until === null ? '' : format.dayAndTime(until) });
    case 'refused':
      return fill(say.approvals.refusedBy, { who, time: answeredAt === null ? '' : format.dayAndTime(answeredAt) });
    case 'expired':
      return say.approvals.states.expired;
  }
}
