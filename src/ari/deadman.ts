import { setTimeout as sleep } from 'node:timers/promises';
import { asPreavisError, PreavisError } from '../core/errors.ts';
import type { ChannelId } from '../core/ids.ts';
import type { Logger } from '../core/log.ts';
import { isThere } from './answers.ts';
import type { AriDeadman, AriQueries } from './port.ts';

/**
 * The dead-man channel: what bounds the time that a recorder runs while nobody watches (P1). Asterisk goes on recording when this process
 * is dead, stopped or cut off, whoever joins the bridge. So while calls are on there is one channel of our own in Asterisk, with a time
 * limit of Asterisk's. As long as this process watches, it counts that time anew. When the time is over the channel ends, and its
 * extension `h` ends every recorder of bridges; the talks go on.
 *
 * Watching is: the event socket is open, Asterisk answers on it, the application is ours, and the calls were compared with Asterisk since.
 *
 * It is there only while calls are on, so that Asterisk may be stopped gracefully in between. Its id is that of the catalogue, so that
 * the next process goes on with the same one, and another catalogue's does not.
 */
export type DeadmanPorts = {
  ari: AriDeadman & Pick<AriQueries, 'hasModule'>;
  /** Its id: the next process that works on the same calls has the same. */
  channel: ChannelId;
  /** Those of processes before that nobody renews any more, whose calls this one has by now; asked once, when its own is up or none is needed. */
  left: () => Promise<readonly ChannelId[]>;
  /** s */
  limitSeconds: number;
  /** Whether this process would see who joins a call. */
  isWatching: () => boolean;
  /** Whether Asterisk answers on the event socket, asked now, within this time, ms. */
  answers: (withinMs: number) => Promise<boolean>;
  isCallOn: () => boolean;
  /** The id of a channel that is made, renewed and ended to see whether the dead-man channel can be. It is known for one by its name. */
  trial: () => ChannelId;
  /** Recorders were ended by it, at this time of Asterisk's clock, to the second below, ms. May be told again. */
  recordersEnded: (at: number) => Promise<void>;
  /** Told that it cannot be made or renewed, and that it can. */
  isMissing: (isMissing: boolean) => void;
  log: Logger;
};

/** What this process knows of the channel. `unknown`: one from before may be there. */
type Known = 'unknown' | 'up' | 'none';
export type DeadmanStep = 'renew' | 'create' | 'release' | 'nothing';

/** How often its time is counted anew while it runs. */
const renewalsInLimit = 5;
/** How soon it is up where the dialplan has its context, ms: 10 on an idle machine. */
const upLimitMs = 2_000;
const upPollMs = 50;
/** So soon the channel of a trial ends by itself, s: this process may die meanwhile. */
export const trialSeconds = 10;
/** One of the same id may just be ending; and one that is up is in our application a moment later, before which Asterisk answers 409. */
const insistMs = 2_000;
const againMs = 100;
/** After this time it is tried again where it could not be made, ms: somebody may have loaded the dialplan. */
const unusableMs = 10_000;

export function deadmanStep(known: Known, isCallOn: boolean): DeadmanStep {
  switch (known) {
    case 'none':
      return isCallOn ? 'create' : 'nothing';
    case 'unknown':
    case 'up':
      return isCallOn ? 'renew' : 'release';
  }
}

/** Looks at a channel in the context of the dead-man channel while it is there. */
async function inContext<T>(ari: AriDeadman, trial: ChannelId, look: (isUp: boolean) => Promise<T>): Promise<T> {
  await ari.tryContext(trial, trialSeconds);
  try {
    return await look(await isUp(ari, trial));
  } finally {
    await ari.endTrial(trial);
  }
}

/** Whether the dialplan has the context of the dead-man channel. */
export const hasContext = (ari: AriDeadman, trial: ChannelId): Promise<boolean> =>
  inContext(ari, trial, (isThere) => Promise.resolve(isThere));

/** Throws deadman_unusable where the dialplan has no context for it, or where a request to renew it does not come to Asterisk. */
export const requireContext = (ari: AriDeadman, trial: ChannelId): Promise<void> =>
  inContext(ari, trial, async (isThere) => {
    if (!isThere) throw contextMissing();
    if (await ari.reachesRenewal(trial, trialSeconds)) return;
    throw new PreavisError('deadman_unusable', 'a request to renew it does not reach Asterisk', { hint: proxyHint });
  });

