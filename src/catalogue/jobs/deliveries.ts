import * as z from 'zod';
import type { WebhookEvent } from '../../config/webhookSchema.ts';
import { isoTime } from '../../core/clock.ts';
import type { ErrorCode } from '../../core/errors.ts';
import type { RecordingId } from '../../core/ids.ts';
import { json, row } from '../sqlite/rowForm.ts';
import { all, change, one, relaxed, sql, value, writing, type Step } from '../sql/step.ts';

/** A webhook of the configuration, as the catalogue sees it: who is to be told of what. */
export type Subscriber = {
  name: string;
  events: readonly WebhookEvent[];
  /** Of `controllers`, null: of the company itself; undefined: of all. */
  controllers?: readonly (string | null)[] | undefined;
};

/** Something that others are told of. `hold` is the id of the hold, where it is about one. */
export type DeliveryEvent = { event: WebhookEvent; recording: RecordingId; hold?: string };

/** waiting: to be sent, for the first time or again. failed: given up. */
const deliveryStatuses = ['waiting', 'delivered', 'failed'] as const;

const deliveryRow = row(
  {
    id: z.string(),
    endpoint: z.string(),
    at: z.number(),
    event: z.string(),
    recording: z.string(),
    /** JSON text, as it is sent each time. */
    body: z.string(),
    status: z.enum(deliveryStatuses),
    attempts: z.number(),
    nextAttemptAt: z.number(),
    /** Of the last attempt: its error code, and the HTTP status where there was an answer. */
    failure: z.string().nullable(),
    answer: z.number().nullable(),
  },
  { recording: 'recording_id' },
);
export type DeliveryRow = z.output<typeof deliveryRow>;

const figuresRow = z.object({
  endpoint: z.string(),
  waiting: z.number(),
  failed: z.number(),
  oldestWaitingAt: z.number().nullable(),
});
export type DeliveryFigures = z.output<typeof figuresRow>;

const disabledRow = z.object({ endpoint: z.string(), address: z.string(), at: z.number() });
/** One that said it is gone. `address` is a digest of its url: another url is another endpoint. */
export type DisabledEndpoint = z.output<typeof disabledRow>;

/** Why an attempt failed. */
export type DeliveryFailure = { code: ErrorCode; answer: number | null };

/** In the order in which they are told. */
const factsRow = row(
  {
    call: z.string(),
    status: z.string(),
    line: z.string().nullable(),
    controller: z.string().nullable(),
    pbx: z.string().nullable(),
    purposes: json(z.unknown()),
    keepUntil: z.number().nullable(),
    failure: z.string().nullable(),
  },
  { call: 'call_id' },
);

/** Longer than a delivery ever waits for its next attempt, ms: postponed for longer, it was so before the clock was put back. */
const longestPostponedMs = 2 * 60 * 60_000;

/**
 * The table `deliveries`: what is to be told to whom, one row for each event and endpoint. `append` writes them in the
 * transaction of what they tell of, so that none is lost and none tells of what did not happen. Without subscribers there are none.
 */
