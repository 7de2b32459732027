import { isoTime, type Clock } from '../core/clock.ts';
import type { ErrorCode } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';
import type { UploadResult } from './uploadPass.ts';

/** What is known of the archive, from the upload passes of this process. Times are ms since 1970 UTC. */
export type ArchiveState =
  { status: 'unknown' } | { status: 'working'; since: number } | { status: 'failing'; since: number; code: ErrorCode };

/** An alarm that lasts is repeated this often, ms. */
const remindMs = 60 * 60_000;

/**
 * Remembers from pass to pass whether the archive works, and tells it: once when it stops, each hour while that lasts, once
 * when it works again.
 */
export class ArchiveOutageMonitor {
  readonly #clock: Clock;
  readonly #log: Logger;
  #state: ArchiveState = { status: 'unknown' };
  #lastStoredAt: number | undefined;
  #toldAt = 0;

  constructor({ clock, log }: { clock: Clock; log: Logger }) {
    this.#clock = clock;
    this.#log = log;
  }

  get state(): ArchiveState {
    return this.#state;
  }

  /** When it last took a recording; undefined when it has not since the start. */
  get lastStoredAt(): number | undefined {
    return this.#lastStoredAt;
  }

  /** Takes in what a pass has seen. */
  note({ sent, waiting, archive }: UploadResult): void {
    const now = this.#clock.now();
    const before = this.#state;
    if (sent > 0) this.#lastStoredAt = now;
    if (archive.state === 'unknown') return;
    if (archive.state === 'working') {
      if (before.status !== 'working') this.#state = { status: 'working', since: now };
      if (before.status === 'failing') {
        const since = isoTime(before.since);
        this.#log.info({ code: before.code, since, sent, waiting }, 'archive available again');
      }
      return;
    }
    const { error } = archive;
    const since = before.status === 'failing' ? before.since : now;
    this.#state = { status: 'failing', since, code: error.code };
    // The clock may have been put back meanwhile.
    if (before.status === 'failing' && Math.abs(now - this.#toldAt) < remindMs) return;
    this.#toldAt = now;
    const about = { code: error.code, since: isoTime(since), waiting, err: error };
    this.#log.error(about, 'archive unavailable; recordings queued');
  }
}
