import type { CallEvent } from '../decide/events.ts';
import { pausedIn } from '../decide/pause.ts';
import type { Asker, Mark } from '../decide/order.ts';
import type { CallState } from '../decide/state.ts';
import type { Change, TimelineEntry } from '../watch/timeline.ts';

/** What the receipt has of what somebody asks for in a talk. */

const partyOf = (by: Asker) => (by === 'operator' ? {} : { party: by });

/** The beginning of the pause of this call; undefined where it has none. */
export function pauseOf(state: CallState): TimelineEntry | undefined {
  const paused = pausedIn(state);
  if (paused === undefined || paused.by === 'line') return undefined;

  return { kind: 'change', change: 'pauseBegan', at: paused.since, ...partyOf(paused.by) };
}

/** A pause that has begun with this event, or ended; undefined where neither is so. One that ends with the recording has no end. */
export function pauseChange(before: CallState, after: CallState, event: CallEvent): TimelineEntry | undefined {
  const [was, is] = [pausedIn(before), pausedIn(after)];
  if (was === undefined) return pauseOf(after);
  if (is !== undefined) return undefined;
  if (event.type !== 'pauseSaid' && event.type !== 'resumeAsked' && event.type !== 'recordAsked') return undefined;
  const by = event.type === 'pauseSaid' ? (was.endsBy ?? 'operator') : event.by;
  const { at } = event;
  if (by === 'limit') return { kind: 'change', change: 'pauseExpired', at };

  return { kind: 'change', change: was.by === 'line' ? 'recordAsked' : 'pauseEnded', at, ...partyOf(by) };
}

const markChanges: Readonly<Record<Mark, Change>> = {
  agreement: 'agreementMarked',
  agreementUntold: 'agreementUntold',
  exemplary: 'exemplaryMarked',
};

/** What was marked with this event, or asked to be erased; undefined where nothing was. */
export function askedChange(before: CallState, after: CallState, event: CallEvent): TimelineEntry | undefined {
  if (event.type === 'eraseAsked' && before !== after)
    return { kind: 'change', change: 'eraseAsked', at: event.at, ...partyOf(event.by) };
  if (event.type !== 'markAsked') return undefined;
  const was = before.facts.marks ?? [];
  const mark = after.facts.marks?.find((each) => !was.includes(each));

  return mark && { kind: 'change', change: markChanges[mark], at: event.at, ...partyOf(event.by) };
}
