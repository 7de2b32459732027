import type { Actor } from '../access/actor.ts';
import { auditOf } from '../access/audit.ts';
import type { CataloguePart } from '../catalogue/catalogue.ts';
import type { AuditNote } from '../catalogue/retention/auditTrail.ts';
import { asPreavisError } from '../core/errors.ts';
import type { RecordingId } from '../core/ids.ts';
import type { Logger } from '../core/log.ts';
import { joined, lengthOf } from './ranges.ts';

/** Nobody has asked for a part of it for so long, ms: they have stopped listening. */
const quietMs = 30_000;

/** So often what was sent is written while somebody goes on asking: a killed process loses no more, and nobody is unnoted for days, ms. */
const usuallyWritten = 10 * 60_000;

/** Parts between which at most this was left out are told as one, ms of the recording. */
const leastGapMs = 1_000;

const words = { listen: 'listened', download: 'downloaded' } as const;

type Listening = {
  actor: Actor;
  act: 'listen' | 'download';
  recording: RecordingId;
  /** When its first line is on the disk. */
  begun: Promise<void>;
  msPerByte: number;
  parts: [number, number][];
  playing: number;
  quiet: NodeJS.Timeout | undefined;
  /** By the clock that only goes on, ms. */
  writtenAt: number;
};

/** What of a recording somebody plays. `end`: how many bytes left, from its begin on. */
export type Playing = { end(bytes: number): void };

/**
 * Who has listened to what, in the audit trail. A player asks for a recording in many parts: its first one is in the trail before a byte
 * leaves, and all of them together when nobody has asked for more for half a minute, or every ten minutes where somebody goes on. Of a process that was
 * killed, the first line stays, and what was written meanwhile.
 */
export class ListeningLog {
  readonly #trail: CataloguePart<{ auditTrail: 'append' }>;
  readonly #log: Logger;
  readonly #writeEveryMs: number;
  readonly #open = new Map<string, Listening>();

  constructor(trail: CataloguePart<{ auditTrail: 'append' }>, log: Logger, writeEveryMs = usuallyWritten) {
    this.#trail = trail;
    this.#log = log;
    this.#writeEveryMs = writeEveryMs;
  }

  /** How many recordings this actor is being sent now. */
  playingOf({ name }: Actor): number {
    return [...this.#open.values()].reduce((sum, each) => sum + (each.actor.name === name ? each.playing : 0), 0);
  }

  get playing(): number {
    return [...this.#open.values()].reduce((sum, each) => sum + each.playing, 0);
  }

  /** Throws what the catalogue throws: then nothing may leave. */
  async begin(
    actor: Actor,
    act: 'listen' | 'download',
    { id, msPerByte }: { id: RecordingId; msPerByte: number },
    { from, purposes }: { from: number; purposes: readonly string[] },
  ): Promise<Playing> {
    const key = `${actor.name} ${act} ${id}`;
    const listening = this.#open.get(key) ?? {
      ...{ actor, act, recording: id, msPerByte, parts: [], playing: 0, quiet: undefined },
      ...{ begun: this.#noteBegun(actor, act, id, purposes), writtenAt: performance.now() },
    };
    clearTimeout(listening.quiet);
    listening.playing += 1;
    this.#open.set(key, listening);
    try {
      // Whoever asks for another part meanwhile waits for it, too.
      await listening.begun;
    } catch (thrown) {
      this.#open.delete(key);
      throw thrown;
    }

    return {
      end: (bytes) => {
        listening.playing -= 1;
        if (bytes > 0) listening.parts = joined([...listening.parts, [from, from + bytes]]);
        if (performance.now() - listening.writtenAt >= this.#writeEveryMs) void this.#write(listening);
        if (listening.playing > 0) return;
        listening.quiet = setTimeout(() => void this.#close(key, listening), quietMs).unref();
      },
    };
  }

  #noteBegun(
    actor: Actor,
    act: 'listen' | 'download',
    recording: RecordingId,
    purposes: readonly string[],
  ): Promise<void> {
    const begun = auditOf(actor, { did: 'beganToListen', purposes });
    const note = act === 'listen' ? begun : { ...begun, event: 'download begun' };

    return this.#trail.auditTrail.append(recording, note);
  }

  /** What a player says was really heard. Throws what the catalogue throws. */
  async heard(recording: RecordingId, note: AuditNote): Promise<void> {
    await this.#trail.auditTrail.append(recording, note);
  }

  /** Writes what is open. */
  async stop(): Promise<void> {
    await Promise.all([...this.#open].map(([key, listening]) => this.#close(key, listening)));
  }

  async #close(key: string, listening: Listening): Promise<void> {
    clearTimeout(listening.quiet);
    if (this.#open.delete(key)) await this.#write(listening);
  }

  /** What was sent since it was last written. */
  async #write(listening: Listening): Promise<void> {
    const { actor, act, recording, parts, msPerByte } = listening;
    listening.parts = [];
    listening.writtenAt = performance.now();
    const seconds = (bytes: number): number => Math.round((bytes * msPerByte) / 100) / 10;
    const detail = {
      role: actor.role,
      seconds: seconds(lengthOf(parts)),
      // Whoever asks for every second byte must not fill the trail, which is kept for good. The seconds are exact.
      parts: joined(parts, leastGapMs / msPerByte).map(([from, to]) => [seconds(from), seconds(to)]),
    };
    try {
      await this.#trail.auditTrail.append(recording, { event: words[act], actor: actor.name, detail });
    } catch (thrown) {
      const error = asPreavisError(thrown);
      this.#log.error({ code: error.code, err: error, recording }, 'listening not noted');
    }
  }
}
