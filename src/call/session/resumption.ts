import type { CallEvent } from '../decide/events.ts';
import type { CallState } from '../decide/state.ts';
import type { TimelineEntry } from '../watch/timeline.ts';

/** Between two parts of a followed call nothing is recorded, as in a hold. */

type Started = Extract<CallEvent, { type: 'recorderStarted' }>;
type Change = Extract<TimelineEntry, { kind: 'change' }>;

/** Since when nothing was recorded, and no sooner than when it goes on. */
type Gap = { pausedAt: number | undefined; doneAt?: number | undefined; askedAt?: number | undefined; isHold?: true };

/** What was recorded before this start; undefined where nothing was, or it is no news. */
function gapBefore(state: CallState, { part }: Started): Gap | undefined {
  if (state.kind !== 'talking' && state.kind !== 'following' && state.kind !== 'closing') return undefined;
  const { recorder, facts } = state;
  const last = facts.order?.part;
  if (part === undefined || last === undefined || part > last) return undefined;
  if (recorder.kind === 'requested' || recorder.kind === 'awaited') {
    const { resumes } = recorder;
    // The first part that ran has nothing before it. Of one before whose end nobody knows, this may be the start.
    const isNews = part === last || (resumes?.startedAt !== undefined && resumes.doneAt !== undefined);
    return isNews ? resumes : undefined;
  }
  // It was taken for refused, or not needed any more.
  if (recorder.kind !== 'finished' || part !== last) return undefined;

  return { pausedAt: recorder.finishedAt, doneAt: recorder.finishedAt };
}

/**
 * What the receipt has of a part that begins, whatever the call is about by then: a pause or a newcomer may have come meanwhile. One that is
 * found to run (`at` is undefined) was begun after it was asked for.
 */
export function resumptionBy(state: CallState, event: Started): readonly Change[] {
  const gap = gapBefore(state, event);
  if (gap === undefined) return [];
  const { pausedAt, doneAt, askedAt, isHold } = gap;
  const { at } = event;
  const paused: Change = {
    kind: 'change',
    change: 'recorderPaused',
    at: pausedAt,
    ...(doneAt === undefined ? {} : { doneAt }),
  };
  const resumed: Change = {
    kind: 'change',
    change: 'recorderResumed',
    at: at ?? askedAt ?? doneAt,
    ...(at === undefined ? {} : { doneAt: at }),
  };

  // A hold has told it before.
  return isHold === true ? [resumed] : [paused, resumed];
}
