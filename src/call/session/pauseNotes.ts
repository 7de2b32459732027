import type { CallEvent } from '../decide/events.ts';
import type { PauseAsker } from '../decide/order.ts';
import { pausedIn } from '../decide/pause.ts';
import type { CallState } from '../decide/state.ts';
import type { TimelineEntry } from '../watch/timeline.ts';

/** What the receipt has of a pause that somebody asks for. */

const partyOf = (by: PauseAsker) => (by === 'operator' ? {} : { party: by });

/** The beginning of the pause of this call; undefined where it has none. */
export function pauseOf(state: CallState): TimelineEntry | undefined {
  const paused = pausedIn(state);
  if (paused === undefined) return undefined;

  return { kind: 'change', change: 'pauseBegan', at: paused.since, ...partyOf(paused.by) };
}

/** A pause that has begun with this event, or ended; undefined where neither is so. One that ends with the recording has no end. */
export function pauseChange(before: CallState, after: CallState, event: CallEvent): TimelineEntry | undefined {
  const [was, is] = [pausedIn(before), pausedIn(after)];
  if (was === undefined) return pauseOf(after);
  if (is !== undefined || (event.type !== 'pauseSaid' && event.type !== 'resumeAsked')) return undefined;
  const by = event.type === 'resumeAsked' ? event.by : (was.endsBy ?? 'operator');
  const { at } = event;

  return by === 'limit'
    ? { kind: 'change', change: 'pauseExpired', at }
    : { kind: 'change', change: 'pauseEnded', at, ...partyOf(by) };
}
