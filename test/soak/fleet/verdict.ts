import { lateTimers } from '../../../lab/machine/lateness.ts';
import { rigBucket } from '../../../lab/rig.ts';
import type { Catalogue } from '../../../src/catalogue/catalogue.ts';
import type { RecordingRow } from '../../../src/catalogue/rows.ts';
import { lineFaults } from '../../../src/retention/certificates/verifyTrail.ts';
import { makeMinioStore } from '../../../src/store/s3/store.ts';
import type { ObjectStore } from '../../../src/store/store.ts';
import { joined, lengthOf } from '../../../src/web/ranges.ts';
import type { Made } from '../callers.ts';
import { inVain, type Harm, type Struck } from '../faults.ts';
import { isStoredOnce, type StoredEvidence } from '../storedOnce.ts';
import { cleanVerdict, findingsOf, hearsTwo, isHurt, judgeCalls } from '../verdict.ts';
import { leavesTransactions, postgresHangs } from './faults.ts';
import type { Span } from './lockWaits.ts';
import { everyFault, type Pbx } from './pbx.ts';
import type { Fleet } from './world.ts';

/** A Préavis that hangs leaves nobody in silence for longer (docs/dialplan.md, When Préavis hangs), ms. */
const silenceMs = 8_000;
/** Nor do two workers that hang at the same time, or one while the database does or the other one starts (docs/operations/workers.md), ms. */
const bothSilenceMs = 16_000;
/** Stopped between a request for time and its sentence, it adds the length of that (the same page), ms. */
const sentenceMs = 1_100;
/** The other side rings so long, and its tone is found a window later, ms. */
const ringMs = 700;
/**
 * PostgreSQL soon ends the transactions of a process of which it hears nothing more, and writes at all PBXs wait for it (docs/operations/workers.md).
 * The fault itself begins a little later than it was begun, ms.
 */
const leftOpenMs = 5_000;
/** Asterisk sees to its time limits so much later, by and by: each step of the dialplan is one of a process that has others, ms. */
const slackMs = 1_000;
/** So many may all come when nobody talks. */
const leastStrangers = 5;
const never = new AbortController().signal;

/** Whether neither worker may have answered in this call. `unanswered`: when none said that it served, Unix times in ms. */
function isLeftByBoth(
  made: Pick<Made, 'from' | 'to'>,
  struck: readonly Struck[],
  unanswered: readonly number[],
): boolean {
  const during = struck.filter(({ from, to }) => from < made.to && to > made.from);
  const has = (...harms: readonly Harm[]): boolean => during.some(({ harm }) => harms.includes(harm));

  // Who has lost Asterisk, or waits for the database, finds that out only by and by.
  return (
    has('hangOfBoth') || (has('hang') && (has('database') || unanswered.some((at) => at > made.from && at < made.to)))
  );
}

/** When both lasted. */
const shared = (some: readonly Span[], others: readonly Span[]): Span[] =>
  some
    .flatMap((one) => others.map((other): Span => [Math.max(one[0], other[0]), Math.min(one[1], other[1])]))
    .filter(([from, to]) => from < to);

/** When writes at all PBXs waited for a worker of any of them that had left its transactions. */
export function heldUp(struck: readonly Struck[], lockWaits: readonly Span[]): Span[] {
  const begins = struck.flatMap(({ name, from, endedAt }) => {
    // It was in vain for other reasons.
    if (leavesTransactions.some((fault) => name.startsWith(fault))) return [from];

    return name === postgresHangs ? [endedAt] : [];
  });

  return shared(lockWaits, joined(begins.map((at) => [at, at + leftOpenMs])));
}

/** What may have kept a caller waiting. `unanswered`: as of isLeftByBoth. */
type Hindrances = {
  struck: readonly Struck[];
  unanswered: readonly number[];
  heldUp: readonly Span[];
};

/** How long anybody may hear nothing before the other side, ms. `lateText`: what the lab's watch has written down of the machine's own delays. */
export function mostSilenceMs(
  { from, to }: Pick<Made, 'from' | 'to'>,
  { struck, unanswered, heldUp }: Hindrances,
  lateText: string,
): number {
  const silentMs = isLeftByBoth({ from, to }, struck, unanswered) ? bothSilenceMs : silenceMs;
  const lateMs = lateTimers(lateText, from, to).reduce((sum, late) => sum + late.lateMs, 0);

  return silentMs + sentenceMs + ringMs + slackMs + lateMs + lengthOf(shared(heldUp, [[from, to]]));
}

