import pLimit from 'p-limit';
import type { CataloguePart } from '../catalogue/catalogue.ts';
import type { DeliveryRow } from '../catalogue/jobs/deliveries.ts';
import { noWait, withLease } from '../catalogue/jobs/lease.ts';
import { dayMs, type Clock } from '../core/clock.ts';
import type { PreavisError } from '../core/errors.ts';
import { failPoint } from '../core/failPoint.ts';
import type { Logger } from '../core/log.ts';
import { backoffMs } from '../core/backoff.ts';
import { addressOf, type Endpoint } from './message.ts';
import type { Poster } from './post.ts';

/**
 * Sends what the catalogue has for webhooks. Each message is sent at least once: killed between the answer and the row, it
 * is sent again under the same id. A failed one waits, ever longer, for three days; then it is given up with an alarm.
 *
 * An endpoint that fails several times in a row is taken to be down: what else is due for it waits too, as if tried. So a
 * dead one gets a few requests a round, however much waits for it.
 */
export type DeliverPorts = {
  catalogue: CataloguePart<{
    deliveries:
      | 'due'
      | 'endpointsDue'
      | 'figures'
      | 'noteDelivered'
      | 'postpone'
      | 'postponeAll'
      | 'giveUp'
      | 'giveUpEndpoint'
      | 'sweep'
      | 'disabledEndpoints'
      | 'disableEndpoint';
    leases: 'take' | 'renew' | 'release';
  }>;
  endpoints: readonly Endpoint[];
  post: Poster['post'];
  clock: Clock;
  /** From 0 to 1, for the jitter of waits. */
  random: () => number;
  log: Logger;
  /** An attempt has failed; for the metrics. */
  failed: (endpoint: string) => void;
};

const waits = { firstMs: 5_000, longestMs: 60 * 60_000 };
/** From the first attempt to the last, ms. */
const retryForMs = 3 * dayMs;
const deliveredKeptMs = 7 * dayMs;
const failedKeptMs = 30 * dayMs;
const atOnce = 4;
const batch = 50;
/** So many failures in a row, and the endpoint is down. */
const failuresToRest = 5;

/** What one round has seen of an endpoint. */
type Lane = {
  /** As far as it is the turn of this pass. */
  readonly catalogue: DeliverPorts['catalogue'];
  endpoint: Endpoint;
  failures: number;
  last: { row: DeliveryRow; error: PreavisError } | undefined;
};

export class Deliverer {
  readonly #ports: DeliverPorts;
  /** Those of which it was told that they fail. */
  readonly #failing = new Set<string>();

  constructor(ports: DeliverPorts) {
    this.#ports = ports;
  }

