import type { AriEvent } from '../../ari/events.ts';
import type { BridgeId, ChannelId, PlaybackId } from '../../core/ids.ts';
import { partyOf } from '../decide/parties.ts';
import { sentencesOf, type Party } from '../decide/order.ts';
import type { Sentence } from '../decide/sentence.ts';
import type { CallState } from '../decide/state.ts';
import type { unwatchedReasons } from './watch.ts';

/** What happened in a call and decides nothing. Times are Asterisk's, ms since 1970 UTC; undefined where it told none. */
export type TimelineEntry =
  /** A sentence that is not of the notice was said, or is being said. `newcomer`: to this one alone. */
  | {
      kind: 'said';
      sentence: Sentence;
      startedAt: number | undefined;
      finishedAt: number | undefined;
      newcomer?: ChannelId;
    }
  /** `doneAt`: for what we ask of the recorder, when Asterisk had done it at the latest. */
  | {
      kind: 'change';
      change: Change;
      at: number | undefined;
      doneAt?: number;
      party?: Party;
      /** Of somebody who came: their channels. They are not kept. */
      who?: readonly ChannelId[];
      /** Of what became of telling somebody who came: which one. It is kept, and tells one of them from another in the receipt. */
      newcomer?: ChannelId;
    }
  | { kind: 'unwatched'; interval: Unwatched };

/**
 * Nobody listened while these parties were in their bridge. `to` is null where the call was not as it had been when it was compared
 * again: then nothing after it is known to be clean either. `heardAgainAt`: from when on keys were heard again; null until then. Times
 * are Asterisk's, ms since 1970 UTC.
 */
export type Unwatched = {
  from: number;
  to: number | null;
  heardAgainAt: number | null;
  why: (typeof unwatchedReasons)[number];
  bridge: BridgeId;
  parties: readonly ChannelId[];
};

/**
 * held, resumed: this party put the other on hold, and came back. joined: somebody else came into the bridge. transferred:
 * somebody else took this party's place. awareJoined: either, by somebody who knows: staff, or who was told before. newcomerTold,
 * newcomerRefused, newcomerUntold: what became of telling them. allTold: nobody is there any more who was not told. recorderPaused,
 * recorderResumed: for a hold, for a newcomer who is told, and between two parts. recordingRemoved: what was recorded is gone, by Asterisk's
 * word. unheard: the sound of this party comes from another RTP source since some time after, and may be lost; heardAgain: until then.
 * pauseBegan: nothing is to be heard of it from then on, since this party wanted a pause, or a program did where it is none; pauseEnded: they
 * wanted it to end; pauseExpired: its time was over.
 * recordAsked: on a line that records on request, this party wanted it from then on. eraseAsked: they wanted what was recorded to be removed.
 * agreementMarked, exemplaryMarked: they marked the call so; agreementUntold: for nothing, since its purpose was not told. Without a party a
 * program or a command did.
 * neverRecorded: somebody came into the talk whose number is never recorded. turnedAway: of a call that must be recorded and could not be.
 */
export const changes = [
  'held',
  'resumed',
  'joined',
  'transferred',
  'awareJoined',
  'newcomerTold',
  'newcomerRefused',
  'newcomerUntold',
  'allTold',
  'recorderPaused',
  'recorderResumed',
  'recordingRemoved',
  'unheard',
  'heardAgain',
  'pauseBegan',
  'pauseEnded',
  'pauseExpired',
  'recordAsked',
  'eraseAsked',
  'agreementMarked',
  'agreementUntold',
  'exemplaryMarked',
  'neverRecorded',
  'turnedAway',
] as const;
export type Change = (typeof changes)[number];

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
        ? { kind: 'change', change: 'joined', at: event.at, who: [event.channelId] }
        : undefined;
    case 'bridgeLeft':
    case 'blindTransfer':
    case 'channelArrived':
    case 'channelHangingUp':
    case 'channelLeft':
    case 'channelGone':
    case 'channelUp':
    case 'channelForwarded':
    case 'channelRinging':
    case 'channelDialled':
    case 'digit':
    case 'talk':
    case 'recorderStarted':
    case 'recorderFinished':
    case 'recorderFailed':
    case 'bridgeGone':
    case 'userEvent':
    case 'channelOffered':
    case 'applicationReplaced':
      return undefined;
  }
}
