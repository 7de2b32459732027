import { selfCheckFindings } from '../audio/selfCheck.ts';
import { uploadFailures } from '../archive/uploadPass.ts';
import { unrecordedReasons } from '../call/decide/unrecordedReasons.ts';
import { legOutcomes } from '../call/watch/sourceWatch.ts';
import { unwatchedReasons } from '../call/watch/watch.ts';
import type { CataloguePart } from '../catalogue/catalogue.ts';
import { callWitnesses } from '../catalogue/rows.ts';
import type { Clock } from '../core/clock.ts';
import { makeMetrics, unwatchedFlags, type Metrics } from '../core/metrics/metrics.ts';
import type { PromisedFigures } from '../core/metrics/promisedMetrics.ts';
import { discrepancyKinds } from '../retention/reconcile/compare.ts';
import { dueFigures, type DueFigures } from '../retention/promised.ts';

/**
 * The metrics of `serve`, in which each value that a label may have begins at 0.
 *
 * @param endpoints the names of the webhooks
 * @param pbx the name of the PBX, where it has one
 */
export function makeServeMetrics(endpoints: readonly string[], pbx?: string): Metrics {
  return makeMetrics({
    reasons: unrecordedReasons,
    findings: [...selfCheckFindings, ...unwatchedFlags],
    legs: legOutcomes,
    witness: callWitnesses,
    reconcileKinds: Object.keys(discrepancyKinds),
    setAside: uploadFailures,
    endpoints,
    pbx,
  });
}

/** With more than so many due, they are counted anew only after a while: a reading must cost calls nothing. */
const manyDue = 500;
const manyKeptMs = 60_000;

/** Gives the figures of the moment at which it is called, of `clock`. */
export function makePromisedFigures(
  catalogue: CataloguePart<{ figures: 'dueAttempts' | 'promised'; auditTrail: 'of' }>,
  clock: Clock,
): () => Promise<PromisedFigures> {
  let counted: { at: number; figures: DueFigures } | undefined;
  const dueAt = async (at: number): Promise<DueFigures> => {
    const many = counted !== undefined && counted.figures.due + counted.figures.locked > manyDue;
    if (counted === undefined || !many || Math.abs(at - counted.at) >= manyKeptMs) {
      counted = { at, figures: await dueFigures(catalogue, at) };
    }

    return counted.figures;
  };

  return async () => {
    const at = clock.now();
    const { holds, failedRequests, unwatched, unusable } = await catalogue.figures.promised(at);
    const { due, overdue, locked, failed, codes } = await dueAt(at);

    return {
      due,
      overdue,
      locked,
      failedErasures: { ...failed, subject: failed.subject + failedRequests },
      failureCodes: codes,
      holds,
      unusable,
      unwatched: unwatchedReasons.map((why) => ({
        why,
        intervals: unwatched.find((each) => each.why === why)?.intervals ?? 0,
      })),
    };
  };
}
