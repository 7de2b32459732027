import { answerInTime } from '../../ari/answerInTime.ts';
import type { AriEvent } from '../../ari/events.ts';
import { ofEach } from '../../ari/ofEach.ts';
import type { AriCommands, AriPromptCommands, AriQueries } from '../../ari/port.ts';
import { asPreavisError, PreavisError } from '../../core/errors.ts';
import { failPoint } from '../../core/failPoint.ts';
import type { ChannelId, PlaybackId } from '../../core/ids.ts';
import { settleInTime } from '../../core/timeLimit.ts';
import { otherSideOf, partOf, recorderNames, sideOf, type Order, type RecorderId, type Side } from '../decide/order.ts';
import type { Sentence } from '../decide/sentence.ts';

/** How soon a snoop channel is in our application, ms: within 5 on an idle machine. */
const upLimitMs = 1_000;

/**
 * How long the snoop of the part before is waited for, ms. It goes with the next packet of either direction that it does not drop: within 20
 * as a rule. Until then a fresh one would drop the same.
 */
const goneLimitMs = 1_000;
const goneFirstMs = 10;
const goneMostMs = 160;

/** How much longer than its sound a whispered sentence may take, ms. */
const whisperSlackMs = 5_000;

type SnoopAri = Pick<AriCommands, 'snoop' | 'whisper' | 'play' | 'hangUp' | 'discardRecorder'> &
  Pick<AriPromptCommands, 'recordChannel'> &
  Pick<AriQueries, 'isThere'>;

/** `seconds`: for how long it may be recorded; less where an earlier part has ended since. */
export type Wanted = { still: () => boolean; seconds: () => number };

/**
 * The snoop channels of one followed call. Each talk is recorded by a fresh one: with Debian's Asterisk 22.10.1 one that is kept while the
 * other party changes may lose the new party's sound for minutes. A snoop and its recorder have one name, so that a later process knows them.
 */
