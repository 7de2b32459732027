import type { AriCommands } from '../ari/port.ts';
import { asPreavisError } from '../core/errors.ts';
import type { RecordingId } from '../core/ids.ts';
import type { Logger } from '../core/log.ts';
import { orderOf } from './decideEnd.ts';
import { spoolRoomMib } from './readiness.ts';
import { recorderName } from './recorderName.ts';
import type { CallState } from './state.ts';

/**
 * Looks at the room that is left in Asterisk's recording folder while calls are on. With less than `minimumFreeMib` new calls go
 * on unrecorded (readiness.ts sees to that); with less than a fifth of it, the recorders that run are stopped: what they have is
 * kept, the calls go on. A full disk would cut them all the same, and take Asterisk's voicemail and the catalogue with it.
 */
export type SpoolWatchOptions = {
  spoolFolder: string;
  minimumFreeMib: number;
  /** Of the calls that are on. */
  states: () => readonly CallState[];
  ari: Pick<AriCommands, 'stopRecorder'>;
  /** Called for each recording that was stopped. */
  stopped: (recording: RecordingId) => Promise<void>;
  /** For Prometheus; undefined while the folder cannot be looked at. */
  roomIs: (mebibytes: number | undefined) => void;
  log: Logger;
};

/** `low`: nothing new is recorded. `nearlyFull`: nothing is recorded. */
type Room = 'enough' | 'low' | 'nearlyFull' | 'unknown';

/** A hundred calls at once write 8 MiB in this time, ms. */
const lookEveryMs = 5_000;

/** The share of the room asked for before a call that running recordings may use up. */
const usableShare = 4 / 5;

export class SpoolWatch {
  readonly #options: SpoolWatchOptions;
  #room: Room = 'enough';
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> = Promise.resolve();

  constructor(options: SpoolWatchOptions) {
    this.#options = options;
  }

  /** Looks at once, and then every five seconds. Throws spool_unusable when the folder cannot be used from the start. */
  async start(): Promise<void> {
    this.#tell(await this.#measure());
    this.#timer = setInterval(() => {
      this.#looking = this.#looking.then(() => this.look());
    }, lookEveryMs);
  }

  /** Resolves when a look under way has ended. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#looking;
  }

  /** One look; never rejects. Recorders are stopped at each look that finds too little room: one may just have begun. */
  async look(): Promise<void> {
    try {
      this.#tell(await this.#measure());
    } catch (thrown) {
      const { log, roomIs } = this.#options;
      const error = asPreavisError(thrown);
      if (this.#room !== 'unknown') log.error({ code: error.code, err: error }, 'the room to record cannot be seen');
      this.#room = 'unknown';
      roomIs(undefined);
    }
    if (this.#room === 'nearlyFull') await this.#stopRecorders();
  }

  /** As a hand on Asterisk's console would: what the recording has is kept. One that Asterisk refuses is left to the next look. */
  async #stopRecorders(): Promise<void> {
    const { states, ari, stopped, log } = this.#options;
    for (const state of states()) {
      if (state.kind !== 'talking' || state.recorder.kind !== 'running') continue;
      const { recording } = orderOf(state.facts);
      try {
        await ari.stopRecorder(recorderName(recording));
        log.error({ recording, code: 'spool_full' }, 'a recording was stopped for want of room; the call goes on');
        await stopped(recording);
      } catch (thrown) {
        const error = asPreavisError(thrown);
        // It has just ended.
        if (error.code === 'ari_not_found') continue;
        log.error({ recording, code: error.code, err: error }, 'a recording could not be stopped for want of room');
      }
    }
  }

  async #measure(): Promise<Room> {
    const { spoolFolder, minimumFreeMib, roomIs } = this.#options;
    const free = await spoolRoomMib(spoolFolder);
    roomIs(free);
    if (free >= minimumFreeMib) return 'enough';

    return free >= minimumFreeMib * (1 - usableShare) ? 'low' : 'nearlyFull';
  }

  /** One line for each change, not for each look. */
  #tell(room: Room): void {
    const { log } = this.#options;
    const before = this.#room;
    this.#room = room;
    if (room === before) return;
    if (room === 'enough') log.info('there is room to record again');
    else if (room === 'nearlyFull') log.error({ code: 'spool_full' }, 'hardly any room to record; nothing is recorded');
    else log.error({ code: 'spool_full' }, 'too little room to record; calls go on unrecorded');
  }
}
