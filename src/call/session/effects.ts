import { answerInTime } from '../../ari/answerInTime.ts';
import type { AriEvent } from '../../ari/events.ts';
import type { RtpTraffic } from '../../ari/port.ts';
import { asPreavisError, PreavisError } from '../../core/errors.ts';
import { failPoint } from '../../core/failPoint.ts';
import type { ChannelId, PlaybackId } from '../../core/ids.ts';
import type { Logger } from '../../core/log.ts';
import { settleInTime } from '../../core/timeLimit.ts';
import type { CallEvent } from '../decide/events.ts';
import { audibilityLimitMs } from '../decide/notice.ts';
import { isBridged, recorderName, type Order, type RecorderId } from '../decide/order.ts';
import { secondsForPart } from '../decide/recordedTime.ts';
import {
  channelInHand,
  fallibleStep,
  type CallState,
  type Effect,
  type Facts,
  type Recorder,
} from '../decide/state.ts';
import type { Readiness } from '../plan/readiness.ts';
import { holds, whyUnheard } from '../watch/audibility.ts';
import { sendsWideband } from '../watch/codecs.ts';
import type { FollowedCall } from '../watch/farEndWatch.ts';
import type { TalkMeter } from '../watch/talkMeter.ts';
import type { TimelineEntry } from '../watch/timeline.ts';
import { applyMusicHold, type MusicHoldPorts } from './applyMusicHold.ts';
import { NewcomerNotices } from './newcomerNotices.ts';
import { PauseSentences } from './pauseSentences.ts';
import { makePatience, type Patience } from './patience.ts';
import { placeOf } from './place.ts';
import type { SessionPorts } from './ports.ts';
import { makeRetryingRequests, pausesMs, type AskRetrying } from './retryingRequests.ts';
import { returnToDialplan } from './returnToDialplan.ts';
import type { SavedCall } from './savedCall.ts';
import { setVariables } from './setVariables.ts';
import { Snoops } from './snoops.ts';

/** How long planning, and then looking at prompts and disk, may take before a call goes on unrecorded, ms. */
const readinessLimitMs = 3_000;

/** How long what follows waits for the beginning of a sentence to both, ms: Asterisk answers within 10. */
const sayLimitMs = 250;

/** The call as its effects see it. */
type Acting = Pick<FollowedCall, 'state' | 'isAbandoned' | 'handle'> & { readonly hasCallerLeft: boolean };

/**
 * Carries out the effects of one call.
 *
 * A refused request is an event (stepFailed), never an exception: a channel that is gone (404) is on its way out, and
 * its own event says so.
 */
export class CallEffects {
  readonly #ports: SessionPorts;
  readonly #call: Acting;
  readonly #saved: SavedCall;
  readonly #talk: TalkMeter;
  readonly #log: Logger;
  #timer: NodeJS.Timeout | undefined;
  #playing: { id: PlaybackId; askedAt: number | undefined } | undefined;
  /** The caller's RTP before the notice. */
  #beforeNotice: RtpTraffic | undefined;
  readonly #patience: Patience;
  readonly #askRetrying: AskRetrying;
  readonly #holdPorts: MusicHoldPorts;
  readonly #snoops: Snoops;
  readonly #newcomers: NewcomerNotices;
  readonly #pauses: PauseSentences;
  /** Resolves when what is whispered to the caller is said. */
  #whispered: Promise<void> = Promise.resolve();
  /** How many holds and their ends were told of. */
  #holdEvents = 0;

