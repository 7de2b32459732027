import type { AriEvent } from '../../ari/events.ts';
import type { PlaybackId } from '../../core/ids.ts';
import { partyOf } from './eventRouting.ts';
import { sentencesOf } from '../plan/planner.ts';
import type { Sentence } from '../decide/sentence.ts';
import type { TimelineEntry } from './ports.ts';
import type { CallState } from '../decide/state.ts';

/** What of Asterisk's events only the receipt tells. */

function said(
  event: Extract<AriEvent, { type: 'playbackStarted' | 'playbackFinished' }>,
  { facts }: CallState,
  begun: Map<PlaybackId, number>,
): TimelineEntry | undefined {
  const { playbackId, at } = event;
  const isThis = (each: Sentence): boolean => each.playbackId === playbackId;
  // Most are of the notice: that is in the state.
  if (facts.order === undefined || facts.order.script.sentences.some(isThis)) return undefined;
  const sentence = sentencesOf(facts.order).find(isThis);
  if (sentence === undefined) return undefined;
  if (event.type === 'playbackStarted') {
    begun.set(playbackId, at);
    return { kind: 'said', sentence, startedAt: at, finishedAt: undefined };
  }
  const startedAt = begun.get(playbackId);
  begun.delete(playbackId);

  // One that failed was not heard to its end.
  return event.outcome === 'done' ? { kind: 'said', sentence, startedAt, finishedAt: at } : undefined;
}

/**
 * What this event is to the receipt; undefined for most.
 *
 * @param begun when each sentence began whose end was not yet seen; kept up to date here
 */
export function timelineEntryOf(
  event: AriEvent,
  state: CallState,
  begun: Map<PlaybackId, number>,
): TimelineEntry | undefined {
  switch (event.type) {
    case 'playbackStarted':
    case 'playbackFinished':
      return said(event, state, begun);
    case 'channelHeld':
    case 'channelResumed': {
      const party = partyOf(event.channelId, state.facts);
      const change = event.type === 'channelHeld' ? 'held' : 'resumed';
      // Asterisk tells of a party that is back also when it transfers a call without having held it.
      const isNews =
        party !== undefined && ('holding' in state ? state.holding.includes(party) : false) === (change === 'resumed');
      return isNews ? { kind: 'change', change, at: event.at, party } : undefined;
    }
    case 'bridgeEntered':
      return partyOf(event.channelId, state.facts) === undefined
        ? { kind: 'change', change: 'joined', at: event.at }
        : undefined;
    case 'bridgeLeft':
    case 'channelArrived':
    case 'channelHangingUp':
    case 'channelLeft':
    case 'channelGone':
    case 'channelUp':
    case 'channelForwarded':
    case 'channelRinging':
    case 'digit':
    case 'talk':
    case 'recorderStarted':
    case 'recorderFinished':
    case 'recorderFailed':
    case 'bridgeGone':
    case 'applicationReplaced':
      return undefined;
  }
}
