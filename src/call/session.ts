import type { AriEvent } from '../ari/events.ts';
import type { AriCommands } from '../ari/port.ts';
import type { PreavisError } from '../core/errors.ts';
import { asPreavisError } from '../core/errors.ts';
import type { ChannelId, PlaybackId } from '../core/ids.ts';
import type { Logger } from '../core/log.ts';
import { decide } from './decide.ts';
import type { CallEvent } from './events.ts';
import { isWanted } from './events.ts';
import type { Planner } from './planner.ts';
import { happeningOf } from './happenings.ts';
import type { CallJournal, Happening, Readiness, TalkTimes } from './ports.ts';
import { fallibleStep, type CallState, type Effect, type Order, type Outcome, type Step } from './state.ts';
import { within } from './timeLimit.ts';

/**
 * One call: feeds events to `decide` in the order they come, and carries its effects out one after another. An event
 * never waits for an effect; effects of a later event wait for those of an earlier one.
 *
 * A refused request is an event (stepFailed), never an exception: a channel that is gone (404) is on its way out, and
 * its own event says so.
 */
export type SessionPorts = {
  ari: AriCommands;
  journal: CallJournal;
  readiness: Readiness;
  log: Logger;
  /** Makes the order of this call; what it knows of the caller stays with it. */
  plan: () => ReturnType<Planner['plan']>;
  /** Called as soon as the order is known, before anything is asked of Asterisk. */
  planned(order: Order): void;
  rememberLanguage: (language: string) => Promise<void>;
  /** Called once, when the call has ended and its last effect is done. */
  ended(state: CallState): void;
};

/** The name under which Asterisk knows the recorder, and the recording's file name without `.wav`. */
export function recorderName(recordingId: string): string {
  return `preavis-${recordingId}`;
}

/** Pauses between tries of what must not fail, ms; about a minute in all. */
const pausesMs = [100, 250, 500, 1_000, 2_000, 5_000, 5_000, 10_000, 15_000, 20_000];

/** How long planning, and then looking at prompts and disk, may take before a call goes on unrecorded, ms. */
const readinessLimitMs = 3_000;

/** Time talked so far, ms, and since when they talk now. */
type Talk = { totalMs: number; since: number | undefined };

export class CallSession {
  #state: CallState;
  readonly #ports: SessionPorts;
  readonly #log: Logger;
  #tail: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #callerLeft = false;
  #abandoned = false;
  #playing: PlaybackId | undefined;
  readonly #talk = new Map<ChannelId, Talk>();
  /** When each sentence that is not of the notice began. */
  readonly #said = new Map<PlaybackId, number>();

  private constructor(state: CallState, ports: SessionPorts) {
    this.#state = state;
    this.#ports = ports;
    this.#log = ports.log.child({ call: state.facts.id });
  }

  static start(step: Step, ports: SessionPorts): CallSession {
    const session = new CallSession(step.state, ports);
    session.#enter(step);

    return session;
  }

  /** Takes up a call that the catalogue remembers; nothing is done until an event comes. */
  static adopt(state: CallState, ports: SessionPorts): CallSession {
    return new CallSession(state, ports);
  }

  get state(): CallState {
    return this.#state;
  }

  /** Whether caller and destination are together, or on the way to it by our dialling. */
  get isConnected(): boolean {
    return ['dialling', 'talking', 'closing', 'ended'].includes(this.#state.kind);
  }

  /** Resolves when every effect so far has been carried out. */
  settled(): Promise<void> {
    return this.#tail;
  }

  handle(event: CallEvent): void {
    if (event.type === 'callerLeft') this.#callerLeft = true;
    if (this.#state.kind === 'ended') return;
    this.#enter(decide(this.#state, event), event.type);
  }

  /** Talk detection: evidence of whether both sides were heard; it decides nothing. */
  hear(channelId: ChannelId, talking: boolean, at: number): void {
    const { totalMs = 0, since } = this.#talk.get(channelId) ?? {};
    const heard = since === undefined ? 0 : at - since;
    this.#talk.set(channelId, { totalMs: totalMs + heard, since: talking ? at : undefined });
  }

  /** Keeps what the receipt tells of an event; it decides nothing. */
  observe(event: AriEvent): void {
    const happening = happeningOf(event, this.#state, this.#said);
    if (happening !== undefined) this.note(happening);
  }

  /** Behind what is under way, so that the call is in the catalogue before it. */
  note(happening: Happening): void {
    this.#tail = this.#tail.then(() => this.#keep(happening));
  }

  async #keep(happening: Happening): Promise<void> {
    try {
      await this.#ports.journal.keepHappening(this.#state.facts.id, happening);
    } catch (thrown) {
      const error = asPreavisError(thrown);
      this.#log.warn({ code: error.code, err: error }, 'something that the receipt would tell could not be kept');
    }
  }

  /** Leaves the call as it is, for another process to adopt. */
  abandon(): void {
    this.#abandoned = true;
    clearTimeout(this.#timer);
  }

  #enter(step: Step, cause = 'arrived'): void {
    const from = this.#state.kind;
    this.#state = step.state;
    if (step.state.kind !== from) this.#log.debug({ from, event: cause, to: step.state.kind }, 'call moves on');
    if (step.effects.length === 0 && step.state.kind !== 'ended') return;
    const { state, effects } = step;
    this.#tail = this.#tail.then(async () => {
      await this.#carryOut(effects, state);
      if (state.kind === 'ended') this.#finish(state);
    });
  }

