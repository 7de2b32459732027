import { join } from 'node:path';
import { decodeTime } from 'ulid';
import { openCatalogue, type Catalogue } from '../../src/catalogue/catalogue.ts';
import type { CallRow, RecordingRow } from '../../src/catalogue/rows.ts';
import { workerLeaseSeconds } from '../../src/config/workers.ts';
import { systemClock } from '../../src/core/clock.ts';
import type { ObjectStore } from '../../src/store/store.ts';
import { presentMs, readWav, tonePresence } from '../support/audio/audio.ts';
import { linesOfCalls } from '../support/ari/channelLines.ts';
import type { Made } from './callers.ts';
import type { Harm, Struck } from './faults.ts';
import { isPart, recordingOf, wholeOf, type Observer, type Sample, type SpooledFile } from './observer.ts';
import { isStoredOnce } from './storedOnce.ts';
import { clockSteps, hertz, noticeMs, type World } from './world.ts';

/** What was found at the end, each as a sentence; empty lists are what is promised. */
export type Verdict = {
  lost: string[];
  unannounced: string[];
  stranded: string[];
  disagreeing: string[];
  grown: string[];
};

export type CallEvidence = {
  world: Pick<World, 'rig'>;
  store: ObjectStore;
  made: readonly Made[];
  struck: readonly Struck[];
  observer: Observer;
};

export type Evidence = CallEvidence & {
  /** The same process of serve at rest, when the calm part began and ended. */
  rest: readonly [Sample, Sample] | undefined;
};

/** Asterisk's 95 % of a sentence (P2), as a receiver hears it. */
const heardEnoughMs = 0.9 * noticeMs;
/** A header without a sample. */
const emptyWavBytes = 44;
/** A hold is heard of a little later than it begins, and so is its end. */
const holdSlackMs = 700;
/** A window has no more than three tones; each is more than this of it. */
const strangerShare = 0.1;
/** Until the recorder has ended that somebody joined, on a machine that has much to do. */
const strangerLeastMs = 200;
/** What else is heard may take this away from a tone. */
const reachedMs = 300;

export async function judge(evidence: Evidence): Promise<Verdict> {
  const { world } = evidence;
  const verdict = cleanVerdict();
  const catalogue = openCatalogue(join(world.rig.folder, 'catalogue.db'), systemClock, { mustExist: true });
  try {
    const calls = await catalogue.calls.list(-1);
    const recordings = await catalogue.recordings.list({ limit: -1 });
    await judgeCalls(evidence, catalogue, { calls, recordings }, verdict);
  } finally {
    catalogue.close();
  }
  judgeRest(evidence, verdict);

  return verdict;
}

export const cleanVerdict = (): Verdict => ({
  lost: [],
  unannounced: [],
  stranded: [],
  disagreeing: [],
  grown: [],
});

export const findingsOf = (verdict: Verdict): string[] =>
  Object.entries(verdict).flatMap(([kind, found]) => found.map((each) => `${kind}: ${each}`));

/** What became of the calls of one telephone system; what the catalogue has of others is not among `calls` and `recordings`. */
export async function judgeCalls(
  evidence: CallEvidence,
  catalogue: Catalogue,
  { calls, recordings }: { calls: readonly CallRow[]; recordings: readonly RecordingRow[] },
  verdict: Verdict,
): Promise<void> {
  const { world, made, struck } = evidence;
  await judgeRecordings(evidence, catalogue, calls, recordings, verdict);
  await judgeFiles(evidence, catalogue, recordings, verdict);
  for (const call of calls) {
    if (call.phase !== 'ended') verdict.disagreeing.push(`the call ${call.id} has not ended: ${call.phase}`);
  }
  for (const each of made) {
    if (isHurt(each, struck) || !each.habit.connects) continue;
    const hangsOn = each.isStranded && !(each.agentMs >= reachedMs && struckIn(each, struck, ['hang', 'hangOfBoth']));
    if (hangsOn || (each.agentMs < reachedMs && !hearsTwo(each, struck))) {
      verdict.stranded.push(
        `who ${each.habit.name} at ${iso(each.from)} heard the other side for ${each.agentMs} ms, of ${each.soundMs} ms of sound`,
      );
    }
  }
  const reconciled = await world.rig.preavis('recordings', 'reconcile', '--verify', '--dry-run');
  if (reconciled.code !== 0) verdict.disagreeing.push(reconciled.stdout + reconciled.stderr);
  const channels = linesOfCalls(await world.rig.asterisk.cli('core show channels concise'));
  const [, ...bridges] = (await world.rig.asterisk.cli('bridge show all')).trim().split('\n');
  const left = [...channels, ...bridges];
  if (left.length > 0) verdict.disagreeing.push(`Asterisk still has: ${left.join(', ')}`);
}

/** A time limit of Asterisk's, such as that of the ringing, ends where its clock is set forward. */
export const isHurt = (made: Pick<Made, 'from' | 'to'>, struck: readonly Struck[]): boolean =>
  struckIn(made, struck, ['asterisk', 'asteriskClock']);

const iso = (at: number): string => new Date(at).toISOString();

