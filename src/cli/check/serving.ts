import type { CataloguePart } from '../../catalogue/catalogue.ts';
import { leaseMs, type Served } from '../../catalogue/jobs/leases.ts';
import { applicationOf } from '../../config/workers.ts';
import { workerNames } from '../../config/workerNames.ts';
import { dayMs } from '../../core/clock.ts';
import { counted } from '../../core/text/counted.ts';
import { isSeenDead } from '../../core/processes.ts';
import { nameOf, renewEveryMs } from '../../serve/serveLease.ts';
import { failed, type CheckResult } from './checklist.ts';

export const whoWatches = 'who watches calls';

const secondMs = 1_000;
const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
/** Who watches calls notes it several times in this time, ms. */
const notedWithinMs = 4 * renewEveryMs;
/** What was not there for so long, ms, was given up. */
const givenUpMs = 30 * dayMs;

/**
 * Who watches the calls of each application, at every PBX of the catalogue. A warning where nobody does, since they go on unrecorded; and where two workers
 * are meant to, and one is away: no caller notices.
 */
export async function servingFindings({ leases }: CataloguePart<{ leases: 'served' }>): Promise<CheckResult[]> {
  try {
    return findingsOf(await leases.served());
  } catch (thrown) {
    return [failed(whoWatches, thrown)];
  }
}

/** None where nobody has served, as before the first start. */
export function findingsOf(served: readonly Served[]): CheckResult[] {
  const known = served.filter((one) => isTold(one) && !served.some((other) => isReplacedBy(one, other)));
  if (known.length === 0) return [];
  const isLost = (one: Served): boolean => !watches(one) && !known.some((each) => isPeer(one, each) && watches(each));
  const lost = known.some(isLost) ? '. Calls that nobody watches go on unrecorded: start preavis serve' : '';
  const warning = known.flatMap((one) => warningsOf(one, known)).join('; ') + lost;

  return [{ check: whoWatches, ok: true, notes: known.map(inWords), ...(warning === '' ? {} : { warning }) }];
}

const watches = ({ awayMs, by }: Served): boolean => awayMs < notedWithinMs && !isSeenDead(by);

/** A mark of a clock that was ahead tells nothing. */
const isTold = ({ awayMs }: Served): boolean => awayMs >= -leaseMs && awayMs < givenUpMs;

/** What the applications of both workers begin with; undefined for a name that no worker has. */
function pairOf({ serve: { application } }: Served): string | undefined {
  const ending = workerNames.map((name) => applicationOf('', name)).find((each) => application.endsWith(each));

  return ending === undefined ? undefined : application.slice(0, -ending.length);
}

const isOfOnePbx = (one: Served, other: Served): boolean => one.serve.pbx === other.serve.pbx;

/** By two workers, where one serve was before, or the other way round. */
const isReplacedBy = (one: Served, other: Served): boolean =>
  isOfOnePbx(one, other) &&
  (pairOf(one) === other.serve.application || pairOf(other) === one.serve.application) &&
  other.awayMs < one.awayMs;

/** Whether they are the applications of the two workers of one PBX. */
function isPeer(one: Served, other: Served): boolean {
  const pair = pairOf(one);

  return one !== other && isOfOnePbx(one, other) && pair !== undefined && pairOf(other) === pair;
}

/** The worker that is there soon has the calls of the other one, and notes that it watches them. Which of the two it is it does not note. */
function warningsOf(one: Served, all: readonly Served[]): string[] {
  if (!watches(one)) return [inWords(one)];
  const peer = all.find((each) => isPeer(one, each));
  const isFirst = peer !== undefined && one.serve.application < peer.serve.application;
  const ofPbx = one.serve.pbx === undefined ? '' : ` of the PBX ${one.serve.pbx}`;

  return isFirst && watches(peer) && one.by.id === peer.by.id
    ? [`${whoOf(one)} has the calls of both workers${ofPbx}: the other worker is away`]
    : [];
}

const whoOf = ({ by: { pid, host } }: Served): string => `process ${pid} on ${host}`;

function inWords(one: Served): string {
  return watches(one)
    ? `${whoOf(one)} watches the calls of ${nameOf(one.serve)}`
    : `nobody has watched the calls of ${nameOf(one.serve)} for ${lengthOf(one.awayMs)}`;
}

function lengthOf(ms: number): string {
  if (ms < 2 * minuteMs) return counted(Math.max(Math.floor(ms / secondMs), 0), 'second');
  if (ms < 2 * hourMs) return counted(Math.floor(ms / minuteMs), 'minute');

  return ms < 2 * dayMs ? counted(Math.floor(ms / hourMs), 'hour') : counted(Math.floor(ms / dayMs), 'day');
}
