import type { AriQueries } from '../../ari/port.ts';
import type { CallEvent } from '../decide/events.ts';
import { pausedIn } from '../decide/pause.ts';
import type { CallState } from '../decide/state.ts';

/** No sooner than this is Asterisk asked for its time again, ms. */
const leastMs = 250;
/** Its clock may be set meanwhile, so it is asked this often at least, ms. */
const mostMs = 30_000;

export type PauseLimitPorts = {
  ari: Pick<AriQueries, 'time'>;
  handle: (event: CallEvent) => void;
};

/** Ends a pause whose time is over, by Asterisk's clock: so a pause that another process has begun ends when it was to end. */
export class PauseLimit {
  readonly #ports: PauseLimitPorts;
  #until: number | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isRunning = false;

  constructor(ports: PauseLimitPorts) {
    this.#ports = ports;
  }

  /** The call as it is from now on. */
  follow(state: CallState): void {
    const paused = pausedIn(state);
    // Its end was asked for already.
    this.#until = paused?.endsBy === undefined ? paused?.until : undefined;
    if (this.#until === undefined || this.#isRunning) return;
    this.#isRunning = true;
    void this.#look();
  }

  stop(): void {
    this.#until = undefined;
    clearTimeout(this.#timer);
  }

  async #look(): Promise<void> {
    const at = await this.#ports.ari.time().catch(() => undefined);
    if (this.#until === undefined) {
      this.#isRunning = false;
      return;
    }
    if (at !== undefined && at >= this.#until) {
      this.#isRunning = false;
      this.#ports.handle({ type: 'resumeAsked', by: 'limit', at });
      return;
    }
    const waitMs = at === undefined ? leastMs : Math.min(mostMs, Math.max(leastMs, this.#until - at));
    this.#timer = setTimeout(() => void this.#look(), waitMs);
  }
}
