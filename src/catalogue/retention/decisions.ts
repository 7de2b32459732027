import * as z from 'zod';
import type { CallId, RecordingId } from '../../core/ids.ts';
import { isNumberHeld } from '../calls/dialled.ts';
import type { Recordings, ShortenBasis } from '../calls/recordings.ts';
import { makeSignedTable } from './signedTable.ts';
import { callId, yesNo, row } from '../sqlite/rowForm.ts';
import { all, change, one, sql, value, values, writing, type Step } from '../sql/step.ts';

export const decisionKinds = [
  'callersForgotten',
  'extensionsForgotten',
  'numbersForgotten',
  'languagesForgotten',
  'purposesShortened',
] as const;
export type DecisionKind = (typeof decisionKinds)[number];

const decisionRow = row({
  /** Of the JWS as text. */
  sha256: z.string(),
  kind: z.enum(decisionKinds),
  decidedAt: z.number(),
  neededUntil: z.number(),
  jws: z.string(),
  inLedger: yesNo,
});
/** A decision that erases something without a certificate, as it was signed (retention/decision.ts). */
export type DecisionRow = z.output<typeof decisionRow>;
export type NewDecision = Omit<DecisionRow, 'inLedger'>;

/** What a decision does here. */
export type DecisionEffect =
  | { kind: 'callersForgotten' | 'extensionsForgotten' | 'numbersForgotten'; calls: readonly CallId[] }
  | { kind: 'languagesForgotten'; callers: 'all' | readonly string[] }
  | {
      kind: 'purposesShortened';
      basis: ShortenBasis;
      ends: readonly { recording: RecordingId; purpose: string; to: number }[];
    };

/** What was signed and is still to be done, with what it does here. */
export type SignedDecision = { decision: NewDecision; effect: DecisionEffect };

/** `decided`: just now. `replayed`: it was found in the ledger, and this catalogue did not know it. */
export type DecisionSource = { from: 'decided' } | { from: 'replayed'; at: number };

const countRow = z.object({ kind: z.enum(decisionKinds), count: z.number() });
const expiryRow = z.object({ count: z.number(), last: z.number().nullable() });

/** The table `decisions`. */
export type Decisions = ReturnType<typeof makeDecisions>;

