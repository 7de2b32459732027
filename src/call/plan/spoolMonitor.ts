import { ofEach } from '../../ari/ofEach.ts';
import type { AriCommands } from '../../ari/port.ts';
import { asPreavisError, PreavisError } from '../../core/errors.ts';
import type { RecordingId } from '../../core/ids.ts';
import type { Logger } from '../../core/log.ts';
import { orderOf } from '../decide/parties.ts';
import { spoolRoomMib } from './readiness.ts';
import { recorderNames, recorderOf, type RecorderId } from '../decide/order.ts';
import type { CallState } from '../decide/state.ts';

/**
 * Looks at the room that is left in Asterisk's recording folder while calls are on. With less than `minimumFreeMib` new calls go
 * on unrecorded (readiness.ts sees to that); with less than a fifth of it, the recorders that run are stopped: what they have is
 * kept, the calls go on. A full disk would cut them all the same, and take Asterisk's voicemail and the catalogue with it.
 */
export type SpoolMonitorOptions = {
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

/** A folder that has not answered for so long hangs, ms. */
const answersWithinMs = 5_000;

/** The share of the room asked for before a call that running recordings may use up. */
const usableShare = 4 / 5;
const margin = 0.05;

export class SpoolMonitor {
  readonly #options: SpoolMonitorOptions;
  #room: Room = 'enough';
  #timer: NodeJS.Timeout | undefined;
  #isLooking = false;
  #isStopped = false;

  constructor(options: SpoolMonitorOptions) {
    this.#options = options;
  }

  /** Why new calls are not recorded; undefined where they are. */
  get trouble(): 'spool_full' | 'spool_unusable' | undefined {
    switch (this.#room) {
      case 'enough':
        return undefined;
      case 'low':
      case 'nearlyFull':
        return 'spool_full';
      case 'unknown':
        return 'spool_unusable';
    }
  }

  /** Looks at once, and then every five seconds. Throws spool_unusable when the folder cannot be used from the start. */
  async start(): Promise<void> {
    this.#enter(await this.#measure());
    this.#timer = setInterval(() => {
      void this.look();
    }, lookEveryMs);
  }

  /** A look under way is not waited for: the folder may be one that hangs. */
  stop(): void {
    clearInterval(this.#timer);
    this.#isStopped = true;
  }

  /**
   * One look, unless one is under way, also of a folder that hangs; never rejects. Recorders are stopped at each look that finds too little room: one may just
   * have begun.
   */
  async look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    await this.#look();
    this.#isLooking = false;
  }

  async #look(): Promise<void> {
    // The look itself goes on: a second one would only hang as well, and take a thread from all others.
    const hangs = setTimeout(() => {
      this.#cannotSee(new PreavisError('spool_unusable', 'the recording folder does not answer'));
    }, answersWithinMs);
    try {
      this.#enter(await this.#measure());
    } catch (thrown) {
      this.#cannotSee(asPreavisError(thrown));
    } finally {
      clearTimeout(hangs);
    }
    if (this.#room === 'nearlyFull' && !this.#isStopped) await this.#stopRecorders();
  }

  #cannotSee(error: PreavisError): void {
    const { log, roomIs } = this.#options;
    if (this.#isStopped) return;
    if (this.#room !== 'unknown') log.error({ code: error.code, err: error }, 'free space of spool unknown');
    this.#room = 'unknown';
    roomIs(undefined);
  }

  /** As a hand on Asterisk's console would: what the recording has is kept. One that Asterisk refuses is left to the next look. */
  async #stopRecorders(): Promise<void> {
    const running = this.#options.states().flatMap((state) => {
      const records = state.kind === 'talking' && state.recorder.kind === 'running';
      return records ? [recorderOf(orderOf(state.facts))] : [];
    });
    await Promise.all(running.map((recorder) => this.#stopRecorder(recorder)));
  }

  async #stopRecorder(recorder: RecorderId): Promise<void> {
    const { ari, stopped, log } = this.#options;
    const { recording } = recorder;
    try {
      await ofEach(recorderNames(recorder), (name) => ari.stopRecorder(name));
    } catch (thrown) {
      const error = asPreavisError(thrown);
      // It has just ended.
      if (error.code === 'ari_not_found') return;
      log.error({ recording, code: error.code, err: error }, 'recording not stopped on full spool');
      return;
    }
    log.error({ recording, code: 'spool_full' }, 'recording stopped: spool full');
    // The catalogue may lie on the same full disk.
    await stopped(recording).catch((thrown: unknown) => {
      log.warn({ recording, code: asPreavisError(thrown).code }, 'end of recording not stored');
    });
  }

  async #measure(): Promise<Room> {
    const { spoolFolder, minimumFreeMib, roomIs } = this.#options;
    const free = await spoolRoomMib(spoolFolder);
    roomIs(free);
    // A little more than was asked for ends it, so that what hovers at the limit is not told each time.
    const isShort = this.#room === 'low' || this.#room === 'nearlyFull';
    if (free >= minimumFreeMib * (isShort ? 1 + margin : 1)) return 'enough';
    const least = minimumFreeMib * (1 - usableShare);

    return free >= least * (this.#room === 'nearlyFull' ? 1 + margin : 1) ? 'low' : 'nearlyFull';
  }

  /** One line for each change, not for each look. */
  #enter(room: Room): void {
    const { log } = this.#options;
    const before = this.#room;
    this.#room = room;
    if (room === before) return;
    if (room === 'enough') log.info('spool has free space again');
    else if (room === 'nearlyFull') log.error({ code: 'spool_full' }, 'spool almost full; recordings stopped');
    else log.error({ code: 'spool_full' }, 'spool low on space; new calls not recorded');
  }
}