  async #carryOut(effects: readonly Effect[], state: CallState): Promise<void> {
    for (const effect of effects) {
      try {
        await this.#perform(effect, state);
      } catch (thrown) {
        const error = asPreavisError(thrown);
        this.#note(effect, error);
        const step = fallibleStep(effect);
        if (step !== undefined && !isRaceWithHangUp(effect, error)) this.handle({ type: 'stepFailed', step });
        if (effect.type === 'save') return;
      }
    }
  }

  #note(effect: Effect, error: PreavisError): void {
    // A channel or bridge that is gone is the normal end of a race with a hang-up.
    if (error.code === 'ari_not_found') this.#log.debug({ effect: effect.type }, 'already gone');
    else this.#log.warn({ effect: effect.type, code: error.code, err: error }, 'a step of the call failed');
  }

  async #perform(effect: Effect, state: CallState): Promise<void> {
    const { ari, journal } = this.#ports;
    const caller = state.facts.callerChannel;
    switch (effect.type) {
      case 'save':
        return journal.save(state, this.#talkOf(state));
      case 'plan':
        return this.#plan();
      case 'checkReadiness':
        return this.#checkReadiness(state);
      case 'answer':
        await ari.answer(caller);
        this.handle({ type: 'callerAnswered' });
        return;
      case 'play': {
        const { prompt, playbackId } = effect.sentence;
        this.#playing = playbackId;
        return ari.play(caller, playbackId, prompt.soundName, prompt.language);
      }
      case 'stopPlayback':
        return ari.stopPlayback(effect.playbackId);
      case 'rememberLanguage':
        return this.#ports.rememberLanguage(effect.language);
      case 'sayToBoth': {
        const { prompt, playbackId } = effect.sentence;
        return ari.playToBridge(effect.bridge, playbackId, prompt.soundName, prompt.language);
      }
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
        return ari.dial(destination, caller, request.timeoutSeconds);
      }
      case 'ring':
        return ari.ring(caller);
      case 'ringStop':
        return ari.ringStop(caller);
      case 'startRecorder': {
        const { bridge, recording, maximumSeconds } = effect.order;
        return ari.recordBridge(bridge, recorderName(recording), maximumSeconds);
      }
      case 'playMusic':
        return ari.playMusic(effect.channel);
      case 'stopMusic':
        return ari.stopMusic(effect.channel);
      case 'pauseRecorder':
        await ari.pauseRecorder(recorderName(effect.recording));
        return this.#keep({ kind: 'change', change: 'recorderPaused', at: effect.at });
      case 'resumeRecorder':
        // What is left out can never be heard again (P4).
        await this.#insist(effect.type, () => ari.resumeRecorder(recorderName(effect.recording)));
        return this.#keep({ kind: 'change', change: 'recorderResumed', at: effect.at });
      case 'stopRecorder':
        return this.#insist(effect.type, () => ari.stopRecorder(recorderName(effect.recording)));
      case 'discardRecorder':
        return this.#insist(effect.type, () => ari.discardRecorder(recorderName(effect.recording)));
      case 'tellRecorded':
        this.#listenFrom(state);
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
      case 'hangUpCaller':
        return ari.hangUp(caller);
      case 'hangUpDestination':
        return ari.hangUp(effect.destination);
      case 'hangUpReplaced':
        return ari.hangUp(effect.channel);
      case 'destroyBridge':
        return ari.destroyBridge(effect.bridge);
      case 'returnToDialplan':
        return this.#returnToDialplan(effect.outcome);
      case 'startTimer':
        clearTimeout(this.#timer);
        this.#timer = setTimeout(() => {
          this.handle({ type: 'timeUp', timer: effect.timer });
        }, effect.ms);
        return;
      case 'stopTimer':
        clearTimeout(this.#timer);
        return;
    }
  }

  async #plan(): Promise<void> {
    const order = await within(readinessLimitMs, this.#ports.plan()).catch((thrown: unknown) => {
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
      answer = await within(readinessLimitMs, this.#ports.readiness.check(facts.order));
    } catch (thrown) {
      // Without an answer from Asterisk nothing is proved: the same as a missing prompt.
      this.#log.warn({ code: asPreavisError(thrown).code }, 'the prompts could not be checked');
      answer = 'prompts_missing';
    }
    this.handle(answer === 'ready' ? { type: 'ready' } : { type: 'notReady', reason: answer });
  }

  /** What was heard before the recorder began is not in the recording. */
  #listenFrom({ facts, ...state }: CallState): void {
    const from = 'recorder' in state && 'startedAt' in state.recorder ? state.recorder.startedAt : undefined;
    const channels = [facts.callerChannel, ...(facts.order === undefined ? [] : [facts.order.destination])];
    for (const channel of channels) {
      const talks = this.#talk.get(channel)?.since !== undefined;
      this.#talk.set(channel, { totalMs: 0, since: talks ? from : undefined });
    }
  }

  /** How long each party was heard, for the end of a recorded call: then the recording is finished. */
  #talkOf(state: CallState): TalkTimes | undefined {
    const { order, callerChannel } = state.facts;
    if (state.kind !== 'ended' || state.recorder.kind !== 'finished' || order === undefined) return undefined;
    const end = state.recorder.finishedAt ?? state.endedAt;
    const msOf = (channel: ChannelId): number | undefined => {
      const talk = this.#talk.get(channel);
      if (talk?.since === undefined || end === undefined) return talk?.totalMs;
      return talk.totalMs + Math.max(0, end - talk.since);
    };
    const [callerMs, destinationMs] = [msOf(callerChannel), msOf(order.destination)];

    return callerMs === undefined || destinationMs === undefined ? undefined : { callerMs, destinationMs };
  }

  /**
   * P1: a recorder that must not run on is stopped however often it takes; so is one resumed that must (P4). What comes behind does not wait for more than the
   * first try.
   */
  async #insist(effect: Effect['type'], request: () => Promise<void>): Promise<void> {
    try {
      await request();
    } catch (thrown) {
      const error = asPreavisError(thrown);
      if (!error.retryable) throw error;
      this.#log.error({ effect, code: error.code, err: error }, 'the recorder did not obey; it is tried again');
      void this.#tryAgain(effect, request);
    }
  }

  async #tryAgain(effect: Effect['type'], request: () => Promise<void>): Promise<void> {
    const longestMs = pausesMs.at(-1);
    for (let attempt = 0; ; attempt += 1) {
      const over = this.#state.kind === 'ended' && attempt >= pausesMs.length;
      if (over || this.#abandoned) break;
      await new Promise((resolve) => setTimeout(resolve, pausesMs[attempt] ?? longestMs).unref());
      try {
        await request();
        return;
      } catch (thrown) {
        // Gone is stopped.
        if (!asPreavisError(thrown).retryable) return;
      }
    }
    this.#log.error({ effect }, 'the recorder did not obey this call');
  }

  /** P3: the caller must not be left in silence, so this is tried again. */
  async #returnToDialplan(outcome: Outcome): Promise<void> {
    const { ari } = this.#ports;
    const caller = this.#state.facts.callerChannel;
    const variables: [string, string][] = [['PREAVIS_RESULT', outcome.result]];
    if (outcome.result === 'unrecorded') variables.push(['PREAVIS_REASON', outcome.reason]);
    if (outcome.result === 'notConnected') variables.push(['PREAVIS_DIALSTATUS', outcome.dialStatus]);
    // Requests on a channel wait in Asterisk for the end of what plays there.
    if (this.#playing !== undefined) await ari.stopPlayback(this.#playing).catch(() => undefined);
    // What the dialplan is told is second to the caller's going on: without it the destination is dialled as well.
    await Promise.allSettled(variables.map(([name, value]) => ari.setVariable(caller, name, value)));
    for (const pauseMs of [...pausesMs, undefined]) {
      try {
        await ari.continueInDialplan(caller);
        return;
      } catch (thrown) {
        const error = asPreavisError(thrown);
        if (!error.retryable || pauseMs === undefined || this.#callerLeft) throw error;
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
      }
    }
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

/** A channel that is gone is on its way out: its own event says so, and the timer remains. */
function isRaceWithHangUp(effect: Effect, error: PreavisError): boolean {
  return error.code === 'ari_not_found' && (effect.type === 'answer' || effect.type === 'play');
}

/** Sets several variables in one request, by Asterisk's function ARRAY(); no value has a comma. */
function setAll(ari: AriCommands, channel: ChannelId, variables: Readonly<Record<string, string>>): Promise<void> {
  return ari.setVariable(channel, `ARRAY(${Object.keys(variables).join(',')})`, Object.values(variables).join(','));
}
