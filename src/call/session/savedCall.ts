import { asPreavisError } from '../../core/errors.ts';
import type { HappeningId } from '../../core/ids.ts';
import type { CallState } from '../decide/state.ts';
import type { TimelineEntry } from '../watch/timeline.ts';
import type { CallJournal, Measured } from './journal.ts';
import type { SessionPorts } from './ports.ts';

/** When is written again what the catalogue did not take, ms. */
const saveAgainMs = 5_000;

export type SavedCallPorts = Pick<SessionPorts, 'log' | 'ids' | 'endSaved'> & {
  journal: Pick<CallJournal, 'save' | 'expect' | 'addToTimeline'>;
  /** The call as it is now. */
  state: () => CallState;
  /** What was measured of it until this state. */
  measured: (state: CallState) => Measured;
  /** Does a step that never rejects behind what is under way. What comes later waits for it. */
  inTurn: (step: () => Promise<void>) => void;
};

/** What the catalogue has of one call, and should have. What it cannot take now it is given later: what was recorded is judged by it. */
export class SavedCall {
  readonly #ports: SavedCallPorts;
  /** States that the catalogue should have and has not, in their order. */
  readonly #unsaved = new Set<CallState>();
  #saveAgain: NodeJS.Timeout | undefined;
  /** What the catalogue has not taken yet, the first to happen first. */
  readonly #unkept: { readonly entry: TimelineEntry; readonly happening: HappeningId }[] = [];
  #keeping: Promise<void> = Promise.resolve();
  /** How many things happened that wait for their turn to be kept. */
  #noted = 0;
  #keepAgain: NodeJS.Timeout | undefined;
  /** Of what was recorded, after a refusal: whether it is done, and in the receipt. */
  #removal: 'none' | 'done' | 'kept' = 'none';
  #recorderEndedAt: number | undefined;
  #isStopped = false;

  constructor(ports: SavedCallPorts) {
    this.#ports = ports;
  }

  /** Whether the catalogue has what happened. */
  get isKept(): boolean {
    return this.#noted === 0 && this.#unkept.length === 0 && this.#unsaved.size === 0;
  }

  /** This state is going to be saved. */
  expect(state: CallState): void {
    this.#unsaved.add(state);
    this.#ports.journal.expect?.(state);
  }

  /** Throws catalogue_unusable; then the call as it is by then is saved later. */
  async save(state: CallState): Promise<void> {
    const { journal, measured, endSaved } = this.#ports;
    clearTimeout(this.#saveAgain);
    try {
      // A recording is judged as soon as the end of its call is known.
      if (state.kind === 'ended' && state.recorder.kind !== 'none') await this.#keepAll();
      const saved = this.#unsavedUntil(state);
      await journal.save(state, measured(state));
      for (const each of saved) this.#unsaved.delete(each);
      if (state.kind === 'ended') endSaved();
    } catch (thrown) {
      this.#saveAgain = this.#later(() => this.save(this.#ports.state()).catch(() => undefined));
      throw thrown;
    }
  }

  /** With a state the catalogue has all before it. */
  #unsavedUntil(state: CallState): readonly CallState[] {
    const all = [...this.#unsaved];

    return state === this.#ports.state() ? all : all.slice(0, all.indexOf(state) + 1);
  }

  /** Behind what is under way, so that the call is in the catalogue before it. */
  note(entry: TimelineEntry): void {
    this.#noted += 1;
    this.#ports.inTurn(async () => {
      this.#noted -= 1;
      await this.keep(entry);
    });
  }

  /** Whether the catalogue has it; if not, it will be kept later. */
  keep(entry: TimelineEntry): Promise<boolean> {
    // Before it is written for the first time: the catalogue may have it although it says that it failed.
    this.#unkept.push({ entry, happening: this.#ports.ids.happening() });

    return this.#keepNow();
  }

  async #keepNow(): Promise<boolean> {
    try {
      await this.#keepAll();

      return true;
    } catch (thrown) {
      const error = asPreavisError(thrown);
      this.#ports.log.warn({ code: error.code, err: error }, 'receipt data not stored; will retry');
      clearTimeout(this.#keepAgain);
      this.#keepAgain = this.#later(async () => {
        await this.#keepNow();
      });

      return false;
    }
  }

  /** In their order, each once. */
  #keepAll(): Promise<void> {
    const turn = this.#keeping.then(async () => {
      for (let next = this.#unkept[0]; next !== undefined; next = this.#unkept[0]) {
        await this.#ports.journal.addToTimeline(this.#ports.state().facts.id, next.entry, next.happening);
        this.#unkept.shift();
      }
    });
    this.#keeping = turn.catch(() => undefined);

    return turn;
  }

  /** The recorder of a caller who has refused ended at this time of Asterisk's: before the answer that what it had is removed, or behind it. */
  recorderEnded(at: number): void {
    this.#recorderEndedAt = at;
    this.#ports.inTurn(() => this.keepRemoval());
  }

  /** Asterisk has removed what was recorded; it tells when in an event of its own, before or after. */
  async recordingRemoved(): Promise<void> {
    this.#removal = 'done';
    if (this.#ports.state().kind === 'ended' || this.#recorderEndedAt !== undefined) await this.keepRemoval();
  }

  /** Keeps once that what was recorded is removed, if it is. */
  async keepRemoval(): Promise<void> {
    if (this.#removal !== 'done') return;
    this.#removal = 'kept';
    await this.keep({ kind: 'change', change: 'recordingRemoved', at: this.#recorderEndedAt });
  }

  /** Gives the catalogue at once what it has not taken, if it can take it by now. Never rejects. */
  async writeDown(): Promise<void> {
    if (this.#unsaved.size > 0) await this.save(this.#ports.state()).catch(() => undefined);
    if (this.#unkept.length > 0) await this.#keepNow();
  }

  /** Leaves what the catalogue has not taken. */
  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#saveAgain);
    clearTimeout(this.#keepAgain);
  }

  #later(step: () => Promise<void>): NodeJS.Timeout {
    return setTimeout(() => {
      if (!this.#isStopped) this.#ports.inTurn(step);
    }, saveAgainMs).unref();
  }
}