  constructor(call: Acting, saved: SavedCall, talk: TalkMeter, ports: SessionPorts) {
    const { ari, log } = ports;
    const { facts } = call.state;
    this.#call = call;
    this.#saved = saved;
    this.#talk = talk;
    this.#ports = ports;
    this.#log = log;
    this.#patience = makePatience(
      ari,
      channelInHand(facts),
      facts.request ?? {},
      () => performance.now(),
      ports.worker,
    );
    this.#snoops = new Snoops(ari);
    const told = {
      ...ports,
      snoops: this.#snoops,
      handle: (event: CallEvent) => {
        call.handle(event);
      },
      note: (entry: TimelineEntry) => {
        saved.note(entry);
      },
    };
    this.#newcomers = new NewcomerNotices({ ...told, plan: ports.planNewcomer });
    this.#pauses = new PauseSentences(told);
    this.#askRetrying = makeRetryingRequests(log);
    this.#holdPorts = {
      ari,
      askRetrying: this.#askRetrying,
      musicSince: new Map(),
      isOver: () => call.isAbandoned || call.state.kind !== 'talking',
      isRecorded: () => call.state.kind === 'talking' && !call.state.untold && call.state.recorder.kind === 'running',
      keep: (entry) => saved.keep(entry),
    };
  }

  /** Ends the timer that runs. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#newcomers.keep([]);
    this.#pauses.stop();
  }

  /** The end of a playback with the time since it was asked for, where our clock tells that. */
  timed(event: CallEvent): CallEvent {
    const playing = this.#playing;
    if (event.type !== 'playbackFinished' || playing?.id !== event.playbackId) return event;
    const now = this.#ports.clock.sinceBoot?.().ms;

    return now === undefined || playing.askedAt === undefined
      ? event
      : { ...event, sinceAskedMs: now - playing.askedAt };
  }

  /** One after another; those behind a save that failed are left out. */
  async carryOut(effects: readonly Effect[], state: CallState): Promise<void> {
    for (const effect of effects) {
      failPoint?.(`call ${placeOf(state)}, before ${effect.type}`);
      try {
        await this.#perform(effect, state);
      } catch (thrown) {
        this.#failed(effect, asPreavisError(thrown));
        if (effect.type === 'save' && effect.goesOn !== true) return;
      }
    }
  }

  /** Once they are answered: whoever holds since before hears no notice. */
  async #lookAtCaller(caller: ChannelId): Promise<void> {
    const { ari } = this.#ports;
    const asked = Promise.all([holds(caller, ari), ari.rtp(caller)]);
    const [isHolding, rtp] = await answerInTime(audibilityLimitMs, asked);
    this.#beforeNotice = rtp;
    this.#call.handle(isHolding ? { type: 'noticeDenied', why: 'notice_on_hold' } : { type: 'callerAnswered' });
  }

  /** What follows is to happen at once, so an Asterisk that does not answer is waited for no longer than this. */
  async #sayToBoth(effect: Extract<Effect, { type: 'sayToBoth' }>): Promise<void> {
    const { prompt, playbackId } = effect.sentence;
    const asked = this.#ports.ari.playToBridge(effect.bridge, playbackId, prompt.soundName, prompt.language);
    if ((await settleInTime(sayLimitMs, asked, () => 'late')) !== 'late') return;
    void asked.catch((thrown: unknown) => {
      this.#failed(effect, asPreavisError(thrown));
    });
  }

  #failed(effect: Effect, error: PreavisError): void {
    this.#note(effect, error);
    const step = fallibleStep(effect);
    // One of an earlier part, whose talk was over before its turn came, says nothing of the one that was asked for since.
    const part = effect.type === 'startRecorder' ? effect.order.part : undefined;
    if (step !== undefined && !isRaceWithHangUp(effect, error))
      this.#call.handle({ type: 'stepFailed', step, ...(part === undefined ? {} : { part }) });
  }

  #note(effect: Effect, error: PreavisError): void {
    // A channel or bridge that is gone is the normal end of a race with a hang-up.
    if (error.code === 'ari_not_found') this.#log.debug({ effect: effect.type }, 'channel or bridge already gone');
    else this.#log.warn({ effect: effect.type, code: error.code, err: error }, 'call step failed');
  }

  // eslint-disable-next-line max-lines-per-function -- A case for each effect.
  async #perform(effect: Effect, state: CallState): Promise<void> {
    const { ari } = this.#ports;
    const caller = state.facts.callerChannel;
    const inHand = channelInHand(state.facts);
    switch (effect.type) {
      case 'save':
        return this.#saved.save(state);
      case 'plan':
        return this.#plan();
      case 'checkReadiness':
        return this.#checkReadiness(state);
      case 'answer':
        await this.#watchCalled(state.facts);
        await ari.answer(inHand);
        return this.#lookAtCaller(caller);
      case 'play': {
        const { prompt, playbackId } = effect.sentence;
        // While languages were offered the caller may have been heard, and not since.
        if (state.kind === 'announcing' && state.played.length === 0 && state.facts.order?.menu !== undefined) {
          const rtp = await answerInTime(audibilityLimitMs, ari.rtp(caller));
          this.#beforeNotice = rtp && { ...rtp, reported: this.#beforeNotice?.reported ?? '' };
        }
        this.#playing = { id: playbackId, askedAt: this.#ports.clock.sinceBoot?.().ms };
        return ari.play(inHand, playbackId, prompt.soundName, prompt.language);
      }
      case 'confirmNotice': {
        const why = await whyUnheard(caller, this.#beforeNotice, ari, throughMs(state));
        this.#call.handle(why === undefined ? { type: 'noticeConfirmed' } : { type: 'noticeDenied', why });
        return;
      }
      case 'stopPlayback':
        return ari.stopPlayback(effect.playbackId);
      case 'rememberLanguage':
        return this.#ports.rememberLanguage(effect.language);
      case 'sayToBoth':
        return this.#sayToBoth(effect);
      case 'prepare': {
        const { bridge, destination, request } = effect.order;
        const made = await Promise.allSettled([
          ari.createBridge(bridge),
          ari.createChannel(destination, request.to, caller, { 'TALK_DETECT(set)': '' }),
        ]);
        // Both are over before either counts as refused: cleaning up must not overtake what is still being made.
        for (const each of made) if (each.status === 'rejected') throw each.reason;
        return;
      }
      case 'dial': {
        const { bridge, destination, request } = effect.order;
        await ari.addToBridge(bridge, [caller, destination]);
        // At once with the dialling: before, a caller would wait without limit for a Préavis that hangs in between.
        await Promise.all([this.#patience.end(), ari.dial(destination, caller, request.timeoutSeconds)]);
        return;
      }
      case 'ring':
        return ari.ring(caller);
      case 'ringStop':
        return ari.ringStop(caller);
      case 'release':
        return this.#release(effect.order, state.facts);
      case 'whisper':
        this.#whisper(effect);
        return;
      case 'startRecorder': {
        if (!isBridged(effect.order)) {
          return this.#recordFollowed(effect.order, caller);
        }
        const { bridge, recording, maximumSeconds } = effect.order;
        return ari.recordBridge(bridge, recorderName(recording), maximumSeconds);
      }
      case 'watchHolds':
        // What is saved behind it waits for no answer about holds: of a talk that is not saved yet a crash leaves nothing.
        void this.#watchHolds(effect.channel, caller).catch((thrown: unknown) => {
          this.#failed(effect, asPreavisError(thrown));
        });
        return;
      case 'tellNewcomer':
        this.#newcomers.tell(effect.channel, effect.order);
        return;
      case 'sayPause':
        void this.#pauses.say(effect.word, effect.order, caller);
        return;
      case 'sayErased': {
        const begun = this.#pauses.say('erased', effect.order, caller);
        // The recorder of a bridge goes behind it (decide/erase.ts).
        return isBridged(effect.order) ? begun : undefined;
      }
      case 'hold':
        return applyMusicHold(effect, this.#holdPorts);
      case 'stopRecorder':
        return this.#insist(requestName(effect), () =>
          effect.part === undefined ? ari.stopRecorder(recorderName(effect.recording)) : this.#snoops.stop(effect),
        );
      case 'discardRecorder':
        return this.#insist(
          requestName(effect),
          () =>
            effect.part === undefined
              ? ari.discardRecorder(recorderName(effect.recording))
              : this.#snoops.discard(effect),
          () => this.#saved.recordingRemoved(),
        );
      case 'tellRecorded':
        // What was heard before the recorder began is not in the recording.
        this.#talk.startAt(state.kind === 'talking' ? startOf(state.recorder) : undefined, partiesOf(state));
        return setVariables(ari, caller, {
          PREAVIS_RESULT: 'recorded',
          PREAVIS_RECORDING: effect.recording,
          // Until somebody asked for it, it had one.
          ...(state.facts.order?.records === undefined ? {} : { PREAVIS_REASON: '' }),
          // As Dial() leaves it, for an extension h.
          DIALSTATUS: 'ANSWER',
          // The destination's channel is made with it.
          'TALK_DETECT(set)': '',
        });
      case 'tellUnrecorded':
        return setVariables(ari, caller, {
          PREAVIS_RESULT: 'unrecorded',
          PREAVIS_REASON: effect.reason,
          PREAVIS_RECORDING: '',
          DIALSTATUS: 'ANSWER',
        });
      // Without this, who is left of a call would listen to nothing until they hang up.
      case 'hangUpCaller':
        return this.#insist(effect.type, () => ari.hangUp(caller));
      case 'hangUpDestination':
        return this.#insist(effect.type, () => ari.hangUp(effect.destination));
      case 'hangUpReplaced':
        return ari.hangUp(effect.channel);
      case 'leaveBridge':
        return ari.removeFromBridge(effect.bridge, caller);
      case 'destroyBridge':
        return this.#insist(effect.type, () => ari.destroyBridge(effect.bridge));
      case 'returnToDialplan':
        return returnToDialplan({
          ari,
          channel: inHand,
          playing: this.#playing?.id,
          outcome: effect.outcome,
          isFollowed: state.facts.request?.way === 'follow',
          turnedAway: state.facts.order?.turnedAway,
          callerLeft: () => this.#call.hasCallerLeft,
        });
      case 'startTimer':
        clearTimeout(this.#timer);
        this.#timer = setTimeout(() => {
          this.#call.handle({ type: 'timeUp', timer: effect.timer });
        }, effect.ms);
        return this.#patience.renew(effect.timer, effect.ms);
      case 'stopTimer':
        clearTimeout(this.#timer);
        return;
    }
  }

  /** Behind what is whispered already: two languages at once nobody understands. What else is to happen does not wait for it. */
  #whisper(effect: Extract<Effect, { type: 'whisper' }>): void {
    this.#whispered = this.#whispered
      .then(() => this.#snoops.say(effect.channel, effect.sentence))
      .catch((thrown: unknown) => {
        this.#failed(effect, asPreavisError(thrown));
      });
  }

  async #recordFollowed(order: Order, caller: ChannelId): Promise<void> {
    const missing = await this.#snoops.record(caller, order, {
      still: () => isToBegin(this.#call.state, order),
      seconds: () => secondsForPart(this.#call.state.facts, order),
    });
    if (missing !== undefined) this.#log.error({ side: missing }, 'one side not recorded');
  }

  /** Of an outgoing call: their own channel is the dialplan's, and so is that of who waits for them. */
  async #watchCalled({ callerChannel, called }: Facts): Promise<void> {
    if (called === undefined) return;
    const { dialler } = called;
    const { ari } = this.#ports;
    await ari.followChannel(callerChannel);
    // That one is gone already is seen by the dialplan as well.
    if (dialler !== undefined) await ari.followChannel(dialler).catch(() => undefined);
  }

  /**
   * A channel that the dialplan has takes no variables from us, so they are set before. The limit of the step stays: the include file takes it away
   * itself, and a process that dies or hangs just before it lets the caller go leaves nobody waiting without one.
   */
  async #release(order: Order, facts: Facts): Promise<void> {
    const [caller, inHand] = [facts.callerChannel, channelInHand(facts)];
    // Of an outgoing call the include file gives them to the channel of who was called.
    const media = facts.called === undefined ? mediaInAsterisk : {};
    const { ari, watchesBridges } = this.#ports;
    if (!watchesBridges())
      throw new PreavisError('ari_request_failed', 'Asterisk does not tell of the bridges of others');
    const [isWideband] = await Promise.all([
      sendsWideband(caller, ari),
      ari.followChannel(caller),
      setVariables(ari, inHand, { PREAVIS_TOLD: 'yes', PREAVIS_RECORDING: order.recording, ...media }),
    ]);
    if (isWideband) this.#call.handle({ type: 'widebandSeen' });
    await ari.continueInDialplan(inHand);
    this.#call.handle({ type: 'callerReleased' });
  }

  /** One who holds already is asked about: that was told of before anybody listened. */
  async #watchHolds(channel: ChannelId, caller: ChannelId): Promise<void> {
    const { ari } = this.#ports;
    await ari.followChannel(channel);
    const ask = (): Promise<boolean[]> => Promise.all([holds(caller, ari), holds(channel, ari)]);
    let [before, [byCaller, byOther]] = [this.#holdEvents, await ask()];
    // An answer may be older than the event that has overtaken it.
    while (before !== this.#holdEvents) [before, [byCaller, byOther]] = [this.#holdEvents, await ask()];
    if (!byCaller && !byOther) return;
    // By now they may talk to somebody else, or another process has the call.
    const { state, isAbandoned } = this.#call;
    const isTheirs = state.kind === 'talking' && state.facts.order?.destination === channel;
    if (isAbandoned || !isTheirs || state.facts.callerChannel !== caller) return;
    const holding = [...(byCaller ? (['caller'] as const) : []), ...(byOther ? (['destination'] as const) : [])];
    this.#call.handle({ type: 'holdsFound', holding });
  }

  /** For what is made and whispered by snoops, and for who is being told. */
  take(event: AriEvent): void {
    if (event.type === 'channelHeld' || event.type === 'channelResumed') this.#holdEvents += 1;
    if (event.type === 'channelArrived') this.#snoops.arrived(event.channelId);
    this.#newcomers.take(event);
    this.#pauses.take(event);
    if (event.type === 'playbackFinished') this.#snoops.whispered(event.playbackId).catch(() => undefined);
  }

  /** These are still to be told. */
  keepTelling(channels: readonly ChannelId[]): void {
    this.#newcomers.keep(channels);
  }

  /** Whether the recorder that began last drops nothing that the one before has dropped. */
  get isRecorderFresh(): boolean {
    return this.#snoops.isFresh;
  }

  /** Whether the call is to hear of this: two recorders may be one to it. */
  concerns(event: AriEvent): boolean {
    return this.#snoops.concerns(event);
  }

  async #plan(): Promise<void> {
    const order = await answerInTime(readinessLimitMs, this.#ports.plan()).catch((thrown: unknown) => {
      this.#note({ type: 'plan' }, asPreavisError(thrown));
      return 'planning_failed' as const;
    });
    if (typeof order === 'string') {
      this.#call.handle({ type: 'notReady', reason: order });
      return;
    }
    this.#ports.planned(order);
    this.#call.handle({ type: 'planned', order });
  }

  async #checkReadiness({ facts }: CallState): Promise<void> {
    if (facts.order === undefined) return;
    let answer: Awaited<ReturnType<Readiness['check']>>;
    try {
      answer = await answerInTime(readinessLimitMs, this.#ports.readiness.check(facts.order));
    } catch (thrown) {
      // Without an answer from Asterisk nothing is proved: the same as a missing prompt.
      this.#log.warn({ code: asPreavisError(thrown).code }, 'prompt check failed');
      answer = 'prompts_missing';
    }
    this.#call.handle(answer === 'ready' ? { type: 'ready' } : { type: 'notReady', reason: answer });
  }

  /**
   * P1: a recorder that must not run on is stopped however often it takes, also after the end of the call. So with what else
   * nobody would end later.
   */
  #insist(name: string, request: () => Promise<void>, done?: () => Promise<void>): Promise<void> {
    const isOver = (tries: number): boolean =>
      this.#call.isAbandoned || (this.#call.state.kind === 'ended' && tries >= pausesMs.length);

    return this.#askRetrying({ name, request, isOver, done });
  }
}