async function isUp(ari: AriDeadman, channel: ChannelId): Promise<boolean> {
  for (let waitedMs = 0; waitedMs < upLimitMs; waitedMs += upPollMs) {
    const state = await ari.stateOf(channel);
    if (state === 'Up') return true;
    if (state === undefined) return false;
    await sleep(upPollMs);
  }

  return false;
}

/** Throws deadman_unusable where Asterisk cannot end recorders by itself. */
export async function requireSoftHangup(ari: Pick<AriQueries, 'hasModule'>): Promise<void> {
  if (await ari.hasModule('app_softhangup.so')) return;
  throw new PreavisError('deadman_unusable', 'Asterisk has not loaded app_softhangup.so');
}

const contextMissing = (): PreavisError =>
  new PreavisError('deadman_unusable', 'the dialplan has no context preavis-deadman');

const proxyHint = 'See the log of Asterisk, and let a proxy before it pass the whole of /ari.';
const refused = (cause: PreavisError): PreavisError =>
  new PreavisError('deadman_unusable', `Asterisk refuses what the dead-man channel needs: ${cause.message}`, {
    hint: proxyHint,
    cause,
  });

/** Asks again for a while where Asterisk says that it fails. Throws what it says at last. */
async function insist(request: () => Promise<void>): Promise<void> {
  for (let waitedMs = 0; ; waitedMs += againMs) {
    try {
      await request();

      return;
    } catch (thrown) {
      const error = asPreavisError(thrown);
      if (error.code !== 'ari_request_failed' || waitedMs >= insistMs) throw error;
      await sleep(againMs);
    }
  }
}

export class Deadman {
  readonly #ports: DeadmanPorts;
  #known: Known = 'unknown';
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> = Promise.resolve();
  #isLooking = false;
  #looksAgain = false;
  /** That it cannot be made or renewed was said, and is not said again until it could. */
  #isUnusable = false;
  #isTriedOut = false;
  #areLeftReleased = false;
  /** The last one has ended, and whether it ended recorders is not written down yet. */
  #hasToLookBack = false;
  /** Monotonic time in ms before which it is not tried again. */
  #restsUntil = -Infinity;

  constructor(ports: DeadmanPorts) {
    this.#ports = ports;
  }

  start(): void {
    this.#timer ??= setInterval(() => {
      if (!this.#isLooking) this.#look();
    }, this.#intervalMs);
    this.#look();
  }

