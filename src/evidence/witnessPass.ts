import type { Catalogue } from '../catalogue/catalogue.ts';
import type { NoticeRow, UnwitnessedCall } from '../catalogue/rows.ts';
import type { WitnessStatement } from '../catalogue/witness.ts';
import type { Clock } from '../core/clock.ts';
import { asPreavisError, type PreavisError } from '../core/errors.ts';
import type { CallId } from '../core/ids.ts';
import type { Logger } from '../core/log.ts';
import { readCelLines, type CelWindow } from './celFile.ts';
import { compareCall, logsSounds, toleranceMs } from './witness.ts';

/**
 * Compares calls that have ended with the second witness, and writes what it says into the catalogue, once. It flags and
 * counts; a recording that the witness does not agree with is kept and archived all the same.
 */
export type WitnessPorts = {
  catalogue: Pick<Catalogue, 'unwitnessed' | 'notices' | 'saveWitness' | 'recordingOfCall'>;
  /** undefined without a second witness. */
  celFile: string | undefined;
  /** Lines may be written after the call has ended: until then a call that the witness does not agree with waits. */
  waitMs: number;
  clock: Clock;
  log: Logger;
  actor: string;
  /** Counts a call by what the witness says. */
  compared: (status: WitnessStatement['status']) => void;
};

/** Lines this long before and after the sentences are of interest: some that are far off disagree rather than miss. */
const aroundMs = 30_000;

/** From before the first sentence to after the last, or to the end of the call where the end of one is not known. */
function windowOf(call: UnwitnessedCall, channel: string, notices: readonly NoticeRow[]): CelWindow {
  const times = notices.flatMap(({ startedAt, finishedAt }) => [startedAt ?? [], finishedAt ?? []].flat());
  const open = notices.some(({ finishedAt }) => finishedAt === null);
  const ends = open && call.endedAt !== null ? [...times, call.endedAt] : times;

  return {
    channel,
    from: Math.min(call.startedAt, ...times) - toleranceMs,
    to: Math.max(call.startedAt, ...ends) + aroundMs,
  };
}

const none: WitnessStatement = { status: 'unavailable', sentences: [] };

type Found = { statement: WitnessStatement; problem?: PreavisError };

async function statementOf(call: UnwitnessedCall, { catalogue, celFile }: WitnessPorts): Promise<Found> {
  if (celFile === undefined || call.callerChannel === null || !logsSounds(call.asteriskVersion)) {
    return { statement: none };
  }
  const notices = await catalogue.notices(call.id);
  if (notices.length === 0) return { statement: none };
  try {
    return {
      statement: compareCall(notices, await readCelLines(celFile, windowOf(call, call.callerChannel, notices))),
    };
  } catch (thrown) {
    const problem = asPreavisError(thrown);
    if (problem.code !== 'witness_unusable') throw problem;
    return { statement: compareCall(notices, []), problem };
  }
}

/**
 * One pass over all calls that were not compared yet. A file that cannot be read is logged once, and misses every line. One
 * that the witness does not agree with is looked at twice: at once, and when its lines must be there.
 */
export function makeWitnessPass(ports: WitnessPorts): () => Promise<void> {
  const { catalogue, clock, log } = ports;
  const waiting = new Set<CallId>();

  const witness = async (call: UnwitnessedCall): Promise<PreavisError | undefined> => {
    // Should the clocks of Asterisk and this machine differ by more, it is not waited for.
    const recent = Math.abs(clock.now() - (call.endedAt ?? call.startedAt)) < ports.waitMs;
    if (recent && waiting.has(call.id)) return undefined;
    const { statement, problem } = await statementOf(call, ports);
    const agrees = statement.status === 'agrees' || statement.status === 'unavailable';
    if (!agrees && recent) {
      waiting.add(call.id);
      return undefined;
    }
    waiting.delete(call.id);
    if (!(await catalogue.saveWitness(call.id, statement, ports.actor))) return undefined;
    ports.compared(statement.status);
    if (!agrees) {
      const recording = (await catalogue.recordingOfCall(call.id))?.id;
      const ids = { call: call.id, ...(recording === undefined ? {} : { recording }) };
      log.warn({ ...ids, witness: statement.status }, 'the second witness does not agree with what a caller heard');
    }

    return problem;
  };

  return async () => {
    let problem: PreavisError | undefined;
    for (const call of await catalogue.unwitnessed()) {
      try {
        problem = (await witness(call)) ?? problem;
      } catch (thrown) {
        const error = asPreavisError(thrown);
        log.error({ call: call.id, code: error.code, err: error }, 'a call could not be compared with the witness');
      }
    }
    if (problem !== undefined) {
      log.error({ code: problem.code, err: problem }, 'the file of the second witness cannot be used');
    }
  };
}
