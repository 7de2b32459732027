import type { CataloguePart } from '../catalogue/catalogue.ts';
import type { NoticeRow, UnwitnessedCall } from '../catalogue/rows.ts';
import type { WitnessStatement } from '../catalogue/calls/witness.ts';
import type { Clock } from '../core/clock.ts';
import { asPreavisError, type PreavisError } from '../core/errors.ts';
import { failPoint } from '../core/failPoint.ts';
import type { CallId } from '../core/ids.ts';
import type { Logger } from '../core/log.ts';
import { readCelLines } from './celFile.ts';
import type { CelLine } from './celLine.ts';
import { compareCall, logsSounds, toleranceMs } from './witness.ts';

/**
 * Compares calls that have ended with the second witness, and writes what it says into the catalogue, once. It flags and
 * counts; a recording that the witness does not agree with is kept and archived all the same.
 */
export type WitnessPorts = {
  catalogue: CataloguePart<{ calls: 'unwitnessed' | 'notices' | 'saveWitness'; recordings: 'ofCall' }>;
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

/** Calls that began within this time of each other are looked for together, ms. */
const togetherMs = 60_000;

/** A call with what it takes to ask the witness. */
type Case = { call: UnwitnessedCall; notices: readonly NoticeRow[]; channel: string; from: number; to: number };

/** From before the first sentence to after the last, or to the end of the call where the end of one is not known. */
function caseOf(call: UnwitnessedCall, channel: string, notices: readonly NoticeRow[]): Case {
  const times = notices.flatMap(({ startedAt, finishedAt }) => [startedAt ?? [], finishedAt ?? []].flat());
  const open = notices.some(({ finishedAt }) => finishedAt === null);
  const ends = open && call.endedAt !== null ? [...times, call.endedAt] : times;

  return {
    call,
    notices,
    channel,
    from: Math.min(call.startedAt, ...times) - toleranceMs,
    to: Math.max(call.startedAt, ...ends) + aroundMs,
  };
}

function groups(cases: readonly Case[]): Case[][] {
  const all: Case[][] = [];
  for (const each of cases.toSorted((one, other) => one.from - other.from)) {
    const last = all.at(-1);
    const [first] = last ?? [];
    if (last === undefined || first === undefined || each.from > first.from + togetherMs) all.push([each]);
    else last.push(each);
  }

  return all;
}

const none: WitnessStatement = { status: 'unavailable', sentences: [] };

/**
 * One pass over all calls that were not compared yet. A file that cannot be read is logged once, and misses every line. One
 * that the witness does not agree with is looked at twice: at once, and when its lines must be there.
 */
// eslint-disable-next-line max-lines-per-function -- Its steps, each short, share what waits and what was logged already.
export function makeWitnessPass(ports: WitnessPorts): () => Promise<void> {
  const { catalogue, celFile, clock, log } = ports;
  const waiting = new Set<CallId>();

  // Should the clocks of Asterisk and this machine differ by more, it is not waited for.
  const isRecent = ({ startedAt, endedAt }: UnwitnessedCall): boolean =>
    Math.abs(clock.now() - (endedAt ?? startedAt)) < ports.waitMs;

  const note = async (call: UnwitnessedCall, statement: WitnessStatement): Promise<void> => {
    const agrees = statement.status === 'agrees' || statement.status === 'unavailable';
    if (!agrees && isRecent(call)) {
      waiting.add(call.id);
      return;
    }
    waiting.delete(call.id);
    failPoint?.('witness, compared');
    if (!(await catalogue.calls.saveWitness(call.id, statement, ports.actor))) return;
    failPoint?.('witness, saved');
    ports.compared(statement.status);
    if (agrees) return;
    const recording = (await catalogue.recordings.ofCall(call.id))?.id;
    const ids = { call: call.id, ...(recording === undefined ? {} : { recording }) };
    log.warn({ ...ids, witness: statement.status }, 'second witness does not confirm the notice');
  };

  /** One call that fails does not keep the others from being compared. */
  const each = async <T extends { call: UnwitnessedCall }>(
    all: readonly T[],
    step: (one: T) => Promise<void>,
  ): Promise<void> => {
    for (const one of all) {
      try {
        await step(one);
      } catch (thrown) {
        const error = asPreavisError(thrown);
        log.error({ call: one.call.id, code: error.code, err: error }, 'call not compared with second witness');
      }
    }
  };

  /** Gives what is wrong with the file, if anything. */
  const compare = async (group: readonly Case[], file: string): Promise<PreavisError | undefined> => {
    const window = {
      ids: group.map(({ channel }) => channel),
      from: Math.min(...group.map(({ from }) => from)),
      to: Math.max(...group.map(({ to }) => to)),
    };
    let problem: PreavisError | undefined;
    const lines = await readCelLines(file, window).then(
      (found) => found.lines,
      (thrown: unknown) => {
        problem = asPreavisError(thrown);
        if (problem.code !== 'witness_unusable') throw problem;

        return new Map<string, CelLine[]>();
      },
    );
    await each(group, async ({ call, notices, channel, from, to }) => {
      const own = (lines.get(channel) ?? []).filter(({ at }) => at >= from && at <= to);
      await note(call, compareCall(notices, own));
    });

    return problem;
  };

  return async () => {
    const calls = (await catalogue.calls.unwitnessed()).filter((call) => !(isRecent(call) && waiting.has(call.id)));
    const cases: Case[] = [];
    await each(
      calls.map((call) => ({ call })),
      async ({ call }) => {
        const { callerChannel } = call;
        const asks = celFile !== undefined && callerChannel !== null && logsSounds(call.asteriskVersion);
        const notices = asks ? await catalogue.calls.notices(call.id) : [];
        if (asks && notices.length > 0) cases.push(caseOf(call, callerChannel, notices));
        else await note(call, none);
      },
    );
    if (celFile === undefined) return;
    let problem: PreavisError | undefined;
    for (const group of groups(cases)) problem = (await compare(group, celFile)) ?? problem;
    if (problem !== undefined) {
      log.error({ code: problem.code, err: problem }, 'second witness file not usable');
    }
  };
}
