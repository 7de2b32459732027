import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { AriCommands, AriPromptCommands } from '../../ari/port.ts';
import type { RecordingProgress } from '../../prompts/recordings.ts';
import { asPreavisError, errnoOf, PreavisError } from '../../core/errors.ts';
import type { IdMaker } from '../../core/ids.ts';
import type { Logger } from '../../core/log.ts';
import type { PinGuard } from './pinGuard.ts';
import {
  beginRecorder,
  decideRecorder,
  failures,
  type PromptTarget,
  type RecorderEffect,
  type RecorderEvent,
  type RecorderFacts,
  type RecorderMove,
  type RecorderOutcome,
  type RecorderState,
  type RecorderStep,
  type Take,
  type ToneName,
} from './machine.ts';
import { judgeTake } from './takeCheck.ts';

/**
 * One operator on the telephone: feeds events to `decideRecorder` in the order they come and carries its effects out one
 * after another, like CallSession. What is typed is in no log line.
 */
export type PromptRecorderPorts = {
  ari: Pick<
    AriCommands,
    'answer' | 'play' | 'stopPlayback' | 'stopRecorder' | 'discardRecorder' | 'setVariable' | 'continueInDialplan'
  > &
    AriPromptCommands;
  prompts: PromptStorage;
  pin: PinGuard;
  spoolFolder: string;
  ids: Pick<IdMaker, 'playback'>;
  log: Logger;
  /** For as long as a tone lasts, or until the signal; never rejects. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
  /** Called once, when it has ended and its last effect is done. */
  ended(outcome: RecorderOutcome): void;
};

/** The prompts that can be recorded, and where recordings are put. */
export type PromptStorage = {
  /** Throws prompts_invalid. */
  find(code: string): Promise<PromptTarget | undefined>;
  /** Throws prompts_unwritable. */
  store(target: PromptTarget, wav: Buffer): Promise<void>;
  /** What remains to be done in this language until callers hear it. */
  progress(language: string): Promise<RecordingProgress | undefined>;
};

/** Hz and ms of the parts of each, as indications.conf has them. */
const tones: Readonly<Record<ToneName, readonly (readonly [hz: number, ms: number])[]>> = {
  ready: [[1400, 150]],
  accepted: [
    [1000, 120],
    [0, 80],
    [1400, 120],
  ],
  refused: [[425, 800]],
  speak: [[1000, 500]],
  stored: [
    [1000, 120],
    [0, 60],
    [1200, 120],
    [0, 60],
    [1400, 240],
  ],
};

const isStep = (type: RecorderEffect['type']): type is RecorderStep => type in failures;

export class PromptRecorderSession {
  #state: RecorderState;
  readonly #ports: PromptRecorderPorts;
  readonly #log: Logger;
  #tail: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  /** Cuts tones short that nobody hears any more. */
  readonly #gone = new AbortController();

  constructor(facts: RecorderFacts, ports: PromptRecorderPorts) {
    const begun = beginRecorder(facts);
    this.#state = begun.state;
    this.#ports = ports;
    this.#log = ports.log;
    this.#enter(begun, 'arrived');
  }

  /** Resolves when every effect so far has been carried out. */
  settled(): Promise<void> {
    return this.#tail;
  }

