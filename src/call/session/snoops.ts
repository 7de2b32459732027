import { answerInTime } from '../../ari/answerInTime.ts';
import type { AriCommands, AriPromptCommands, AriQueries } from '../../ari/port.ts';
import { asPreavisError, PreavisError } from '../../core/errors.ts';
import type { ChannelId, PlaybackId } from '../../core/ids.ts';
import { settleInTime } from '../../core/timeLimit.ts';
import type { Order, RecorderId } from '../decide/order.ts';
import { recorderName } from '../decide/order.ts';
import type { Sentence } from '../decide/sentence.ts';

/** How soon a snoop channel is in our application, ms: within 5 on an idle machine. */
const upLimitMs = 1_000;

/**
 * How long the snoop of the part before is waited for, ms. It goes with the next packet of either direction that it does not drop: within 20
 * as a rule. Until then a fresh one would drop the same.
 */
const goneLimitMs = 1_000;
const goneEveryMs = 10;

type SnoopAri = Pick<AriCommands, 'snoop' | 'whisper' | 'play' | 'hangUp' | 'discardRecorder'> &
  Pick<AriPromptCommands, 'recordChannel'> &
  Pick<AriQueries, 'isThere'>;

/**
 * The snoop channels of one followed call. Each talk is recorded by a fresh one: with Debian's Asterisk 22.10.1 one that is kept while the
 * other party changes may lose the new party's sound for minutes. A snoop and its recorder have one name, so that a later process knows them.
 */
export class Snoops {
  readonly #ari: SnoopAri;
  /** Those that are being made: called when they are in our application. Before that Asterisk refuses to use them. */
  readonly #made = new Map<ChannelId, () => void>();
  /** What is being whispered. */
  readonly #whispers = new Set<PlaybackId>();
  /** Those that were asked to go, and are not known to be gone. */
  readonly #going = new Set<ChannelId>();
  #isFresh = true;

  constructor(ari: SnoopAri) {
    this.#ari = ari;
  }

  /** A channel of ours has arrived in our application. */
  arrived(channel: ChannelId): void {
    this.#made.get(channel)?.();
  }

  /** Whether the last recorder has begun with nothing left of the one before, as far as we know: then it drops nothing. */
  get isFresh(): boolean {
    return this.#isFresh;
  }

  /**
   * Records both directions of this channel. Throws what Asterisk throws, ari_unreachable where the snoop does not come in time, and
   * ari_not_found where nobody wants it any more once that of the part before is gone.
   */
  async record(told: ChannelId, order: Order, isWanted: () => boolean): Promise<void> {
    const name = recorderName(order.recording, order.part);
    const snoop = name as ChannelId;
    if (this.#going.size > 0) {
      await settleInTime(goneLimitMs, this.#allGone(), () => undefined);
      if (!isWanted()) throw new PreavisError('ari_not_found', 'the talk is over, or must not be recorded any more');
    }
    this.#isFresh = this.#going.size === 0;
    try {
      await this.#make(snoop, () => this.#ari.snoop(told, snoop));
      await this.#ari.recordChannel(snoop, name, order.maximumSeconds);
    } catch (thrown) {
      // It would hear the talk for nothing.
      await this.#ari.hangUp(snoop).catch(() => undefined);
      throw thrown;
    }
  }

  /** Its recorder ends with it. */
  async stop({ recording, part }: RecorderId): Promise<void> {
    const snoop = recorderName(recording, part) as ChannelId;
    this.#going.add(snoop);
    await this.#ari.hangUp(snoop);
  }

  async #allGone(): Promise<void> {
    const until = performance.now() + goneLimitMs;
    while (this.#going.size > 0 && performance.now() < until) {
      for (const each of this.#going) if (!(await this.#ari.isThere(each))) this.#going.delete(each);
      if (this.#going.size > 0) await new Promise((resolve) => setTimeout(resolve, goneEveryMs).unref());
    }
  }

  /** Ends the recorder of this talk, and removes what was recorded of it and of all before it. Throws what Asterisk throws. */
  async discard({ recording, part = 0 }: RecorderId): Promise<void> {
    // While it records: a file that is just being closed is not yet one to remove.
    for (let each = part; each > 0; each -= 1) {
      await orNone(this.#ari.discardRecorder(recorderName(recording, each)));
    }
    await orNone(this.stop({ recording, part }));
  }

  /** Plays a sentence to this channel alone, over what it hears. */
  async whisper(to: ChannelId, { prompt, playbackId }: Sentence): Promise<void> {
    // A playback and a channel may have the same id.
    const snoop: string = playbackId;
    this.#whispers.add(playbackId);
    await this.#make(snoop as ChannelId, () => this.#ari.whisper(to, snoop as ChannelId));
    await this.#ari.play(snoop as ChannelId, playbackId, prompt.soundName, prompt.language);
  }

  /** A sentence is said: what it was whispered by is let go. Throws what Asterisk throws. */
  async whispered(playback: PlaybackId): Promise<void> {
    if (!this.#whispers.delete(playback)) return;
    const snoop: string = playback;
    await this.#ari.hangUp(snoop as ChannelId);
  }

  async #make(snoop: ChannelId, make: () => Promise<void>): Promise<void> {
    const up = new Promise<void>((resolve) => {
      this.#made.set(snoop, resolve);
    });
    try {
      await make();
      await answerInTime(upLimitMs, up);
    } finally {
      this.#made.delete(snoop);
    }
  }
}

/** Gone is done. */
async function orNone(asked: Promise<void>): Promise<void> {
  try {
    await asked;
  } catch (thrown) {
    if (asPreavisError(thrown).code !== 'ari_not_found') throw thrown;
  }
}
