import type { AriCommands } from '../ari/port.ts';
import { asPreavisError, PreavisError } from '../core/errors.ts';
import type { PlaybackId } from '../core/ids.ts';
import type { Logger } from '../core/log.ts';
import { decide } from './decide.ts';
import type { CallEvent } from './events.ts';
import type { CallJournal, Readiness } from './ports.ts';
import { fallibleStep, type CallState, type Effect, type Outcome, type Step } from './state.ts';

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
  /** Called once, when the call has ended and its last effect is done. */
  ended(state: CallState): void;
};

/** The name under which Asterisk knows the recorder, and the recording's file name without `.wav`. */
export function recorderName(recordingId: string): string {
  return `preavis-${recordingId}`;
}

/** Pauses between tries to send a caller back to the dialplan, ms; about a minute in all. */
const returnPausesMs = [100, 250, 500, 1_000, 2_000, 5_000, 5_000, 10_000, 15_000, 20_000];

/** How long prompts and disk may take to be looked at before a call goes on without it, ms. */
const readinessLimitMs = 3_000;

export class CallSession {
  #state: CallState;
  readonly #ports: SessionPorts;
  readonly #log: Logger;
  #tail: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #callerLeft = false;
  #playing: PlaybackId | undefined;

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

  /** Leaves the call as it is, for another process to adopt. */
  abandon(): void {
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
        return journal.save(state);
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
      case 'prepare': {
        const { bridge, destination, request } = effect.order;
        const made = await Promise.allSettled([
          ari.createBridge(bridge),
          ari.createChannel(destination, request.to, caller),
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
      case 'stopRecorder':
        return ari.stopRecorder(recorderName(effect.recording));
      case 'tellRecorded':
        // What else the dialplan wants to know of it follows there, in the extension h.
        return ari.setVariable(caller, 'PREAVIS_RECORDING', effect.recording);
      case 'hangUpCaller':
        return ari.hangUp(caller);
      case 'hangUpDestination':
        return ari.hangUp(effect.destination);
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
    for (const pauseMs of [...returnPausesMs, undefined]) {
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
    clearTimeout(this.#timer);
    const fields = {
      result: outcome.result,
      ...(outcome.result === 'unrecorded' ? { reason: outcome.reason } : {}),
      ...(outcome.result === 'notConnected' ? { dialStatus: outcome.dialStatus } : {}),
      ...(state.facts.order === undefined ? {} : { line: state.facts.order.request.line }),
    };
    if (outcome.result === 'unrecorded') this.#log.warn(fields, 'call ended unrecorded');
    else this.#log.info(fields, 'call ended');
    this.#ports.ended(state);
  }
}

/** A channel that is gone is on its way out: its own event says so, and the timer remains. */
function isRaceWithHangUp(effect: Effect, error: PreavisError): boolean {
  return error.code === 'ari_not_found' && (effect.type === 'answer' || effect.type === 'play');
}

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new PreavisError('ari_unreachable', 'no answer in time'));
    }, ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