  handle(event: RecorderEvent): void {
    if (event.type === 'callerLeft') this.#gone.abort();
    if (this.#state.kind === 'ended') return;
    this.#enter(decideRecorder(this.#state, event), event.type);
  }

  #enter({ state, effects }: RecorderMove, cause: string): void {
    const from = this.#state.kind;
    this.#state = state;
    if (state.kind !== from) this.#log.debug({ from, event: cause, to: state.kind }, 'prompt recording state changed');
    if (effects.length === 0) return;
    this.#tail = this.#tail.then(async () => {
      for (const effect of effects) await this.#carryOut(effect);
      if (state.kind === 'ended') await this.#finish(state.outcome);
    });
  }

  async #carryOut(effect: RecorderEffect): Promise<void> {
    try {
      await this.#perform(effect);
    } catch (thrown) {
      const error = asPreavisError(thrown);
      const step = isStep(effect.type) ? effect.type : undefined;
      const gone = error.code === 'ari_not_found' && step === undefined;
      if (gone) this.#log.debug({ effect: effect.type }, 'channel or bridge already gone');
      else this.#log.warn({ effect: effect.type, code: error.code, err: error }, 'prompt recording step failed');
      if (step !== undefined) this.handle({ type: 'stepFailed', step });
      // Without its sound the prompt is spoken all the same.
      if (effect.type === 'present') this.#presented();
    }
  }

  #presented(): void {
    this.handle({ type: 'playbackFinished', playback: this.#state.facts.presentation, outcome: 'failed' });
  }

  // eslint-disable-next-line max-lines-per-function -- A case for each effect.
  async #perform(effect: RecorderEffect): Promise<void> {
    const { ari, prompts, pin } = this.#ports;
    const { channel, presentation, maximumMs } = this.#state.facts;
    switch (effect.type) {
      case 'answer':
        await ari.answer(channel);
        this.handle({ type: 'answered' });
        return;
      case 'tone':
        return this.#tone(effect.tone);
      case 'checkPin': {
        const verdict = pin.check(effect.typed);
        if (verdict === 'wrong') this.#log.warn('wrong PIN for prompt recording');
        if (verdict === 'locked') this.#log.error('too many wrong PINs; prompt recording locked temporarily');
        this.handle({ type: 'pinChecked', right: verdict === 'right' });
        return;
      }
      case 'identify': {
        const target = await prompts.find(effect.code);
        this.handle(target === undefined ? { type: 'promptUnknown' } : { type: 'promptKnown', target });
        return;
      }
      case 'present': {
        const { soundName, language } = effect.target;
        if (soundName === undefined) this.#presented();
        else await ari.play(channel, presentation, soundName, language);
        return;
      }
      case 'stopPlayback':
        return ari.stopPlayback(effect.playback);
      case 'record':
        return ari.recordChannel(channel, effect.take.name, Math.round(maximumMs / 1_000));
      case 'stopRecorder':
        return ari.stopRecorder(effect.take.name);
      case 'judge':
        return this.#judge(effect.take, effect.target);
      case 'noteCut':
        this.#log.warn({ reason: effect.reason }, 'take rejected');
        return;
      case 'playTake':
        return ari.playRecording(channel, effect.take.playback, effect.take.name);
      case 'store':
        await prompts.store(effect.target, await readFile(takeFile(this.#ports.spoolFolder, effect.take.name)));
        this.handle({ type: 'stored' });
        return;
      case 'discard':
        return this.#discard(effect.take);
      case 'returnToDialplan':
        return this.#returnToDialplan(effect.outcome);
      case 'startTimer':
        clearTimeout(this.#timer);
        // An effect of an earlier state must not start what nobody stops.
        if (this.#state.kind === 'ended') return;
        this.#timer = setTimeout(() => {
          this.handle({ type: 'timeUp', timer: effect.timer });
        }, effect.ms);
        return;
      case 'stopTimer':
        clearTimeout(this.#timer);
        return;
    }
  }

  /** Asterisk plays tones until it is told to stop. */
  async #tone(name: ToneName): Promise<void> {
    if (this.#gone.signal.aborted) return;
    const { ari, ids } = this.#ports;
    const parts = tones[name];
    const playback = ids.playback();
    // Each once, by the `!`.
    await ari.playTone(this.#state.facts.channel, playback, parts.map(([hz, ms]) => `!${hz}/${ms}`).join('|'));
    const ms = parts.reduce((sum, [, each]) => sum + each, 0);
    await this.#ports.wait(ms, this.#gone.signal);
    await ari.stopPlayback(playback);
  }

  async #judge(take: Take, target: PromptTarget): Promise<void> {
    const { spoolFolder } = this.#ports;
    let bytes: Buffer | undefined;
    try {
      bytes = await readFile(takeFile(spoolFolder, take.name));
    } catch (cause) {
      const code = errnoOf(cause);
      if (code !== 'ENOENT') {
        throw new PreavisError('spool_unusable', `recording.spoolFolder ${spoolFolder}: ${code ?? 'error'}`, { cause });
      }
    }
    const verdict = judgeTake(bytes, target.text);
    const { durationMs } = verdict;
    if (verdict.usable) {
      this.#log.debug({ durationMs }, 'take accepted');
      this.handle({ type: 'takeUsable' });
      return;
    }
    this.#log.warn({ reason: verdict.reason, durationMs }, 'take rejected');
    this.handle({ type: 'takeUnusable' });
  }

  async #discard({ name }: Take): Promise<void> {
    try {
      await this.#ports.ari.discardRecorder(name);
    } finally {
      await rm(takeFile(this.#ports.spoolFolder, name), { force: true });
    }
  }

  async #returnToDialplan(outcome: RecorderOutcome): Promise<void> {
    const { ari } = this.#ports;
    const { channel } = this.#state.facts;
    const stored = outcome.result === 'stored';
    try {
      await ari.setVariable(channel, 'PREAVIS_RESULT', outcome.result);
      await ari.setVariable(channel, 'PREAVIS_REASON', stored ? '' : outcome.reason);
    } finally {
      await ari.continueInDialplan(channel);
    }
  }

  async #finish(outcome: RecorderOutcome): Promise<void> {
    clearTimeout(this.#timer);
    if (outcome.result === 'notStored') {
      this.#log.warn({ reason: outcome.reason }, 'prompt recording ended without a recording');
    } else {
      const { id, language } = outcome.target;
      const progress = await this.#ports.prompts.progress(language).catch(() => undefined);
      this.#log.info(
        {
          prompt: id,
          language,
          ...(progress === undefined ? {} : { recorded: progress.recorded, of: progress.of, next: progress.next }),
        },
        'prompt recorded by telephone',
      );
    }
    this.#ports.ended(outcome);
  }
}

/** Takes have names that no recording of a call has. */
export const takePrefix = 'preavis-prompt-';

export function takeFile(spoolFolder: string, name: string): string {
  return join(spoolFolder, `${name}.wav`);
}