/**
 * A frame hook, which drops what is never there. A channel that has one keeps its sound in Asterisk: with direct media the telephones would
 * be sent elsewhere just as a talk begins, and back once the snoop is there, and its first sound would be lost. Unlike an audio hook it has
 * no translator, which would outlive a change of the other party. Needs func_frame_drop; without it Asterisk logs an error, no more.
 */
const mediaInAsterisk = { 'FRAME_DROP(TX)': 'HTML' } as const;

/** Each part has a recorder of its own: to stop a later one is not in place of stopping an earlier. */
const requestName = ({ type, recording, part }: { type: Effect['type'] } & RecorderId): string =>
  part === undefined ? type : `${type} ${recorderName(recording, part)}`;

const partiesOf = ({ facts: { callerChannel, order } }: CallState): ChannelId[] =>
  order === undefined ? [callerChannel] : [callerChannel, order.destination];

/** How much of the notice was played to another channel for them to hear, ms. */
const throughMs = (state: CallState): number =>
  state.kind === 'confirming' && state.facts.called !== undefined
    ? state.played.reduce((sum, { startedAt = 0, finishedAt = 0 }) => sum + Math.max(0, finishedAt - startedAt), 0)
    : 0;

const startOf = (recorder: Recorder): number | undefined => ('startedAt' in recorder ? recorder.startedAt : undefined);

/** Whether the recorder of this part is still to begin. */
const isToBegin = (state: CallState, { part }: Order): boolean =>
  state.kind === 'talking' && state.recorder.kind === 'requested' && !state.untold && state.facts.order?.part === part;

/** A channel that is gone is on its way out: its own event says so, and the timer remains. */
function isRaceWithHangUp(effect: Effect, error: PreavisError): boolean {
  return error.code === 'ari_not_found' && ['answer', 'play', 'leaveBridge'].includes(effect.type);
}
