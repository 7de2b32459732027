/* eslint-disable max-lines -- The queue of effects, the timers and the saves of one call change one state in one order. */
import { answerInTime } from '../../ari/answerInTime.ts';
import type { AriEvent } from '../../ari/events.ts';
import type { AriCommands, AriQueries, RtpTraffic } from '../../ari/port.ts';
import { readClock, type Clock, type ClockReading } from '../../core/clock.ts';
import type { PreavisError } from '../../core/errors.ts';
import { asPreavisError } from '../../core/errors.ts';
import { settleInTime } from '../../core/timeLimit.ts';
import { failPoint } from '../../core/failPoint.ts';
import type { ChannelId, PlaybackId } from '../../core/ids.ts';
import type { Logger } from '../../core/log.ts';
import { audibilityLimitMs } from '../decide/notice.ts';
import { holds, whyUnheard } from '../watch/audibility.ts';
import { decide } from '../decide/decide.ts';
import type { CallEvent } from '../decide/events.ts';
import { isWanted } from '../decide/unrecordedReasons.ts';
import type { Planner } from '../plan/planner.ts';
import { applyMusicHold, type MusicHoldPorts } from './applyMusicHold.ts';
import { timelineEntryOf, type TimelineEntry } from '../watch/timeline.ts';
import { makeRetryingRequests, pausesMs, type RetryingRequests } from './retryingRequests.ts';
import { translate } from './eventRouting.ts';
import type { CallJournal, Measured, TalkTimes } from './journal.ts';
import type { Readiness } from '../plan/readiness.ts';
import { makePatience, type Patience } from './patience.ts';
import { recorderName, type Order } from '../decide/order.ts';
import { returnToDialplan } from './returnToDialplan.ts';
import { fallibleStep, type CallState, type Effect, type Recorder, type Step } from '../decide/state.ts';
import { SourceWatch, type LegOutcome, type SourceWatchPorts } from '../watch/sourceWatch.ts';
import { isActive } from '../decide/talk.ts';
import { detectAnew } from '../watch/talkDetection.ts';
import { TalkMeter } from '../watch/talkMeter.ts';

/**
 * One call: feeds events to `decide` in the order they come, and carries its effects out one after another. An event
 * never waits for an effect; effects of a later event wait for those of an earlier one.
 *
 * A refused request is an event (stepFailed), never an exception: a channel that is gone (404) is on its way out, and
 * its own event says so.
 */
export type SessionPorts = {
  ari: AriCommands & Pick<AriQueries, 'time' | 'variable' | 'rtp' | 'channelsIn' | 'owned'>;
  journal: CallJournal;
  readiness: Readiness;
  log: Logger;
  clock: Clock;
  /** Makes the order of this call; what it knows of the caller stays with it. */
  plan: () => ReturnType<Planner['plan']>;
  /** Called as soon as the order is known, before anything is asked of Asterisk. */
  planned(order: Order): void;
  rememberLanguage: (language: string) => Promise<void>;
  /** Whether it may have missed events that it was not told yet. */
  isBehind: () => boolean;
  /** For what is asked again and again of all calls, so that it keeps nothing waiting that cannot wait. */
  legLimits: SourceWatchPorts['limits'];
  /** Asks Asterisk where everybody of the call is, and tells the call. */
  lookAgain: () => Promise<void>;
  /** Counts a leg that was not heard, or could not be looked at. */
  legUnheard: (outcome: LegOutcome) => void;
  /** Called once, when the call has ended and its last effect is done. */
  ended(state: CallState): void;
  /** Called when the catalogue has the end of the call: before `ended`, or later when it could not take it. */
  endSaved(): void;
};

/** How long planning, and then looking at prompts and disk, may take before a call goes on unrecorded, ms. */
const readinessLimitMs = 3_000;

/** When a state is written again that the catalogue did not take, ms. */
const saveAgainMs = 5_000;
/** How long what follows waits for the beginning of a sentence to both, ms: Asterisk answers within 10. */
const sayLimitMs = 250;