// eslint-disable-next-line max-lines-per-function -- A list: each statement beside the method that runs it.
export function makeDeliveries(now: () => number, subscribers: readonly Subscriber[]) {
  const selectFacts = sql(`
    SELECT call_id, recordings.status, recordings.failure, keep_until, line, recordings.controller, calls.pbx, calls.purposes
    FROM recordings JOIN calls ON calls.id = recordings.call_id WHERE recordings.id = @recording`);
  // Its id must be new in every copy of the catalogue, also in a backup that was restored.
  const insertAs = (digits: string): string => `
    INSERT INTO deliveries (id, endpoint, at, event, recording_id, body)
    VALUES ('msg_' || ${digits}, @endpoint, @at, @event, @recording, @body)`;
  const insert = sql({
    sqlite: insertAs('lower(hex(randomblob(16)))'),
    postgres: insertAs(`encode(uuid_send(gen_random_uuid()), 'hex')`),
  });
  const isDue = `status = 'waiting' AND (next_attempt_at <= @at OR next_attempt_at > @at + ${longestPostponedMs})`;
  // Of one recording only the first that is due, so that its events are not sent side by side; rarely tried ones first,
  // so that one that is always refused holds up no other.
  const selectDue = sql(`
    SELECT * FROM deliveries AS each WHERE endpoint = @endpoint AND ${isDue}
      AND NOT EXISTS (SELECT 1 FROM deliveries WHERE recording_id = each.recording_id AND endpoint = @endpoint
        AND number < each.number AND ${isDue})
    ORDER BY attempts, number LIMIT @limit`);
  const selectIsDue = sql(`
       SELECT
         EXISTS (SELECT 1 FROM deliveries WHERE endpoint = @endpoint AND status = 'waiting' AND next_attempt_at <= @at)
         OR EXISTS (SELECT 1 FROM deliveries WHERE endpoint = @endpoint AND status = 'waiting'
           AND next_attempt_at > @at + ${longestPostponedMs})`);
  const selectOpen = sql(
    `SELECT * FROM deliveries WHERE status IN ('waiting', 'failed') ORDER BY number DESC LIMIT @limit`,
  );
  const selectFigures = sql(`
    SELECT endpoint, count(*) FILTER (WHERE status = 'waiting') AS waiting, count(*) FILTER (WHERE status = 'failed') AS failed,
      min(at) FILTER (WHERE status = 'waiting') AS "oldestWaitingAt"
    FROM deliveries WHERE status IN ('waiting', 'failed') GROUP BY endpoint ORDER BY endpoint`);
  const end = `failure = NULL, answer = NULL, ended_at = @at`;
  const setDelivered = sql(
    `UPDATE deliveries SET status = 'delivered', attempts = attempts + 1, ${end} WHERE id = @id AND status = 'waiting'`,
  );
  const postponed = `attempts = attempts + 1, first_attempt_at = coalesce(first_attempt_at, @at), next_attempt_at = @until,
    failure = @code, answer = @answer`;
  const postpone = sql(`UPDATE deliveries SET ${postponed} WHERE id = @id AND status = 'waiting'`);
  const postponeAll = sql(`UPDATE deliveries SET ${postponed} WHERE endpoint = @endpoint AND ${isDue}`);
  const giveUp = sql(`
    UPDATE deliveries SET status = 'failed', ended_at = @at WHERE status = 'waiting' AND first_attempt_at IS NOT NULL AND first_attempt_at <= @since
    RETURNING endpoint`);
  const giveUpAll = sql(
    `UPDATE deliveries SET status = 'failed', ended_at = @at, failure = @failure WHERE endpoint = @endpoint AND status = 'waiting'`,
  );
  const makeDue = sql(`
    UPDATE deliveries SET status = 'waiting', attempts = 0, first_attempt_at = NULL, next_attempt_at = 0, ended_at = NULL
    WHERE status IN ('waiting', 'failed') AND (@endpoint IS NULL OR endpoint = @endpoint)`);
  const enable = sql(`DELETE FROM disabled_endpoints WHERE @endpoint IS NULL OR endpoint = @endpoint`);
  const sweep = sql(`
    DELETE FROM deliveries
    WHERE (status = 'delivered' AND ended_at < @delivered) OR (status = 'failed' AND ended_at < @failed)`);
  const selectDisabled = sql(`SELECT * FROM disabled_endpoints`);
  const disable = sql(`
    INSERT INTO disabled_endpoints (endpoint, address, at) VALUES (@endpoint, @address, @at)
    ON CONFLICT (endpoint) DO UPDATE SET address = excluded.address, at = excluded.at`);
  const rows = z.array(deliveryRow);

  const retry = writing(function* (endpoint: string | undefined): Step<number> {
    const which = { endpoint: endpoint ?? null };
    yield* change(enable, which);

    return yield* change(makeDue, which);
  });

  function* append({ event, recording, hold }: DeliveryEvent): Step<void> {
    const interested = subscribers.filter(({ events }) => events.includes(event));
    if (interested.length === 0) return;
    const at = now();
    const facts = factsRow.parse(yield* one(selectFacts, { recording }));
    const told = interested.filter(({ controllers }) => controllers?.includes(facts.controller) ?? true);
    if (told.length === 0) return;
    // Undefined is left out of JSON.
    const data = { recording, ...facts, pbx: facts.pbx ?? undefined, keepUntil: isoTime(facts.keepUntil), hold };
    const body = JSON.stringify({ type: event, timestamp: isoTime(at), data });
    for (const { name } of told) yield* change(insert, { endpoint: name, at, event, recording, body });
  }

  return {
    /** To be called in the transaction of what it tells of, after it was written there. */
    append,
    *due(endpoint: string, at: number, limit: number): Step<DeliveryRow[]> {
      return rows.parse(yield* all(selectDue, { endpoint, at, limit }));
    },
    /** Those of these that have something to be sent. */
    *endpointsDue(endpoints: readonly string[], at: number): Step<string[]> {
      const due: string[] = [];
      for (const endpoint of endpoints) if ((yield* value(selectIsDue, { endpoint, at })) === 1) due.push(endpoint);

      return due;
    },
    /** What waits and what was given up, the newest first. */
    *list(limit: number): Step<DeliveryRow[]> {
      return rows.parse(yield* all(selectOpen, { limit }));
    },
    *figures(): Step<DeliveryFigures[]> {
      return z.array(figuresRow).parse(yield* all(selectFigures));
    },
    /** Lost in a power cut, it is sent again, under the same id. */
    noteDelivered: relaxed(function* (id: string): Step<void> {
      yield* change(setDelivered, { id, at: now() });
    }),
    postpone: relaxed(function* (id: string, until: number, failure: DeliveryFailure): Step<void> {
      yield* change(postpone, { id, at: now(), until, ...failure });
    }),
    /** The same for all of an endpoint that are due: each has had its attempt, as it were. */
    *postponeAll(endpoint: string, until: number, failure: DeliveryFailure): Step<void> {
      yield* change(postponeAll, { endpoint, at: now(), until, ...failure });
    },
    /** Gives up what has been tried in vain since before then; says how many of each endpoint. */
    *giveUp(since: number): Step<{ endpoint: string; count: number }[]> {
      const given = z.array(z.object({ endpoint: z.string() })).parse(yield* all(giveUp, { at: now(), since }));
      const counts = new Map<string, number>();
      for (const { endpoint } of given) counts.set(endpoint, (counts.get(endpoint) ?? 0) + 1);

      return [...counts].map(([endpoint, count]) => ({ endpoint, count }));
    },
    /** Gives up all of an endpoint; says how many. */
    *giveUpEndpoint(endpoint: string, failure: ErrorCode): Step<number> {
      return yield* change(giveUpAll, { endpoint, failure, at: now() });
    },
    /** Everything that waits or was given up is due now, of one endpoint or of all, and disabled ones are used again; says how many. */
    retry,
    *sweep(before: { delivered: number; failed: number }): Step<void> {
      yield* change(sweep, before);
    },
    *disabledEndpoints(): Step<DisabledEndpoint[]> {
      return z.array(disabledRow).parse(yield* all(selectDisabled));
    },
    *disableEndpoint(endpoint: string, address: string): Step<void> {
      yield* change(disable, { endpoint, address, at: now() });
    },
  };
}
