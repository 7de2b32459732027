import type { BridgeId, ChannelId, PlaybackId } from '../../core/ids.ts';
import type { AskedMark, Asker, Order, Party, PauseWord } from './order.ts';
import type { UnrecordedReason } from './unrecordedReasons.ts';
import type { NoticeProof } from './verification.ts';

/**
 * What can happen to a call, as `decide` sees it. `at` is Asterisk's clock, in ms since 1970 UTC, for everything that is
 * proof (P8); events that stem from our own side (a refused request, a time limit) have none, and it is undefined where
 * Asterisk's own event was missed and only its effect is seen.
 */
export type CallEvent =
  /** What is known of the caller and the dialplan's wish have become an order. */
  | { type: 'planned'; order: Order }
  | { type: 'ready' }
  | { type: 'notReady'; reason: UnrecordedReason }
  | { type: 'callerAnswered' }
  | { type: 'playbackStarted'; playbackId: PlaybackId; at: number }
  /** `sinceAskedMs`: from our request to this news, by a clock that nobody can set. */
  | { type: 'playbackFinished'; playbackId: PlaybackId; at: number; outcome: 'done' | 'failed'; sinceAskedMs?: number }
  /** Asterisk was asked whether the caller could hear the notice: whether they hold, whether anything came from them. */
  | { type: 'noticeConfirmed' }
  | { type: 'noticeDenied'; why: 'notice_on_hold' | 'notice_not_received' }
  /** A key of the caller, when it was let go. */
  | { type: 'digit'; digit: string; at: number }
  /** The caller put us on hold: what plays now is not heard. */
  | { type: 'callerHeld' | 'callerResumed'; at: number }
  /** Whom they called put the caller on hold, or is back. */
  | { type: 'destinationHeld' | 'destinationResumed'; at: number }
  /** Who has put the other on hold, as it is found after events were missed. */
  | { type: 'holdsFound'; holding: readonly Party[] }
  | { type: 'destinationRinging' }
  | { type: 'destinationAnswered'; at: number | undefined }
  /** No cause: it left the application (a transfer, say) but still exists. */
  | { type: 'destinationLeft'; at: number | undefined; cause: number | undefined }
  /** A channel that is neither of the two came into the bridge: somebody who was not told. */
  | ({ type: 'thirdPartyJoined'; channel: ChannelId; at?: number; never?: true } & WithStaff)
  | { type: 'thirdPartyLeft'; channel: ChannelId; at?: number }
  /** A transfer: `channel` has taken the place of one of the two in the bridge. Whoever is behind it was not told. */
  | ({ type: 'partyReplaced'; party: 'caller' | 'destination'; channel: ChannelId; at?: number } & WithStaff)
  /**
   * A party is a Local/ channel, and these talk behind it now, at the far end of however many of them; nobody, until the first is there.
   * `unwatched`: they are found after events were missed while a recorder may have run, so who was first is not known. `never`: one of
   * them has a number that is never recorded.
   */
  | ({
      type: 'farEndSeen';
      party: Party;
      channels: readonly ChannelId[];
      at: number | undefined;
      unwatched?: true;
      never?: true;
    } & WithStaff)
  /** Of those behind the caller's Local/ channel these left before the notice was known to be heard. */
  | { type: 'farEndLeft'; channels: readonly ChannelId[] }
  /** Nobody of those who were behind it is any more, or it cannot be seen who is: whoever comes next was not told. */
  | { type: 'farEndLost'; party: Party }
  /** `part`: of a followed call, as in its order. */
  | { type: 'recorderStarted'; at: number | undefined; part?: number }
  | { type: 'recorderFinished'; at: number | undefined; part?: number }
  | { type: 'recorderFailed'; part?: number }
  /** The process before has written down that it asks for this recorder, and has died before it did. */
  | { type: 'recorderUnbegun'; part?: number }
  /**
   * The channel of a followed caller has a wideband codec. It is told before they are let go: their talk may begin before Asterisk answers that
   * request.
   */
  | { type: 'widebandSeen' }
  /** A followed caller goes on in the dialplan. */
  | { type: 'callerReleased' }
  /**
   * A followed caller is in a bridge with these, and was in none with anybody before; or is so no more. `never`, here and where somebody
   * joins: one of them has a number that is never recorded.
   */
  | ({
      type: 'joined';
      bridge: BridgeId;
      others: readonly ChannelId[];
      at: number | undefined;
      never?: true;
    } & WithStaff)
  | { type: 'parted'; at: number | undefined }
  /** A newcomer has heard the notice whole, and agreed where they were asked. */
  | { type: 'newcomerTold'; channel: ChannelId; told: NoticeProof }
  /** They did not hear it, or refused. */
  | { type: 'newcomerUntold'; channel: ChannelId }
  /**
   * Somebody asks that nothing be recorded from now on. `since`: from when on nothing may be heard, since they have begun to ask. `until`:
   * when it ends by itself; undefined where it stays. Times are Asterisk's.
   */
  | { type: 'pauseAsked'; by: Asker; at: number; since: number; until: number | undefined }
  /** Somebody asks that it go on, or its time is over. */
  | { type: 'resumeAsked'; by: Asker | 'limit'; at: number }
  /** Both were told, or could not be. `at`: when, by Asterisk; undefined where it did not tell. */
  | { type: 'pauseSaid'; word: PauseWord; at: number | undefined }
  /** Of a line that records on request: somebody asks that it be recorded from now on. */
  | { type: 'recordAsked'; by: Asker; at: number }
  /** Somebody asks that what was recorded be removed, and nothing more be recorded. */
  | { type: 'eraseAsked'; by: Asker; at: number }
  /** Both were told so, or could not be. */
  | { type: 'eraseSaid' }
  | { type: 'markAsked'; mark: AskedMark; by: Asker; at: number }
  /** A party is not heard by the other while the recorder runs, and nothing else helps. */
  | { type: 'partyUnheard' }
  /** A party of a followed call goes on from another RTP source, whose sound the snoop that records them may drop for minutes. */
  | { type: 'sourceChanged' }
  /** The recorder was stopped since the disk is nearly full. */
  | { type: 'roomSpent' }
  | { type: 'callerLeft'; at: number | undefined }
  /**
   * The caller's channel left the application and was not asked to hang up before: the dialplan goes on with it, since a time limit was
   * over (session/patience.ts), or another application sent it on.
   */
  | { type: 'callerSentOn'; at: number | undefined }
  /** The events of some time are lost: whether the caller pressed keys or put us on hold meanwhile is not known. */
  | { type: 'eventsMissed' }
  /** Events were missed while this call was not yet connected: what was heard can no longer be proved. */
  | { type: 'interrupted' }
  /** The bridge is no more, or one of the two is not in it. `alone`: who of the two talks in no other, and would listen to nothing. */
  | { type: 'bridgeGone'; alone: readonly Party[] }
  /** `part`: of a recorder, whose part of a followed call it was to be. */
  | { type: 'stepFailed'; step: FallibleStep; part?: number }
  | { type: 'timeUp'; timer: Timer };

/** `staff`: who of those who come is known by their extension to be of the house. They know that calls are recorded. */
type WithStaff = { staff?: readonly ChannelId[] };

/** Effects that Asterisk or the catalogue may refuse; `stepFailed` names the one that was. */
export type FallibleStep =
  | 'save'
  | 'plan'
  | 'answer'
  | 'prepare'
  | 'play'
  | 'confirmNotice'
  | 'dial'
  | 'release'
  | 'startRecorder'
  | 'sayToBoth';

/** One timer runs at a time. */
export type Timer =
  'answer' | 'playback' | 'confirmation' | 'choice' | 'consent' | 'dial' | 'release' | 'recorderFinish';