/** The table `decisions`, and the doing of them: what was decided and what it does are one step. */
// eslint-disable-next-line max-lines-per-function -- A list: each statement beside the method that runs it.
export function makeDecisions(shorten: Recordings['shorten']) {
  const insert = sql(`
    INSERT INTO decisions (sha256, kind, decided_at, needed_until, jws, in_ledger, replayed_at)
    VALUES (@sha256, @kind, @decidedAt, @neededUntil, @jws, @inLedger, @replayedAt) ON CONFLICT DO NOTHING`);
  const selectAlone = sql(`SELECT * FROM decisions WHERE in_ledger = 0 ORDER BY decided_at, sha256 LIMIT @limit`);
  const selectBeyond = sql(`SELECT * FROM decisions WHERE sha256 > @after ORDER BY sha256 LIMIT @limit`);
  const selectOld = sql(`SELECT * FROM decisions WHERE needed_until <= @at LIMIT @limit`);
  const { noteCopy, isKnown, count, remove } = makeSignedTable('decisions');
  const countReplayed = sql(
    `SELECT kind, count(*) AS count FROM decisions WHERE replayed_at >= @since GROUP BY kind ORDER BY kind`,
  );

  const selectForgettable = sql(`
    SELECT call_id FROM callers WHERE hash = @hash
      AND EXISTS (SELECT 1 FROM calls WHERE id = callers.call_id AND state IS NULL
        AND (@anyController = 1 OR controller IS NOT DISTINCT FROM @controller))
      AND NOT EXISTS (SELECT 1 FROM recordings WHERE recordings.call_id = callers.call_id
        AND status NOT IN ('erased', 'discarded'))
    ORDER BY call_id LIMIT @limit`);
  const forgetCall = sql(`DELETE FROM callers WHERE call_id = @call`);
  const forgetExtension = sql(`DELETE FROM extensions WHERE call_id = @call`);
  const forgetDialled = sql(`DELETE FROM dialled WHERE call_id = @call`);
  const forgetNumber = sql(`DELETE FROM dialled WHERE call_id = @call AND NOT ${isNumberHeld}`);
  const selectLanguages = sql(`
    SELECT count(*) AS count, max(expires_at) AS last FROM preferences WHERE @caller IS NULL OR caller = @caller`);
  const selectCallers = sql(`SELECT caller FROM preferences WHERE caller > @after ORDER BY caller LIMIT @limit`);
  const forgetLanguage = sql(`DELETE FROM preferences WHERE caller = @caller`);
  const forgetLanguages = sql(`DELETE FROM preferences`);

  const selectEnd = sql(
    `SELECT keep_until FROM recording_purposes WHERE recording_id = @recording AND purpose = @purpose`,
  );
  const selectRecording = sql(`SELECT 1 FROM recordings WHERE id = @recording`);
  const insertShortened = sql(`
    INSERT INTO shortened_ends (recording_id, purpose, keep_until, basis) VALUES (@recording, @purpose, @to, @basis)
    ON CONFLICT (recording_id, purpose) DO UPDATE SET keep_until = excluded.keep_until, basis = excluded.basis
      WHERE excluded.keep_until < shortened_ends.keep_until`);

  function* apply(effect: DecisionEffect, at: number, actor: string): Step<void> {
    switch (effect.kind) {
      case 'callersForgotten':
        for (const call of effect.calls) {
          yield* change(forgetCall, { call });
          yield* change(forgetDialled, { call });
        }
        return;
      case 'extensionsForgotten':
        // A direct number names who answered, as the telephone does.
        for (const call of effect.calls) {
          yield* change(forgetExtension, { call });
          yield* change(forgetDialled, { call });
        }
        return;
      case 'numbersForgotten':
        for (const call of effect.calls) yield* change(forgetNumber, { call, at });
        return;
      case 'languagesForgotten':
        if (effect.callers === 'all') yield* change(forgetLanguages);
        else for (const caller of effect.callers) yield* change(forgetLanguage, { caller });
        return;
      case 'purposesShortened':
        for (const { recording, purpose, to } of effect.ends) {
          const from = z
            .number()
            .optional()
            .parse(yield* value(selectEnd, { recording, purpose }));
          if (from !== undefined) {
            if (from > to) yield* shorten(purpose, [{ id: recording, from, to }], effect.basis, actor);
          } else if ((yield* value(selectRecording, { recording })) === 1) {
            // It has no ends before it is finished, as in a backup from during its call.
            yield* change(insertShortened, { recording, purpose, to, basis: effect.basis });
          }
        }
    }
  }

  const carryOut = writing(function* (
    decision: NewDecision,
    effect: DecisionEffect,
    source: DecisionSource,
    actor: string,
  ): Step<boolean> {
    const isReplayed = source.from === 'replayed';
    const replayedAt = isReplayed ? source.at : null;
    const at = replayedAt ?? decision.decidedAt;
    if ((yield* change(insert, { ...decision, inLedger: Number(isReplayed), replayedAt })) === 0) return false;
    yield* apply(effect, at, actor);

    return true;
  });

  return {
    /** Keeps the decision and does what it says, in one step; false: it is known, and was done. */
    carryOut,
    isKnown,
    /** Those that are not yet in the ledger. */
    *withoutLedger(limit: number): Step<DecisionRow[]> {
      return z.array(decisionRow).parse(yield* all(selectAlone, { limit }));
    },
    /** Whether it is in the ledger; what is not is put there again. */
    *noteInLedger(sha256: string, isThere: boolean): Step<void> {
      yield* noteCopy(sha256, 'ledger', isThere);
    },
    /** In the order of their hashes, beyond `after`. */
    *listBeyond(after: string, limit: number): Step<DecisionRow[]> {
      return z.array(decisionRow).parse(yield* all(selectBeyond, { after, limit }));
    },
    /** Those that are needed no more. */
    *over(at: number, limit: number): Step<DecisionRow[]> {
      return z.array(decisionRow).parse(yield* all(selectOld, { at, limit }));
    },
    remove,
    count,
    /** How many of each kind were carried out again from the ledger since a time. */
    *replayed(since: number): Step<{ kind: DecisionKind; count: number }[]> {
      return z.array(countRow).parse(yield* all(countReplayed, { since }));
    },
    /**
     * Calls of this caller that have ended and that no recording is left of, at most so many.
     * @param controller only those of this one of `controllers`, null for those of none; undefined for all
     */
    *forgettableCalls(hash: string, limit: number, controller?: string | null): Step<CallId[]> {
      const ofWhom = { anyController: controller === undefined ? 1 : 0, controller: controller ?? null };

      return z.array(callId).parse(yield* values(selectForgettable, { hash, limit, ...ofWhom }));
    },
    /** How many languages are remembered, of one caller or of all, and until when the last of them is; ms since 1970 UTC. */
    *languagesKept(caller: string | undefined): Step<{ count: number; last: number | null }> {
      return expiryRow.parse(yield* one(selectLanguages, { caller: caller ?? null }));
    },
    /** Callers whose language is remembered, beyond `after`. */
    *callersWithLanguage(after: string, limit: number): Step<string[]> {
      return z.array(z.string()).parse(yield* values(selectCallers, { after, limit }));
    },
  };
}