export class Snoops {
  readonly #ari: SnoopAri;
  /** Those that are being made: called when they are in our application. Before that Asterisk refuses to use them. */
  readonly #made = new Map<ChannelId, () => void>();
  /** What is being whispered, and what is to be done at its end. */
  readonly #whispers = new Map<PlaybackId, () => void>();
  /** Those that were asked to go, and are not known to be gone. */
  readonly #going = new Set<ChannelId>();
  /** Those that were asked to go once. */
  readonly #letGo = new Set<string>();
  #isFresh = true;
  /** The recorders that this process knows to run, and those that have ended or never begun. */
  readonly #running = new Set<string>();
  readonly #ended = new Set<string>();

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
   * Records both directions of this channel, in one or each by itself, for so many seconds at most. Throws what Asterisk throws, ari_unreachable where the snoop does not
   * come in time, and ari_not_found where nobody wants it any more once that of the part before is gone. Where one of two directions cannot be
   * recorded the other is, and it resolves with the one that is missing.
   */
  async record(told: ChannelId, order: Order, wanted: Wanted): Promise<Side | undefined> {
    // Its recorder may have ended by itself while nobody listened.
    if (order.part !== undefined && order.part > 1) this.#endAll(recorderNames({ ...order, part: order.part - 1 }));
    if (this.#going.size > 0) {
      await settleInTime(goneLimitMs, this.#allGone(), () => undefined);
      if (!wanted.still())
        throw new PreavisError('ari_not_found', 'the talk is over, or must not be recorded any more');
    }
    this.#isFresh = this.#going.size === 0;
    const names = recorderNames(order);
    // Both are there before either is recorded: so they begin within the same packet.
    const made = await each(names, async (name) => {
      await this.#make(name as ChannelId, () => this.#ari.snoop(told, name as ChannelId, sideOf(name) ?? 'both'));
    });
    failPoint?.(`call talking in talk ${order.part}, snoop made`);
    const format = order.isWideband === true ? 'wav16' : 'wav';
    const seconds = wanted.seconds();
    const begun = await each(made.done, (name) => this.#ari.recordChannel(name as ChannelId, name, seconds, format));
    const failed = names.filter((name) => !begun.done.includes(name));
    for (const name of failed) this.#ended.add(name);
    // They would hear the talk for nothing.
    this.#endAll(failed);
    const [failure] = [...made.failures, ...begun.failures];
    if (begun.done.length === 0 && failure !== undefined) throw failure;

    return failed[0] === undefined ? undefined : sideOf(failed[0]);
  }

  /**
   * Whether the call is to hear of this. Two recorders that are one to it begin with the first and end with the last of them; of one that an
   * earlier process began, both end with the first.
   */
  concerns(event: AriEvent): boolean {
    if (event.type === 'recorderStarted') this.#running.add(event.name);
    if (event.type !== 'recorderFinished' && event.type !== 'recorderFailed') return true;
    const { name } = event;
    this.#running.delete(name);
    this.#ended.add(name);
    // One that ends by itself leaves its snoop, beside which the next would drop the same.
    if (partOf(name) !== undefined) this.#endAll([name]);
    const other = otherSideOf(name);
    if (other === undefined || this.#ended.has(other)) return true;
    if (this.#running.has(other)) return false;
    // Nothing of ours may run on that nobody knows of (P1).
    this.#endAll([other]);

    return true;
  }

  /** Asks those to go that were not asked yet. */
  #endAll(names: readonly string[]): void {
    for (const name of names) {
      if (this.#letGo.has(name)) continue;
      this.#leaves(name as ChannelId);
      // Before the next part it is asked again.
      void this.#ari.hangUp(name as ChannelId).catch(() => this.#letGo.delete(name));
    }
  }

  #leaves(snoop: ChannelId): void {
    this.#letGo.add(snoop);
    this.#going.add(snoop);
  }

  /** Its recorder ends with it. */
  async stop(recorder: RecorderId): Promise<void> {
    const names = recorderNames(recorder);
    for (const name of names) this.#leaves(name as ChannelId);
    await ofEach(names, (name) => this.#ari.hangUp(name as ChannelId));
  }

  async #allGone(): Promise<void> {
    const until = performance.now() + goneLimitMs;
    let pauseMs = goneFirstMs;
    while (this.#going.size > 0 && performance.now() < until) {
      for (const each of this.#going) if (!(await this.#ari.isThere(each))) this.#going.delete(each);
      if (this.#going.size === 0) return;
      await new Promise((resolve) => setTimeout(resolve, pauseMs).unref());
      pauseMs = Math.min(2 * pauseMs, goneMostMs);
    }
  }

  /** Ends the recorder of this talk, and removes what was recorded of it and of all before it. Throws what Asterisk throws. */
  async discard(recorder: RecorderId): Promise<void> {
    // While it records: a file that is just being closed is not yet one to remove.
    for (let part = recorder.part ?? 0; part > 0; part -= 1) {
      const names = recorderNames({ ...recorder, part });
      await Promise.all(names.map((name) => orNone(this.#ari.discardRecorder(name))));
    }
    await orNone(this.stop(recorder));
  }

  /** Plays a sentence to this channel alone, over what it hears. Throws what Asterisk throws. */
  async whisper(to: ChannelId, { prompt, playbackId }: Sentence): Promise<void> {
    // A playback and a channel may have the same id.
    const snoop: string = playbackId;
    // The news of its end may be lost.
    const timer = setTimeout(() => {
      this.whispered(playbackId).catch(() => undefined);
    }, prompt.lengthMs + whisperSlackMs).unref();
    const over = this.#whispers.get(playbackId);
    this.#whispers.set(playbackId, () => {
      clearTimeout(timer);
      over?.();
    });
    try {
      await this.#make(snoop as ChannelId, () => this.#ari.whisper(to, snoop as ChannelId));
      await this.#ari.play(snoop as ChannelId, playbackId, prompt.soundName, prompt.language);
    } catch (thrown) {
      await this.whispered(playbackId).catch(() => undefined);
      throw thrown;
    }
  }

  /** The same, and resolves when it is said. */
  async say(to: ChannelId, sentence: Sentence): Promise<void> {
    const over = new Promise<void>((resolve) => {
      this.#whispers.set(sentence.playbackId, resolve);
    });
    await this.whisper(to, sentence);
    await over;
  }

  /** A sentence is said, or will not be: what it was whispered by is let go. Throws what Asterisk throws. */
  async whispered(playback: PlaybackId): Promise<void> {
    const over = this.#whispers.get(playback);
    if (!this.#whispers.delete(playback)) return;
    over?.();
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

/** Does it for all at once: which were done, and why the others were not. */
async function each(
  names: readonly string[],
  step: (name: string) => Promise<void>,
): Promise<{ done: string[]; failures: PreavisError[] }> {
  const settled = await Promise.allSettled(names.map(step));

  return {
    done: names.filter((_name, index) => settled[index]?.status === 'fulfilled'),
    failures: settled.flatMap((one) => (one.status === 'rejected' ? [asPreavisError(one.reason)] : [])),
  };
}

/** Gone is done. */
export async function orNone(asked: Promise<void>): Promise<void> {
  try {
    await asked;
  } catch (thrown) {
    if (asPreavisError(thrown).code !== 'ari_not_found') throw thrown;
  }
}