export class CallSession {
  #state: CallState;
  readonly #ports: SessionPorts;
  readonly #log: Logger;
  #tail: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #callerLeft = false;
  #abandoned = false;
  #playing: { id: PlaybackId; askedAt: number | undefined } | undefined;
  readonly #talk = new TalkMeter();
  /** When each sentence that is not of the notice began. */
  readonly #said = new Map<PlaybackId, number>();
  readonly #retrying: RetryingRequests;
  readonly #holdPorts: MusicHoldPorts;
  readonly #sources: SourceWatch;
  /** Of what was recorded, after a refusal: whether it is done, and in the receipt. */
  #removal: 'none' | 'done' | 'kept' = 'none';
  /** The caller's RTP before the notice. */
  #beforeNotice: RtpTraffic | undefined;
  readonly #patience: Patience;
  #recorderEndedAt: number | undefined;
  /** Our clocks when the recorder's end was heard of. */
  #heardEnd: ClockReading | undefined;
  /** States that the catalogue should have and has not, in their order. */
  readonly #unsaved = new Set<CallState>();
  #saveAgain: NodeJS.Timeout | undefined;
  /** What the catalogue has not taken yet, the first to happen first. */
  readonly #unkept: TimelineEntry[] = [];
  #keeping: Promise<void> = Promise.resolve();
  /** How many things happened that wait for their turn to be kept. */
  #noted = 0;
  #keepAgain: NodeJS.Timeout | undefined;