/** Whether one of these fell into the call. */
const struckIn = (
  { from, to }: Pick<Made, 'from' | 'to'>,
  struck: readonly Struck[],
  harms: readonly Harm[],
): boolean => struck.some((each) => harms.includes(each.harm) && each.from < to && each.to > from);

/**
 * One of two workers left, or died, while they were told, and the other one began anew: a key that was pressed in between nobody has heard, and the
 * second notice says again which. These callers press once.
 */
const isToldAgain = ({ noticeMs: heardMs }: Pick<Made, 'noticeMs'>): boolean => heardMs > 1.1 * noticeMs;

/** Two streams are this much more than one, and more than a packet here and there. */
const twoStreams = 1.5;

/**
 * Whether more sound came than the call was long. Telephones of an Asterisk that was killed talk on to its ports, and the next Asterisk may give
 * one of these to another call: then pieces of both come in turn, and no tone is found in them.
 */
export const hearsTwo = (
  { from, soundMs, answeredMs }: Pick<Made, 'from' | 'soundMs' | 'answeredMs'>,
  struck: readonly Struck[],
): boolean =>
  soundMs > answeredMs * twoStreams + reachedMs && struck.some(({ harm, to }) => harm === 'asterisk' && to <= from);

/** The calls of one line come one after another, so the time tells which is which, by Asterisk's clock wherever it was set to. */
export function madeOf(
  { line, startedAt }: Pick<CallRow, 'line' | 'startedAt'>,
  made: readonly Made[],
): Made | undefined {
  const times = [0, ...Object.values(clockSteps)].map((off) => startedAt - off);

  return made.find((each) => line === each.line && times.some((at) => each.from <= at && at <= each.to));
}

/** They were told, held, and all of the rest could be recorded: what is longer has the hold in it. */
export function hasHold(durationMs: number, { answeredMs, heldMs }: Pick<Made, 'answeredMs' | 'heldMs'>): boolean {
  return heldMs > 0 && durationMs > answeredMs - noticeMs - heldMs + holdSlackMs;
}

/** No recording of whom nobody told, and none of whom refused; by what the callers' receivers heard. */
async function judgeRecordings(
  { made, struck, store }: CallEvidence,
  catalogue: Catalogue,
  calls: readonly CallRow[],
  recordings: readonly RecordingRow[],
  { unannounced, lost }: Verdict,
): Promise<void> {
  const callOf = new Map(calls.map((call) => [call.id, call]));
  for (const row of recordings) {
    const call = callOf.get(row.callId);
    const caller = call === undefined ? undefined : madeOf(call, made);
    if (call === undefined || caller === undefined) {
      lost.push(`nobody made the call of the recording ${row.id}`);
      continue;
    }
    const { habit } = caller;
    // Also where the key was pressed while nobody listened: no talk here goes on for 30 s after it.
    const mustGo = habit.recordable !== 'yes' && !isToldAgain(caller);
    const isDeafened = struckIn(caller, struck, ['asterisk', 'serve', 'hang', 'hangOfBoth', 'line', 'database']);
    const isKept = row.status !== 'discarded';
    if (isKept && mustGo) unannounced.push(`${row.id}: of who ${habit.name}`);
    if (isKept && caller.noticeMs < heardEnoughMs) {
      unannounced.push(`${row.id}: who ${habit.name} heard ${caller.noticeMs} ms of the notice`);
    }
    if (isKept && !isDeafened && hasHold(row.durationMs ?? 0, caller)) {
      unannounced.push(`${row.id}: who ${habit.name} held for ${Math.round(caller.heldMs)} ms, which are in it`);
    }
    // Where a key may have been missed, doubt removes it; who was only told has nothing to press.
    if (!isKept && habit.mode === 'announce') lost.push(`${row.id}: discarded, ${row.failure ?? ''}`);
    if (row.failure === 'keys_unheard' && (await catalogue.timeline.unwatched(call.id)).length === 0) {
      lost.push(`${row.id}: discarded, ${row.failure}, and serve listened all the time`);
    }
    if (row.status === 'archived') {
      await judgeSound(row, store, unannounced).catch((error: unknown) => {
        lost.push(`${row.id}: archived, and cannot be read: ${String(error)}`);
      });
    }
  }
}

async function judgeSound(row: RecordingRow, store: ObjectStore, unannounced: string[]): Promise<void> {
  const chunks: Buffer[] = [];
  const signal = AbortSignal.timeout(60_000);
  for await (const chunk of await store.read(row.objectKey ?? '', row.objectVersion, signal))
    chunks.push(chunk as Buffer);
  const samples = readWav(Buffer.concat(chunks));
  if (tonePresence(samples, hertz.notice).length > 0) unannounced.push(`${row.id}: the notice is in it`);
  const strangerMs = presentMs(samples, hertz.stranger, { share: strangerShare });
  if (strangerMs > strangerLeastMs) {
    unannounced.push(`${row.id}: somebody who was not told is in it for ${strangerMs} ms`);
  }
}

