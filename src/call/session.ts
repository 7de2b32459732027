import type { AriCommands } from '../ari/port.ts';
import type { PreavisError } from '../core/errors.ts';
import { asPreavisError } from '../core/errors.ts';
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

const returnAttempts = 3;

export class CallSession {
  #state: CallState;
  readonly #ports: SessionPorts;
  readonly #log: Logger;
  #tail: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;

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

  /** Resolves when every effect so far has been carried out. */
  settled(): Promise<void> {
    return this.#tail;
  }

  handle(event: CallEvent): void {
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
        if (step !== undefined) this.handle({ type: 'stepFailed', step });
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
        await ari.setVariable(caller, 'PREAVIS_RESULT', 'recorded');
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
      answer = await this.#ports.readiness.check(facts.order);
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
    for (let attempt = 1; ; attempt += 1) {
      try {
        await Promise.all(variables.map(([name, value]) => ari.setVariable(caller, name, value)));
        await ari.continueInDialplan(caller);
        return;
      } catch (thrown) {
        const error = asPreavisError(thrown);
        if (!error.retryable || attempt === returnAttempts) throw error;
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
