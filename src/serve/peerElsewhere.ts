import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import { parse } from '../ari/answers.ts';
import type { AriRequest } from '../ari/httpClient.ts';
import type { CataloguePart } from '../catalogue/catalogue.ts';
import { serveLease, type LeaseHolder, type ServeName } from '../catalogue/jobs/leases.ts';
import type { Config } from '../config/schema.ts';
import { isFirst, servingAs, type Workers } from '../config/workers.ts';
import { asPreavisError, PreavisError } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';
import { thisProcess } from '../core/processes.ts';
import { makeAri } from '../services/ari.ts';
import { serveNameOf } from '../services/serveName.ts';
import { nameOf, processOf, renewEveryMs } from './serveLease.ts';

type PartOfCatalogue = CataloguePart<{ leases: 'otherHolder' | 'lastServed' }>;

/** How late a worker may be in noting that it serves, ms. */
const slackMs = 2_000;
const pollMs = 500;
/** Of two that start at the same time neither has noted yet that it serves. It is looked again after this time, ms. */
const againAfterMs = 15_000;

/** `away`: nobody has its lease. `unclear`: it is starting, or has lost Asterisk itself, or Asterisk does not answer here. */
export type PeerPlace = 'here' | 'away' | 'unclear' | { elsewhere: LeaseHolder };

/** Where a worker may serve. */
type Permitted = Exclude<PeerPlace, object>;

/** Resolves after this time, ms, or when this worker leaves. */
type Pause = (ms: number) => Promise<void>;
const pauseUnless =
  (signal: AbortSignal): Pause =>
  (ms) =>
    sleep(ms, undefined, { signal }).catch(() => undefined);

export type PeerPlacePorts = PartOfCatalogue & {
  /** The other worker. */
  serve: ServeName;
  /** Whether Asterisk here has its application. Throws ari_unreachable. */
  isKnown: () => Promise<boolean>;
  /** After twice this time a worker notes no more that it serves where its connection is dead, ms. */
  heartbeatMs: number;
  signal: AbortSignal;
  pause: Pause;
};

/**
 * Where the other worker serves. It is elsewhere where it notes again and again that it serves, and Asterisk here does not know its application.
 * That takes twice the heartbeat and up to seven seconds; where all is right, one request.
 *
 * An Asterisk that has an application of the same name from another PBX is not told from the right one here (pbxOfAsterisk.ts).
 *
 * @throws PreavisError what the catalogue throws
 */
export async function placeOfPeer({ leases, serve, isKnown, ...ports }: PeerPlacePorts): Promise<PeerPlace> {
  const { heartbeatMs, signal, pause } = ports;
  let unknownSince: number | undefined;
  while (!signal.aborted) {
    const holder = await leases.otherHolder(serveLease(serve), thisProcess());
    if (holder === undefined) return 'away';
    const known = await orUnreachable(isKnown());
    if (known !== false) return known === true ? 'here' : 'unclear';
    const askedAt = performance.now();
    unknownSince ??= askedAt;
    const last = await leases.lastServed(serve);
    // A clock of the database that was set back makes it a time to come.
    if (last?.by.id !== holder.id || last.agoMs < 0 || last.agoMs > renewEveryMs + slackMs) return 'unclear';
    const wasNotedLater = askedAt - last.agoMs - unknownSince >= 2 * heartbeatMs + slackMs;
    // One that has just connected has noted it behind the question.
    if (wasNotedLater && (await orUnreachable(isKnown())) === false) return { elsewhere: holder };
    await pause(pollMs);
  }

  return 'unclear';
}

async function orUnreachable(known: Promise<boolean>): Promise<boolean | 'unreachable'> {
  try {
    return await known;
  } catch (thrown) {
    if (asPreavisError(thrown).code === 'ari_unreachable') return 'unreachable';
    throw thrown;
  }
}

const applicationList = z.array(z.object({ name: z.string() }));

/** Where Asterisk, or a proxy before it, refuses to list applications, it is known. */
async function isListed(application: string, request: AriRequest): Promise<boolean> {
  try {
    return parse(applicationList, await request('GET', '/applications')).some(({ name }) => name === application);
  } catch (thrown) {
    if (asPreavisError(thrown).code === 'ari_unreachable') throw thrown;
    return true;
  }
}

/**
 * Two workers stand beside one Asterisk. Of two beside different ones each would take up the calls of the other, which its Asterisk does not
 * have, and end their rows.
 *
 * @throws PreavisError job_busy where the other worker is elsewhere, and what the catalogue throws
 */
export async function refuseElsewhere(
  config: Config,
  { peer }: Workers,
  { leases }: PartOfCatalogue,
  signal: AbortSignal,
): Promise<Permitted> {
  const serve = serveNameOf(servingAs(config, peer));
  const ari = makeAri(config);
  try {
    const isKnown = (): Promise<boolean> => isListed(peer, ari.request);
    const { heartbeatMs } = config.ari;
    const pause = pauseUnless(signal);
    const place = await placeOfPeer({ leases, serve, isKnown, heartbeatMs, signal, pause });
    if (typeof place === 'string') return place;
    throw new PreavisError(
      'job_busy',
      `${processOf(place.elsewhere)} serves ${nameOf(serve)} beside another Asterisk`,
      {
        hint: 'Two workers share one Asterisk: compare ari.url of both. Two PBXs need an ari.pbx each, and with SQLite a catalogue each (docs/operations/workers.md).',
      },
    );
  } finally {
    ari.close();
  }
}

export type LaterLookPorts = {
  isFirst: boolean;
  look: () => Promise<Permitted>;
  log: Logger;
  /** Told once where the other worker is elsewhere. */
  refused: (error: PreavisError) => void;
  /** Aborted when this worker leaves. */
  signal: AbortSignal;
  pause: Pause;
};

/** Looks again, of the second worker alone: else both would end. */
export class LaterLook {
  readonly #ports: LaterLookPorts;
  #looking: Promise<void> = Promise.resolve();

  constructor(ports: LaterLookPorts) {
    this.#ports = ports;
  }

  start(): void {
    if (!this.#ports.isFirst) this.#looking = this.#look();
  }

  stop(): Promise<void> {
    return this.#looking;
  }

  async #look(): Promise<void> {
    const { look, log, refused, signal, pause } = this.#ports;
    for (let isDone = false; !isDone;) {
      await pause(againAfterMs);
      if (signal.aborted) return;
      try {
        isDone = (await look()) !== 'unclear';
      } catch (thrown) {
        const error = asPreavisError(thrown);
        isDone = error.code === 'job_busy';
        if (isDone) refused(error);
        else log.debug({ code: error.code }, 'place of the other worker unknown; will retry');
      }
    }
  }
}

/** What the second worker of a PBX does once it serves. */
export function makeLaterLook(
  config: Config,
  workers: Workers,
  catalogue: PartOfCatalogue,
  ports: Pick<LaterLookPorts, 'log' | 'refused' | 'signal'>,
): LaterLook {
  const look = (): Promise<Permitted> => refuseElsewhere(config, workers, catalogue, ports.signal);

  return new LaterLook({ ...ports, look, isFirst: isFirst(workers.own, workers), pause: pauseUnless(ports.signal) });
}