/** Until what the catalogue did not take is written down again, and a little more, ms. */
const writtenWithinMs = 10_000;
/** A worker without the database, or frozen, for so long has lost its lease, and ends, ms. */
const leaseMs = workerLeaseSeconds * 1_000;
/** Until a talk is written down on a busy machine; the first look at its file comes up to 100 ms late, ms. */
const beingWrittenMs = { before: 300, after: 1_000 };

/**
 * Whether this file is of a followed talk, or of a part of one, that serve did not live to write down: it ended just after the recorder had begun,
 * or before a database was back that was away then. The next process removes that, since nobody knows with whom they talked (docs/call.md).
 */
export function isUnwrittenTalk(
  file: Pick<SpooledFile, 'name' | 'seenAt'>,
  made: readonly Made[],
  struck: readonly Struck[],
): boolean {
  if (!isPart(file)) return false;
  // The id of the recording is made when its call comes.
  const cameAt = decodeTime(recordingOf(file));
  const [writtenFrom, writtenTo] = [file.seenAt - beingWrittenMs.before, file.seenAt + beingWrittenMs.after];
  const lasts = ({ from, endedAt }: Struck): boolean => endedAt - from > leaseMs;
  const deaths = struck.filter(
    (each) => each.harm === 'serve' || ((each.harm === 'hang' || each.harm === 'hangOfBoth') && lasts(each)),
  );
  const outages = struck.filter(
    ({ harm, from, endedAt }) => harm === 'database' && from < writtenTo && endedAt > writtenFrom,
  );

  return made.some(({ way, from, to }) => {
    if (way !== 'follow' || cameAt < from || cameAt > to) return false;
    const isHit = deaths.some((each) => each.from > writtenFrom && each.from < writtenTo);
    const dies = deaths.some((each) => each.from < to + writtenWithinMs && each.endedAt > file.seenAt);

    return isHit || outages.some((each) => dies || lasts(each));
  });
}

/** Everything that Asterisk ever began to record is archived whole, or was to be erased. */
async function judgeFiles(
  { observer, store, made, struck }: CallEvidence,
  catalogue: Catalogue,
  recordings: readonly RecordingRow[],
  { lost }: Verdict,
): Promise<void> {
  const rowOf = new Map<string, RecordingRow>(recordings.map((row) => [row.id, row]));
  for (const [id, files] of observer.spooled) {
    const row = rowOf.get(id);
    const bytes = wholeOf(files.filter((file) => !isUnwrittenTalk(file, made, struck)));
    switch (row?.status) {
      case undefined:
        // Removed before it was catalogued: only what nobody was to have.
        if (bytes > emptyWavBytes) lost.push(`${id}: ${bytes} bytes in the spool, and no row`);
        break;
      case 'archived': {
        const digest = await store
          .digest(row.objectKey ?? '', row.objectVersion, AbortSignal.timeout(60_000))
          .catch(() => ({ sha256: '', bytes: 0 }));
        const versions = await store.versions(row.objectKey ?? '');
        if (digest.sha256 !== row.sha256) lost.push(`${id}: the object is not what was recorded`);
        if (digest.bytes < bytes) lost.push(`${id}: ${digest.bytes} bytes of ${bytes}`);
        const isOnce = await isStoredOnce(row, versions, { store, catalogue, struck });
        if (!isOnce) lost.push(`${id}: ${versions.length} versions`);
        if (row.receipt === null) lost.push(`${id}: no receipt`);
        break;
      }
      case 'erased': {
        // Clocks are set, and so tell nothing: what is to be kept for days is kept, and the rest is due at once.
        if (row.keepDays > 0) lost.push(`${id}: erased before its time`);
        break;
      }
      case 'failed':
        if (bytes > emptyWavBytes) lost.push(`${id}: failed, ${row.failure ?? ''}, with ${bytes} bytes`);
        break;
      case 'discarded':
        break;
      case 'recording':
      case 'recorded':
      case 'lost':
        lost.push(`${id}: is still ${row.status}`);
    }
  }
}

/** What the second list has more of than the first, each as often. */
function added(before: readonly string[], after: readonly string[]): string[] {
  const rest = [...before];

  return after.filter((each) => {
    const index = rest.indexOf(each);
    if (index >= 0) rest.splice(index, 1);

    return index < 0;
  });
}

/** Room for what a process allocates once and keeps. */
const heapSlackMiB = 8;
const handleSlack = 4;

function judgeRest({ rest }: Evidence, { grown }: Verdict): void {
  if (rest === undefined) return;
  const [before, after] = rest;
  if (before.pid !== after.pid) grown.push('serve was restarted in the calm part');
  const told = (what: string, from: number, to: number): string => `${what} at rest: ${from} before, ${to} after`;
  if (after.handles.length > before.handles.length + handleSlack) {
    const more = added(before.handles, after.handles).join(', ');
    grown.push(`${told('handles', before.handles.length, after.handles.length)} (${more})`);
  }
  if (after.resources > before.resources + handleSlack) {
    grown.push(told('timers and sockets', before.resources, after.resources));
  }
  if (after.heapMiB > 1.25 * before.heapMiB + heapSlackMiB) {
    grown.push(told('MiB of heap', before.heapMiB, after.heapMiB));
  }
}