  /**
   * Sends what is due, and asks for the lease only then. Throws job_busy and what the catalogue throws.
   *
   * @param stop begin nothing more
   * @param forced ends also what is under way, which then counts as not tried
   */
  async pass(stop: AbortSignal, forced: AbortSignal): Promise<void> {
    const { clock, endpoints } = this.#ports;
    const due = await this.#ports.catalogue.deliveries.endpointsDue(
      endpoints.map(({ name }) => name),
      clock.now(),
    );
    if (due.length === 0) return;
    await withLease(this.#ports.catalogue, 'webhooks', noWait, async (catalogue) => {
      const disabled = await catalogue.deliveries.disabledEndpoints();
      const isDisabled = (endpoint: Endpoint): boolean =>
        disabled.some((each) => each.endpoint === endpoint.name && each.address === addressOf(endpoint));
      const serve = async (endpoint: Endpoint): Promise<void> => {
        if (isDisabled(endpoint)) await catalogue.deliveries.giveUpEndpoint(endpoint.name, 'webhook_gone');
        else await this.#serve({ catalogue, endpoint, failures: 0, last: undefined }, stop, forced);
      };
      // One that breaks must not leave the others running without the lease.
      const served = await Promise.allSettled(endpoints.filter(({ name }) => due.includes(name)).map(serve));
      for (const each of served) if (each.status === 'rejected') throw each.reason;
      await this.#giveUp(catalogue);
    });
  }

  /** Removes what was done with some time ago, and gives up what waits for endpoints that are not configured any more. */
  async tidy(): Promise<void> {
    const { catalogue, clock, endpoints, log } = this.#ports;
    const at = clock.now();
    await catalogue.deliveries.sweep({ delivered: at - deliveredKeptMs, failed: at - failedKeptMs });
    for (const { endpoint, waiting } of await catalogue.deliveries.figures()) {
      if (waiting === 0 || endpoints.some(({ name }) => name === endpoint)) continue;
      const count = await catalogue.deliveries.giveUpEndpoint(endpoint, 'webhook_unknown');
      log.warn({ webhook: endpoint, count }, 'messages for unconfigured webhook discarded');
    }
  }

  async #serve(lane: Lane, stop: AbortSignal, forced: AbortSignal): Promise<void> {
    const { clock } = this.#ports;
    const { catalogue } = lane;
    const { name } = lane.endpoint;
    const limit = pLimit(atOnce);
    const isStopped = (): boolean => stop.aborted || forced.aborted;
    const isOver = (): boolean => isStopped() || lane.failures >= failuresToRest || isGone(lane);
    while (!isOver()) {
      const rows = await catalogue.deliveries.due(name, clock.now(), batch);
      if (rows.length === 0) return;
      const sent = await Promise.allSettled(
        rows.map((row) => limit(async () => (isOver() ? undefined : this.#attempt(lane, row, forced)))),
      );
      for (const each of sent) if (each.status === 'rejected') throw each.reason;
    }
    if (lane.last === undefined || isStopped()) return;
    if (isGone(lane)) await this.#disable(lane);
    else if (lane.failures >= failuresToRest) {
      const { row, error } = lane.last;
      await catalogue.deliveries.postponeAll(name, this.#nextAttempt(row), { code: error.code, answer: null });
    }
  }

  async #attempt(lane: Lane, row: DeliveryRow, forced: AbortSignal): Promise<void> {
    const { post, clock, log, failed } = this.#ports;
    const { catalogue } = lane;
    const { name } = lane.endpoint;
    const outcome = await post(lane.endpoint, row, clock.now(), forced);
    if (outcome.kind === 'delivered') {
      failPoint?.('webhooks, answered');
      await catalogue.deliveries.noteDelivered(row.id);
      lane.failures = 0;
      log.debug({ webhook: name, message: row.id, event: row.event }, 'webhook message delivered');
      if (this.#failing.delete(name)) log.info({ webhook: name }, 'webhook available again');
      return;
    }
    // Cut short by the end of this process: that says nothing of the endpoint.
    if (forced.aborted) return;
    const { error, answer } = outcome;
    lane.failures += 1;
    // That it is gone is the last word, whatever others that were under way say.
    if (!isGone(lane)) lane.last = { row, error };
    failed(name);
    await catalogue.deliveries.postpone(row.id, this.#nextAttempt(row), { code: error.code, answer });
    const about = {
      webhook: name,
      message: row.id,
      event: row.event,
      attempts: row.attempts + 1,
      code: error.code,
      answer,
    };
    if (this.#failing.has(name)) log.debug(about, 'webhook message not delivered');
    else log.warn({ ...about, err: error }, 'webhook message not delivered; will retry');
    this.#failing.add(name);
  }

  #nextAttempt({ attempts }: DeliveryRow): number {
    return Math.round(this.#ports.clock.now() + backoffMs(attempts, this.#ports.random(), waits));
  }

  async #disable({ catalogue, endpoint }: Lane): Promise<void> {
    const { log } = this.#ports;
    await catalogue.deliveries.disableEndpoint(endpoint.name, addressOf(endpoint));
    const count = await catalogue.deliveries.giveUpEndpoint(endpoint.name, 'webhook_gone');
    log.error({ webhook: endpoint.name, code: 'webhook_gone', count }, 'webhook gone; deliveries stopped');
  }

  async #giveUp(catalogue: DeliverPorts['catalogue']): Promise<void> {
    const { clock, log } = this.#ports;
    for (const { endpoint, count } of await catalogue.deliveries.giveUp(clock.now() - retryForMs)) {
      log.error({ webhook: endpoint, count }, 'webhook messages discarded after three days of failures');
    }
  }
}

function isGone({ last }: Lane): boolean {
  return last?.error.code === 'webhook_gone';
}
