import type { Receipt } from '../../../src/receipt/receipt.ts';
import type { Messages } from '../messages/en.ts';
import { fill } from '../text/fill.ts';

/**
 * What the receipt shows, in one word. told: the whole notice, then the recorder; accepted: and a yes in between. Of a recording of which the
 * receipt does not show that, or something speaks against it: contradicted, the second log says something else; noticeInside, a sentence of the
 * notice was found in it; unjudged, nobody watched for a while, and it is not decided who was there; refusedKept, they refused, and it is there;
 * unproved, anything else.
 */
export type Verdict =
  | 'told'
  | 'accepted'
  | 'refused'
  | 'unrecorded'
  | 'notConnected'
  | 'goingOn'
  | 'failed'
  | 'contradicted'
  | 'noticeInside'
  | 'unjudged'
  | 'refusedKept'
  | 'unproved';

/** Who was to be told. */
export const toldSide = ({ call }: Pick<Receipt, 'call'>): 'caller' | 'destination' =>
  call.direction === 'incoming' ? 'caller' : 'destination';

/** Nothing of it is left, or ever was. */
function verdictWithout({ call, consent }: Receipt): Verdict {
  if (consent.answer === 'refused' || call.reason === 'refused' || call.reason === 'erase_asked') return 'refused';

  return call.result === 'notConnected' || call.result === 'abandoned' ? 'notConnected' : 'unrecorded';
}

export function verdictOf(receipt: Receipt): Verdict {
  const { call, consent, recording, told, unwatched, witness } = receipt;
  if (call.endedAt === null && call.result === null) return 'goingOn';
  if (recording === null || recording.status === 'discarded') return verdictWithout(receipt);
  if (consent.answer === 'refused') return recording.status === 'erased' ? 'refused' : 'refusedKept';
  if (recording.status === 'failed') return 'failed';
  if (told === null || recording.startedAt === null || (recording.gapMs ?? -1) < 0) return 'unproved';
  if (consent.mode === null || (consent.mode === 'optIn' && !isAgreedBefore(consent, recording.startedAt))) {
    return 'unproved';
  }
  if (witness?.status === 'disagrees') return 'contradicted';
  if (recording.flags.includes('notice_inside')) return 'noticeInside';
  if (unwatched.some(({ judged }) => judged === null)) return 'unjudged';

  return consent.mode === 'optIn' ? 'accepted' : 'told';
}

/** Whether a yes is shown, and its time was before that of the recorder. */
const isAgreedBefore = ({ answer, at }: Receipt['consent'], startedAt: string): boolean =>
  answer === 'accepted' && at !== null && Date.parse(at) <= Date.parse(startedAt);

function reasonText({ reason }: Pick<Receipt['call'], 'reason'>, say: Messages): string {
  const reasons = new Map(Object.entries(say.reasons));

  return reason === null ? '' : `${reasons.get(reason) ?? say.unrecorded.unknownReason}.`;
}

/** What the line at the top says more. It names nobody who did not do it: a newcomer may have refused, or a program have asked to erase. */
export function verdictText(verdict: Verdict, receipt: Receipt, say: Messages): string {
  const who = say.call.sides[toldSide(receipt)];
  const { verdicts } = say.call;
  const isShort = receipt.earlierNotice !== undefined;
  switch (verdict) {
    case 'told':
      return fill(isShort ? verdicts.toldShortText : verdicts.toldText, { who });
    case 'accepted':
      return fill(isShort ? verdicts.acceptedShortText : verdicts.acceptedText, { who });
    case 'refused':
      return receipt.consent.answer === 'refused' ? fill(verdicts.refusedText, { who }) : reasonText(receipt.call, say);
    case 'refusedKept':
      return fill(verdicts.refusedKeptText, { who });
    case 'unproved':
      return verdicts.unprovedText;
    case 'contradicted':
      return verdicts.contradictedText;
    case 'noticeInside':
      return verdicts.noticeInsideText;
    case 'unjudged':
      return verdicts.unjudgedText;
    case 'failed':
    case 'unrecorded':
      return reasonText(receipt.call, say);
    case 'notConnected':
    case 'goingOn':
      return '';
  }
}

/** What became of each newcomer, in the order of their numbers; the last word about one counts. */
export function newcomersIn({
  changes,
}: Pick<Receipt, 'changes'>): { newcomer: number; state: 'told' | 'refused' | 'untold'; at: string | null }[] {
  const states = { newcomerTold: 'told', newcomerRefused: 'refused', newcomerUntold: 'untold' } as const;
  const found = new Map<number, { state: 'told' | 'refused' | 'untold'; at: string | null }>();
  for (const { change, newcomer, at } of changes) {
    if (newcomer === null) continue;
    if (change === 'newcomerTold' || change === 'newcomerRefused' || change === 'newcomerUntold') {
      found.set(newcomer, { state: states[change], at });
    }
  }

  return [...found]
    .map(([newcomer, each]) => ({ newcomer, ...each }))
    .toSorted((one, other) => one.newcomer - other.newcomer);
}
