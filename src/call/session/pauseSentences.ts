import type { AriEvent } from '../../ari/events.ts';
import type { AriCommands, AriQueries } from '../../ari/port.ts';
import { asPreavisError } from '../../core/errors.ts';
import type { ChannelId, PlaybackId } from '../../core/ids.ts';
import type { Logger } from '../../core/log.ts';
import { settleInTime } from '../../core/timeLimit.ts';
import type { CallEvent } from '../decide/events.ts';
import { isBridged, type Order, type TalkWord } from '../decide/order.ts';
import type { Sentence } from '../decide/sentence.ts';
import type { TimelineEntry } from '../watch/timeline.ts';
import type { Snoops } from './snoops.ts';

/** How much longer than its sound a sentence may take, ms. */
const sentenceSlackMs = 2_000;

/** How long what follows waits for the beginning of a sentence in a bridge of ours, ms: Asterisk answers within 10. */
const sayLimitMs = 250;

export type PauseSentencePorts = {
  ari: Pick<AriCommands, 'playToBridge'> & Pick<AriQueries, 'time'>;
  snoops: Pick<Snoops, 'whisper' | 'whispered'>;
  /** The sentence in each of these languages, with ids of its own each time. */
  pauseWords: (word: TalkWord, languages: readonly string[]) => readonly Sentence[];
  /** What is heard of these ids is heard by this call from now on. */
  owns: (ids: readonly string[]) => void;
  handle: (event: CallEvent) => void;
  note: (entry: TimelineEntry) => void;
  log: Logger;
};

/**
 * Tells both sides that the recording is paused, goes on, or is erased: in a bridge of ours at once, in another each of them alone. Nothing is
 * recorded meanwhile. A sentence that cannot be said holds nothing up for longer than it takes: `pauseSaid` or `eraseSaid` follows in any case.
 */
export class PauseSentences {
  readonly #ports: PauseSentencePorts;
  /** What is called when Asterisk tells of the end, with its time, ms. */
  readonly #ends = new Map<PlaybackId, (at: number) => void>();
  readonly #begun = new Map<PlaybackId, number>();
  #isStopped = false;

  constructor(ports: PauseSentencePorts) {
    this.#ports = ports;
  }

  /** Resolves once the first sentence was asked for, or nobody knows whether it was. */
  async say(word: TalkWord, order: Order, caller: ChannelId): Promise<void> {
    const begun = new Promise<void>((resolve) => {
      void this.#say(word, order, caller, resolve);
    });
    await settleInTime(sayLimitMs, begun, () => undefined);
  }

  /** To be told of every event of the call. */
  take(event: AriEvent): void {
    if (event.type === 'playbackStarted' && this.#ends.has(event.playbackId)) {
      this.#begun.set(event.playbackId, event.at);
    }
    if (event.type === 'playbackFinished') this.#ends.get(event.playbackId)?.(event.at);
  }

  /** Nobody waits for anything any more. */
  stop(): void {
    this.#isStopped = true;
    for (const end of this.#ends.values()) end(Number.NaN);
  }

  async #say(word: TalkWord, order: Order, caller: ChannelId, begun: () => void): Promise<void> {
    const { ari, handle, log } = this.#ports;
    const saidAt = await this.#sayInEach(word, order, caller, begun).catch((thrown: unknown) => {
      log.warn({ word, code: asPreavisError(thrown).code }, 'pause sentence failed');
      return undefined;
    });
    // Where there is no sentence, nothing was asked for.
    begun();
    if (this.#isStopped) return;
    if (word === 'erased') {
      handle({ type: 'eraseSaid' });
      return;
    }
    const at = saidAt ?? (await ari.time().catch(() => undefined));
    handle({ type: 'pauseSaid', word, at });
  }

  /** Language by language. Resolves with when the last has ended, by Asterisk; undefined where it did not tell. */
  async #sayInEach(word: TalkWord, order: Order, caller: ChannelId, begun: () => void): Promise<number | undefined> {
    const { pauseWords } = this.#ports;
    const { languages } = order.script.language;
    const listeners: (ChannelId | undefined)[] = isBridged(order) ? [undefined] : [caller, order.destination];
    const all = listeners.map((to) => ({ to, sentences: pauseWords(word, languages) }));
    let last: number | undefined;
    for (const index of languages.keys()) {
      const ends = await Promise.all(
        all.map(({ to, sentences }) => {
          const sentence = sentences[index];
          return sentence === undefined ? Promise.resolve(undefined) : this.#sayOne(sentence, order, to, begun);
        }),
      );
      last = ends.every((each) => each !== undefined) ? Math.max(...ends) : undefined;
    }

    return last;
  }

  /** `to`: undefined for both at once. */
  async #sayOne(
    sentence: Sentence,
    order: Order,
    to: ChannelId | undefined,
    begun: () => void,
  ): Promise<number | undefined> {
    const { ari, snoops, owns, note, log } = this.#ports;
    const { prompt, playbackId } = sentence;
    const ended = new Promise<number>((resolve) => {
      this.#ends.set(playbackId, resolve);
    });
    owns([playbackId]);
    try {
      await (to === undefined
        ? ari.playToBridge(order.bridge, playbackId, prompt.soundName, prompt.language)
        : snoops.whisper(to, sentence));
      begun();
      const finishedAt = await settleInTime(prompt.lengthMs + sentenceSlackMs, ended, () => undefined);
      if (this.#isStopped) return undefined;
      const startedAt = this.#begun.get(playbackId);
      note({ kind: 'said', sentence, startedAt, finishedAt });

      return finishedAt;
    } catch (thrown) {
      // The other side is told all the same.
      log.warn({ code: asPreavisError(thrown).code }, 'pause sentence failed for one side');

      return undefined;
    } finally {
      this.#ends.delete(playbackId);
      this.#begun.delete(playbackId);
      if (to !== undefined) await snoops.whispered(playbackId).catch(() => undefined);
    }
  }
}