  /** A call has come: its recorder is not to run without it until the next turn. */
  callCame(): void {
    if (this.#known !== 'up') this.lookNow();
  }

  /** This process watches again. */
  lookNow(): void {
    if (this.#timer === undefined) return;
    if (this.#isLooking) this.#looksAgain = true;
    else this.#look();
  }

  /** Tells what it did while nobody looked. Where Asterisk does not say, as by a proxy before ARI, nothing waits for it. */
  async lookBack(): Promise<void> {
    const { ari, recordersEnded, log } = this.#ports;
    try {
      const at = await ari.deadmanEndedAt();
      if (at !== undefined) await recordersEnded(at);
    } catch (thrown) {
      const error = asPreavisError(thrown);
      if (error.code !== 'ari_unauthorized' && error.code !== 'ari_request_failed') throw error;
      log.warn({ code: error.code, err: error }, 'recorders ended by dead-man channel unknown');
    }
  }

  /** With a call on, the next process finds it, or it ends its recorder. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#timer = undefined;
    await this.#looking;
    await this.#step();
  }

  get #intervalMs(): number {
    return (this.#ports.limitSeconds * 1_000) / renewalsInLimit;
  }

  #look(): void {
    this.#isLooking = true;
    this.#looksAgain = false;
    this.#looking = this.#step().finally(() => {
      this.#isLooking = false;
      if (this.#looksAgain) this.lookNow();
    });
  }

  /** Never rejects. */
  async #step(): Promise<void> {
    const { isWatching, log } = this.#ports;
    if (!isWatching()) return;
    try {
      await this.#turn();
    } catch (thrown) {
      const error = asPreavisError(thrown);
      // Asked again at the next turn, as long as the connection is there; that the catalogue fails is told elsewhere.
      const isTold = error.code === 'ari_unreachable' || error.code.startsWith('catalogue_');
      // What Asterisk refuses it will refuse again.
      if (!isTold) this.#rest(error.code.startsWith('ari_') ? refused(error) : error);
      else log.debug({ code: error.code, err: error }, 'dead-man channel check failed; will retry');
    }
    await this.#lookBackOnce();
  }

  /** Never rejects. What fails is tried again at the next turn. */
  async #lookBackOnce(): Promise<void> {
    if (!this.#hasToLookBack) return;
    try {
      await this.lookBack();
      this.#hasToLookBack = false;
    } catch (thrown) {
      const error = asPreavisError(thrown);
      this.#ports.log.debug({ code: error.code, err: error }, 'result of last dead-man channel unknown; will retry');
    }
  }

  async #turn(): Promise<void> {
    const { isWatching, isCallOn, answers } = this.#ports;
    const isIdle = deadmanStep(this.#known, isCallOn()) === 'nothing';
    if (isIdle && (this.#timer === undefined || this.#isTriedOut || this.#isResting)) return;
    // What Asterisk had told before it answered has been read by then, also that the application is another's.
    if (!(await answers(this.#intervalMs)) || !isWatching()) return;
    const step = deadmanStep(this.#known, isCallOn());
    if (step !== 'nothing') {
      await this.#act(step);
      await this.#releaseLeft();
      return;
    }
    await requireSoftHangup(this.#ports.ari);
    await this.#tryOut();
    this.#isUsable();
  }

  get #isResting(): boolean {
    return performance.now() < this.#restsUntil;
  }

  /** Whether it can be made and renewed: before the first, and again where it could not. One that is not armed ends no recorder. */
  async #tryOut(): Promise<void> {
    if (this.#isTriedOut) return;
    const { ari } = this.#ports;
    const trial = this.#ports.trial();
    await ari.tryApplication(trial, trialSeconds);
    try {
      if (!(await isUp(ari, trial))) throw contextMissing();
      await insist(() => ari.renewDeadman(trial, trialSeconds));
    } finally {
      // It ends by itself soon.
      await ari.endTrial(trial).catch(() => undefined);
    }
    this.#isTriedOut = true;
  }

  async #act(step: DeadmanStep): Promise<void> {
    const { ari, channel, limitSeconds } = this.#ports;
    switch (step) {
      case 'renew':
        if (await isThere(insist(() => ari.renewDeadman(channel, limitSeconds)))) {
          this.#works();
          return;
        }
        this.#known = 'none';
        this.#hasToLookBack = true;
        await this.#create();
        return;
      case 'create':
        await this.#create();
        return;
      case 'release':
        // Until it is answered: what was not answered may be carried out all the same, or not.
        this.#known = 'unknown';
        await isThere(ari.releaseDeadman(channel));
        this.#known = 'none';
        return;
      case 'nothing':
        return;
    }
  }

  /** At their end they would end the recorders of watched calls. Not before there is one of our own: what fails is tried again at the next turn. */
  async #releaseLeft(): Promise<void> {
    const { ari, left, isCallOn } = this.#ports;
    if (this.#areLeftReleased || this.#known === 'unknown' || (this.#known === 'none' && isCallOn())) return;
    for (const channel of await left()) await isThere(ari.releaseDeadman(channel));
    this.#areLeftReleased = true;
  }

  async #create(): Promise<void> {
    const { ari, channel, limitSeconds } = this.#ports;
    if (this.#isResting) return;
    await requireSoftHangup(ari);
    // One that cannot be renewed would end recorders that are watched.
    await this.#tryOut();
    // One that is made although that is not answered, or answered late, ends the recorders if it is not renewed.
    this.#known = 'unknown';
    await insist(() => ari.createDeadman(channel, limitSeconds));
    if (!(await isUp(ari, channel))) throw contextMissing();
    this.#works();
  }

  #works(): void {
    this.#isUsable();
    this.#known = 'up';
  }

  #isUsable(): void {
    if (this.#isUnusable) this.#ports.log.info('dead-man channel available again');
    this.#isUnusable = false;
    this.#ports.isMissing(false);
  }

  #rest(error: PreavisError): void {
    this.#restsUntil = performance.now() + unusableMs;
    this.#isTriedOut = false;
    if (this.#isUnusable) return;
    this.#isUnusable = true;
    this.#ports.isMissing(true);
    const { code, hint } = error;
    this.#ports.log.error(
      { code, err: error, hint },
      this.#known === 'up'
        ? 'dead-man channel not renewed; watched recorders will be ended'
        : 'dead-man channel missing; recorders unbounded while Préavis is down',
    );
  }
}