  private constructor(state: CallState, ports: SessionPorts, takenUp?: CallState) {
    this.#state = state;
    this.#ports = ports;
    this.#patience = makePatience(ports.ari, state.facts.callerChannel, state.facts.request ?? {}, () =>
      performance.now(),
    );
    this.#log = ports.log.child({ call: state.facts.id });
    this.#retrying = makeRetryingRequests(
      (effect, error) => {
        this.#log.error({ effect, code: error.code, err: error }, 'request to Asterisk failed; will retry');
      },
      (effect) => {
        this.#log.error({ effect }, 'request to Asterisk abandoned after retries');
      },
    );
    this.#holdPorts = {
      ari: ports.ari,
      retrying: this.#retrying,
      musicSince: new Map(),
      isOver: () => this.#abandoned || this.#state.kind !== 'talking',
      isRecorded: () => {
        const state = this.#state;
        return state.kind === 'talking' && !state.untold && state.recorder.kind === 'running';
      },
      keep: async (entry) => {
        await this.#keep(entry);
      },
      asteriskNow: () => ports.ari.time(),
    };
    this.#sources = this.#watchSources(takenUp);
  }

  #watchSources(takenUp: CallState | undefined): SourceWatch {
    const { ari, legLimits, isBehind, legUnheard, lookAgain } = this.#ports;
    const ports: SourceWatchPorts = {
      ari,
      limits: legLimits,
      log: this.#log,
      talk: () => (this.#state.kind === 'talking' && !this.#abandoned && !isBehind() ? this.#state : undefined),
      inTurn: (step) => this.#tail.then(step),
      keep: (entry) => this.#keep(entry),
      counted: legUnheard,
      heardAgain: async (channel, at) => {
        // Without a recorder nobody asks for how long they talk, and who came since has no talk detection.
        if ('recorder' in this.#state && isActive(this.#state.recorder))
          await detectAnew(channel, at, { ari, talk: this.#talk });
      },
      lost: () => {
        this.handle({ type: 'partyUnheard' });
      },
      lookAgain: () => lookAgain(),
    };

    return new SourceWatch(ports, takenUp);
  }

  static start(step: Step, ports: SessionPorts): CallSession {
    const session = new CallSession(step.state, ports);
    session.#enter(step);

    return session;
  }

  /** Takes up a call that the catalogue remembers; nothing is done until an event comes. */
  static adopt(state: CallState, ports: SessionPorts): CallSession {
    return new CallSession(state, ports, state);
  }

  get state(): CallState {
    return this.#state;
  }

  /** Whether caller and destination are together, or on the way to it by our dialling. */
  get isConnected(): boolean {
    return ['dialling', 'talking', 'closing', 'ended'].includes(this.#state.kind);
  }

  /** Whether the call is left to another process. */
  get isAbandoned(): boolean {
    return this.#abandoned;
  }

  /** Whether the catalogue has what happened. */
  get isKept(): boolean {
    return this.#noted === 0 && this.#unkept.length === 0 && this.#unsaved.size === 0;
  }

  /** Resolves when every effect so far has been carried out. */
  settled(): Promise<void> {
    return this.#tail;
  }

  /** Whether a party may be out of the bridge because we take them out and in again. */
  get isMovingParty(): boolean {
    return this.#sources.isMoving;
  }

  /** Resolves when that is over, however it ended. */
  partiesMoved(): Promise<void> {
    return this.#sources.moved();
  }

  handle(event: CallEvent): void {
    if (event.type === 'callerLeft' || event.type === 'callerSentOn') this.#callerLeft = true;
    if (this.#state.kind === 'ended') return;
    this.#enter(decide(this.#state, event), event.type);
  }

  /** Talk detection: evidence of whether both sides were heard, and of whether a party's sound gets through. */
  hear(channelId: ChannelId, talking: boolean, at: number): void {
    this.#talk.hear(channelId, talking, at);
    this.#sources.hear(channelId, at);
  }

  /**
   * Takes an event of Asterisk: what it means to the call first, then what only the receipt tells of it, which may wait for the
   * catalogue.
   */
  take(event: AriEvent): void {
    const entry = timelineEntryOf(event, this.#state, this.#said);
    if (event.type === 'recorderFinished') this.#heardEnd ??= readClock(this.#ports.clock);
    this.#sources.take(event);
    const translated = translate(event, this.#state.facts);
    if (translated !== undefined) this.handle(this.#timed(translated));
    if (entry !== undefined) this.note(entry);
    const ends = event.type === 'recorderFinished' || event.type === 'recorderFailed';
    if (!ends || this.#state.kind !== 'talking' || this.#state.recorder.kind !== 'discarded') return;
    this.#recorderEndedAt = event.at;
    this.#tail = this.#tail.then(() => this.#keepRemoval(event.at));
  }

  #timed(event: CallEvent): CallEvent {
    const playing = this.#playing;
    if (event.type !== 'playbackFinished' || playing?.id !== event.playbackId) return event;
    const now = this.#ports.clock.sinceBoot?.().ms;

    return now === undefined || playing.askedAt === undefined
      ? event
      : { ...event, sinceAskedMs: now - playing.askedAt };
  }

  /** Behind what is under way, so that the call is in the catalogue before it. */
  note(entry: TimelineEntry): void {
    this.#noted += 1;
    this.#tail = this.#tail.then(() => {
      this.#noted -= 1;

      return this.#keep(entry).then(() => undefined);
    });
  }

  /** Whether the catalogue has it; if not, it will be kept later. */
  #keep(entry: TimelineEntry): Promise<boolean> {
    this.#unkept.push(entry);

    return this.#keepNow();
  }

  /** What cannot be kept now is kept later: what was recorded is judged by it. */
  async #keepNow(): Promise<boolean> {
    try {
      await this.#keepAll();

      return true;
    } catch (thrown) {
      const error = asPreavisError(thrown);
      this.#log.warn({ code: error.code, err: error }, 'receipt data not stored; will retry');
      clearTimeout(this.#keepAgain);
      this.#keepAgain = setTimeout(() => {
        if (!this.#abandoned) this.#tail = this.#tail.then(() => this.#keepNow()).then(() => undefined);
      }, saveAgainMs).unref();

      return false;
    }
  }

  /** In their order, each once. */
  #keepAll(): Promise<void> {
    const turn = this.#keeping.then(async () => {
      for (let next = this.#unkept[0]; next !== undefined; next = this.#unkept[0]) {
        await this.#ports.journal.addToTimeline(this.#state.facts.id, next);
        this.#unkept.shift();
      }
    });
    this.#keeping = turn.catch(() => undefined);

    return turn;
  }

  /** Leaves the call as it is, for another process to adopt. */
  abandon(): void {
    this.#abandoned = true;
    this.#sources.stop();
    clearTimeout(this.#timer);
    clearTimeout(this.#saveAgain);
    clearTimeout(this.#keepAgain);
  }

  #enter(step: Step, cause = 'arrived'): void {
    const from = this.#state.kind;
    this.#state = step.state;
    this.#sources.follow(step.state);
    if (step.state.kind !== from) this.#log.debug({ from, event: cause, to: step.state.kind }, 'call state changed');
    if (step.effects.length === 0 && step.state.kind !== 'ended') return;
    const { state, effects } = step;
    if (effects.some(({ type }) => type === 'save')) this.#unsaved.add(state);
    this.#tail = this.#tail.then(async () => {
      await this.#carryOut(effects, state);
      failPoint?.(`call ${state.kind}, all done`);
      if (state.kind !== 'ended') return;
      await this.#keepRemoval(undefined);
      this.#finish(state);
    });
  }

  async #carryOut(effects: readonly Effect[], state: CallState): Promise<void> {
    for (const effect of effects) {
      failPoint?.(`call ${state.kind}, before ${effect.type}`);
      try {
        await this.#perform(effect, state);
      } catch (thrown) {
        this.#failed(effect, asPreavisError(thrown));
        if (effect.type === 'save') return;
      }
    }
  }

  /** Once they are answered: whoever holds since before hears no notice. */
  async #lookAtCaller(caller: ChannelId): Promise<void> {
    const { ari } = this.#ports;
    const asked = Promise.all([holds(caller, ari), ari.rtp(caller)]);
    const [isHolding, rtp] = await answerInTime(audibilityLimitMs, asked);
    this.#beforeNotice = rtp;
    this.handle(isHolding ? { type: 'noticeDenied', why: 'notice_on_hold' } : { type: 'callerAnswered' });
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
    if (step !== undefined && !isRaceWithHangUp(effect, error)) this.handle({ type: 'stepFailed', step });
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
    switch (effect.type) {
      case 'save':
        return this.#save(state);
      case 'plan':
        return this.#plan();
      case 'checkReadiness':
        return this.#checkReadiness(state);
      case 'answer':
        await ari.answer(caller);
        return this.#lookAtCaller(caller);
      case 'play': {
        const { prompt, playbackId } = effect.sentence;
        // While languages were offered the caller may have been heard, and not since.
        if (state.kind === 'announcing' && state.played.length === 0 && state.facts.order?.menu !== undefined) {
          const rtp = await answerInTime(audibilityLimitMs, ari.rtp(caller));
          this.#beforeNotice = rtp && { ...rtp, reported: this.#beforeNotice?.reported ?? '' };
        }
        this.#playing = { id: playbackId, askedAt: this.#ports.clock.sinceBoot?.().ms };
        return ari.play(caller, playbackId, prompt.soundName, prompt.language);
      }
      case 'confirmNotice': {
        const why = await whyUnheard(caller, this.#beforeNotice, ari);
        this.handle(why === undefined ? { type: 'noticeConfirmed' } : { type: 'noticeDenied', why });
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
      case 'startRecorder': {
        const { bridge, recording, maximumSeconds } = effect.order;
        return ari.recordBridge(bridge, recorderName(recording), maximumSeconds);
      }
      case 'hold':
        return applyMusicHold(effect, this.#holdPorts);
      case 'stopRecorder':
        return this.#insist(effect.type, () => ari.stopRecorder(recorderName(effect.recording)));
      case 'discardRecorder':
        return this.#insist(
          effect.type,
          () => ari.discardRecorder(recorderName(effect.recording)),
          () => this.#removed(),
        );
      case 'tellRecorded':
        // What was heard before the recorder began is not in the recording.
        this.#talk.startAt(state.kind === 'talking' ? startOf(state.recorder) : undefined, partiesOf(state));
        return setAll(ari, caller, {
          PREAVIS_RESULT: 'recorded',
          PREAVIS_RECORDING: effect.recording,
          // As Dial() leaves it, for an extension h.
          DIALSTATUS: 'ANSWER',
          // The destination's channel is made with it.
          'TALK_DETECT(set)': '',
        });
      case 'tellUnrecorded':
        return setAll(ari, caller, {
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
          caller,
          playing: this.#playing?.id,
          outcome: effect.outcome,
          callerLeft: () => this.#callerLeft,
        });
      case 'startTimer':
        clearTimeout(this.#timer);
        this.#timer = setTimeout(() => {
          this.handle({ type: 'timeUp', timer: effect.timer });
        }, effect.ms);
        return this.#patience.renew(effect.timer, effect.ms);
      case 'stopTimer':
        clearTimeout(this.#timer);
        return;
    }
  }

  /** What cannot be written now is written later: what was recorded waits for the end of its call to be in the catalogue. */
  async #save(state: CallState): Promise<void> {
    clearTimeout(this.#saveAgain);
    try {
      // A recording is judged as soon as the end of its call is known.
      if (state.kind === 'ended' && state.recorder.kind !== 'none') await this.#keepAll();
      const saved = this.#unsavedUntil(state);
      await this.#ports.journal.save(state, this.#measured(state));
      for (const each of saved) this.#unsaved.delete(each);
      if (state.kind === 'ended') this.#ports.endSaved();
    } catch (thrown) {
      this.#saveAgain = setTimeout(() => {
        if (!this.#abandoned) this.#tail = this.#tail.then(() => this.#save(this.#state)).catch(() => undefined);
      }, saveAgainMs).unref();
      throw thrown;
    }
  }

  /** With a state the catalogue has all before it. */
  #unsavedUntil(state: CallState): readonly CallState[] {
    const all = [...this.#unsaved];

    return state === this.#state ? all : all.slice(0, all.indexOf(state) + 1);
  }

  async #plan(): Promise<void> {
    const order = await answerInTime(readinessLimitMs, this.#ports.plan()).catch((thrown: unknown) => {
      this.#note({ type: 'plan' }, asPreavisError(thrown));
      return 'planning_failed' as const;
    });
    if (typeof order === 'string') {
      this.handle({ type: 'notReady', reason: order });
      return;
    }
    this.#ports.planned(order);
    this.handle({ type: 'planned', order });
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
    this.handle(answer === 'ready' ? { type: 'ready' } : { type: 'notReady', reason: answer });
  }

  #measured(state: CallState): Measured {
    return state.kind === 'ended' ? { talk: this.#talkOf(state), heard: this.#heardEnd } : {};
  }

  /** How long each party was heard, for the end of a recorded call: then the recording is finished. */
  #talkOf(state: CallState): TalkTimes | undefined {
    const { order, callerChannel } = state.facts;
    if (state.kind !== 'ended' || state.recorder.kind !== 'finished' || order === undefined) return undefined;
    const end = state.recorder.finishedAt ?? state.endedAt;
    const [callerMs, destinationMs] = [this.#talk.until(end, callerChannel), this.#talk.until(end, order.destination)];

    return callerMs === undefined || destinationMs === undefined ? undefined : { callerMs, destinationMs };
  }

  /**
   * P1: a recorder that must not run on is stopped however often it takes, also after the end of the call. So with what else
   * nobody would end later.
   */
  #insist(name: Effect['type'], request: () => Promise<void>, done?: () => Promise<void>): Promise<void> {
    const isOver = (tries: number): boolean => {
      return this.#abandoned || (this.#state.kind === 'ended' && tries >= pausesMs.length);
    };

    return this.#retrying.ask({ name, request, isOver, ...(done === undefined ? {} : { done }) });
  }

  /** Asterisk has done as it was asked; it tells when in an event of its own, before or after. */
  async #removed(): Promise<void> {
    this.#removal = 'done';
    const isLate = this.#state.kind === 'ended';
    if (isLate || this.#recorderEndedAt !== undefined) await this.#keepRemoval(this.#recorderEndedAt);
  }

  async #keepRemoval(at: number | undefined): Promise<void> {
    if (this.#removal !== 'done') return;
    this.#removal = 'kept';
    await this.#keep({ kind: 'change', change: 'recordingRemoved', at });
  }

  #finish(state: Extract<CallState, { kind: 'ended' }>): void {
    const { outcome } = state;
    const { request } = state.facts;
    clearTimeout(this.#timer);
    const fields = {
      result: outcome.result,
      ...(outcome.result === 'unrecorded' ? { reason: outcome.reason } : {}),
      ...(outcome.result === 'notConnected' ? { dialStatus: outcome.dialStatus } : {}),
      ...(request === undefined ? {} : { line: request.line }),
    };
    if (outcome.result === 'unrecorded' && !isWanted(outcome.reason)) this.#log.warn(fields, 'call ended unrecorded');
    else this.#log.info(fields, 'call ended');
    this.#ports.ended(state);
  }
}

const partiesOf = ({ facts: { callerChannel, order } }: CallState): ChannelId[] =>
  order === undefined ? [callerChannel] : [callerChannel, order.destination];

const startOf = (recorder: Recorder): number | undefined => ('startedAt' in recorder ? recorder.startedAt : undefined);

/** A channel that is gone is on its way out: its own event says so, and the timer remains. */
function isRaceWithHangUp(effect: Effect, error: PreavisError): boolean {
  return error.code === 'ari_not_found' && ['answer', 'play', 'leaveBridge'].includes(effect.type);
}

/** Sets several variables in one request, by Asterisk's function ARRAY(); no value has a comma. */
function setAll(ari: AriCommands, channel: ChannelId, variables: Readonly<Record<string, string>>): Promise<void> {
  return ari.setVariable(channel, `ARRAY(${Object.keys(variables).join(',')})`, Object.values(variables).join(','));
}