/** Callers who were to reach somebody, whatever was broken; of who hears the sound of two calls nothing can be told. */
export const waiting = ({ made, struck }: Pick<Pbx, 'made' | 'struck'>): Made[] =>
  made.filter((each) => each.habit.connects && !isHurt(each, struck) && !hearsTwo(each, struck));

/** What was found at the end, each as a sentence: nothing is what is promised. */
export async function judgeFleet(fleet: Fleet, catalogue: Catalogue, lateText: string): Promise<string[]> {
  const { pbxs } = fleet;
  const store = makeMinioStore({ ...fleet.store, useTls: false, bucket: rigBucket });
  const [calls, recordings] = [
    await catalogue.calls.list(1_000_000),
    await catalogue.recordings.list({ limit: 1_000_000 }),
  ];
  const findings: string[] = [];
  const allStruck = everyFault(pbxs);
  const waits = heldUp(allStruck, fleet.lockWaits.spans());
  for (const { name, rig, made, struck, observer, unanswered } of pbxs) {
    const own = calls.filter(({ pbx }) => pbx === name);
    const ids = new Set(own.map(({ id }) => id));
    const verdict = cleanVerdict();
    const of = { calls: own, recordings: recordings.filter(({ callId }) => ids.has(callId)) };
    await judgeCalls({ world: { rig }, store, made, struck, observer }, catalogue, of, verdict);
    for (const each of waiting({ made, struck })) {
      const mostMs = mostSilenceMs(each, { struck, unanswered: unanswered(), heldUp: waits }, lateText);
      if (each.silentMs <= mostMs) continue;
      verdict.stranded.push(
        `who ${each.habit.name} on ${each.line} at ${new Date(each.from).toISOString()} heard nothing for ${each.silentMs} ms, of ${Math.round(mostMs)}`,
      );
    }
    findings.push(...findingsOf(verdict).map((finding) => `${name}: ${finding}`));
  }
  const strangers = allStruck.filter(({ harm }) => harm === 'stranger');
  if (strangers.length > leastStrangers && strangers.every(({ name }) => name.endsWith(inVain)))
    findings.push(`none of ${strangers.length} strangers has joined a talk: nothing is known of untold samples`);
  const unnamed = calls.filter(({ pbx }) => !pbxs.some(({ name }) => name === pbx));
  findings.push(...unnamed.map(({ id }) => `the call ${id} is of no PBX`));
  for (const row of recordings) findings.push(...(await endsOf(row, { store, catalogue, struck: allStruck })));
  findings.push(...(await erasuresOf(recordings, catalogue)));
  for await (const { fault } of lineFaults(catalogue, never)) findings.push(fault);
  for (const { name, rig } of pbxs) {
    const verified = await rig.preavis('certificates', 'verify');
    if (verified.code !== 0) findings.push(`${name}: certificates verify: ${verified.stdout}${verified.stderr}`);
  }

  return findings;
}

/** Told before it began; one object of what is archived, none of anything else; and no move twice. */
async function endsOf(row: RecordingRow, evidence: StoredEvidence & { store: ObjectStore }): Promise<string[]> {
  const { id, status, objectKey, startedAt, noticeFinishedAt } = row;
  const { store, catalogue } = evidence;
  const findings: string[] = [];
  if (startedAt !== null && startedAt < noticeFinishedAt) findings.push(`${id} began before its notice was over`);
  const versions = objectKey === null ? [] : await store.versions(objectKey);
  const isRight = status === 'archived' ? await isStoredOnce(row, versions, evidence) : versions.length === 0;
  if (!isRight) findings.push(`${id} is ${status} and has ${versions.length} versions in the archive`);
  const steps = await catalogue.auditTrail.of(id);
  for (const to of ['recorded', 'archived', 'erased', 'discarded', 'failed', 'lost']) {
    if (steps.filter((step) => step.to === to).length > 1) findings.push(`${id} became ${to} twice`);
  }

  return findings;
}

/** One certificate for each erasure. */
async function erasuresOf(recordings: readonly RecordingRow[], catalogue: Catalogue): Promise<string[]> {
  const findings: string[] = [];
  for (const { id, status } of recordings) {
    const count = (await catalogue.certificates.of(id)).length;
    if (count > 1 || (status === 'erased' && count === 0)) {
      findings.push(`${id} is ${status} and has ${count} certificates of its erasure`);
    }
  }

  return findings;
}
