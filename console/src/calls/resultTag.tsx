import type { Call } from '../api/types.ts';
import { useSpeech } from '../text/say.tsx';
import { Icon, type IconName } from '../ui/icon.tsx';
import { isWantedReason } from './wantedReasons.ts';

type Shown = { kind: 'good' | 'calm' | 'fault' | 'now'; icon: IconName; result: string; reason: string | undefined };

function shownOf({ result, reason }: Pick<Call, 'result' | 'reason'>): Shown {
  switch (result) {
    case null:
      return { kind: 'now', icon: 'play', result: 'goingOn', reason: undefined };
    case 'recorded':
      return { kind: 'good', icon: 'check', result, reason: undefined };
    case 'unrecorded':
    case 'turnedAway': {
      const isWanted = isWantedReason(reason);

      return { kind: isWanted ? 'calm' : 'fault', icon: isWanted ? 'none' : 'warning', result, reason: reason ?? '' };
    }
    default:
      return { kind: 'calm', icon: 'none', result, reason: undefined };
  }
}

/** What became of a call, by a sign and in words: never by its colour alone. */
export function ResultTag({ call }: { call: Pick<Call, 'result' | 'reason'> }) {
  const { say } = useSpeech();
  const { kind, icon, result, reason } = shownOf(call);
  const results = new Map(Object.entries(say.results));
  const reasons = new Map(Object.entries(say.reasons));

  return (
    <span class="result">
      <span class={`tag tag-${kind}`}>
        <Icon name={icon} isFilled={icon === 'play'} />
        {results.get(result) ?? result}
      </span>
      {reason !== undefined && <span class="result-why">{reasons.get(reason) ?? say.unrecorded.unknownReason}</span>}
    </span>
  );
}
