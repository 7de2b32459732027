import type { CataloguePart } from '../../catalogue/catalogue.ts';
import type { RecordingChanges } from '../../catalogue/calls/recordings.ts';
import type { CallRow, ChangeRow, PurposeEnd, RecordingRow } from '../../catalogue/rows.ts';
import { whyDiscarded } from '../../call/decide/discardReason.ts';
import { parties, type Party } from '../../call/decide/order.ts';
import { purposeOf } from '../../config/purposeRules.ts';
import { dayMs, type Clock } from '../../core/clock.ts';
import { asPreavisError, PreavisError } from '../../core/errors.ts';
import { failPoint } from '../../core/failPoint.ts';
import type { RecordingId } from '../../core/ids.ts';
import type { Logger } from '../../core/log.ts';
import { unwatchedFlags, type UnwatchedFlag } from '../../core/metrics/metrics.ts';
import { timeLimit } from '../../core/timeLimit.ts';
import { discardReasonIn, sweepDiscardFiles } from './discardFiles.ts';
import { clockFlags, doubtOf, endAsOfNow, judgeEnd, noteClock, witnessesOf } from './endOfRecording.ts';
import { openPauseAt, pausedMs, pausesOf } from './pauses.ts';
import type { PeakKeeper } from '../../audio/peaks.ts';
import type { PlayedPrompts } from '../../receipt/playedPrompts.ts';
import { oneSided, type CheckOptions, type AudioFindingKind, type SelfCheck } from '../../audio/selfCheck.ts';
import { flushSpooled, joinParts, lastWritten, removeSpooled, spooledRecordings, spoolFile } from './spool.ts';
import { judgeKeys } from './unheardKeys.ts';
import { judgeSound, type PresencePorts, type SilentSpan } from './unwatchedSound.ts';
import type { Lack } from '../../audio/joinWavs.ts';
import { inspectWav, repairWav, type WavInfo } from '../../audio/wav.ts';

/**
 * Takes recordings whose recorder has ended from `recording` to `recorded`: the WAV itself is the truth. Its header is
 * repaired when Asterisk did not close it; a silent one is flagged; an empty or unreadable one is `failed`, a missing one
 * `lost`. Here its times are fixed: each purpose of the call ends by itself, the recording with the last of them.
 */
export type FinishPorts = {
  catalogue: CataloguePart<{
    auditTrail: 'saysDiscarded' | 'append';
    recordings: 'finishable' | 'move' | 'find' | 'adopt';
    calls: 'find' | 'policy';
    timeline: 'changes' | 'unwatched' | 'judgeUnwatched';
    clockDoubts: 'lineTimes' | 'bootOffset' | 'noteBootOffset';
    journal: 'addToTimeline';
  }>;
  spoolFolder: string;
  clock: Clock;
  log: Logger;
  actor: string;
  /** The sound of the prompts that the caller of this recording heard, as far as they are still there. */
  promptsHeard: (row: RecordingRow) => Promise<PlayedPrompts>;
  /** How the peaks of a recording are kept. */
  peaks: PeakKeeper;
  /** checkRecording, here or in a thread of its own. */
  check: (file: string, options: CheckOptions) => Promise<SelfCheck>;
  /** For what was recorded while nobody listened. */
  presence: PresencePorts;
  /** Counts a finding of the self-check. */
  found: (kind: AudioFindingKind | UnwatchedFlag) => void;
  /** Counts a recording whose clocks are more than a minute apart. */
  clockIsOff?: (() => void) | undefined;
  /** How long one recording may be listened to, ms. */
  checkMs: number;
  /**
   * Where recordings are collected from an Asterisk on another machine: whether all of one is here. The times of its file are then those of
   * the copy. undefined where the spool is shared.
   */
  collected?: { isWhole: (row: RecordingRow) => boolean } | undefined;
  /** Ends a pass at once; what it has not finished is left as it is. */
  signal: AbortSignal;
};

/** For FinishPorts.checkMs: an hour of sound takes some seconds, a disk that hangs takes for ever. */
export const longestCheckMs = 300_000;

const isUnwatchedFlag = (flag: string): flag is UnwatchedFlag => unwatchedFlags.some((each) => each === flag);

/** The recording as it was read, what the self-check found in it, one for each finding, and the flags that this gives. */
type Heard = {
  wav: WavInfo;
  found: readonly AudioFindingKind[];
  flags: readonly string[];
  /** undefined where nobody listened. */
  peaks: Int8Array | undefined;
};
const unheard: Omit<Heard, 'wav'> = { found: [], flags: ['unchecked'], peaks: undefined };

/** Asterisk (22.10.1) writes again some 0.13 s after it has said that a recorder goes on, ms. */
const restartMs = 200;

/** How long the recorder wrote at least, by Asterisk's times and without its pauses; undefined where one of them is missing. */
function recordedMs({ startedAt, finishedAt }: RecordingRow, changes: readonly ChangeRow[]): number | undefined {
  const ofRecorder = changes.filter(({ change }) => change === 'recorderPaused' || change === 'recorderResumed');
  if (startedAt === null || finishedAt === null || ofRecorder.some(({ at }) => at === null)) return undefined;

  const { possible } = pausesOf(ofRecorder);

  return finishedAt - startedAt - pausedMs(possible, startedAt, finishedAt) - possible.length * restartMs;
}

/** The acoustic self-check, in the one reading that also measures the file; or why there was none. It flags and counts. */
async function listen(file: string, row: RecordingRow, ports: FinishPorts): Promise<Heard | PreavisError> {
  const { talk } = row;
  try {
    const expectedMs = recordedMs(row, await ports.catalogue.timeline.changes(row.callId));
    const { prompts, missing } = await ports.promptsHeard(row);
    const signal = AbortSignal.any([ports.signal, timeLimit(ports.checkMs)]);
    const { wav, findings, peaks } = await ports.check(file, { prompts, expectedMs, signal });
    const [caller, destination] = [{ talkMs: talk?.callerMs }, { talkMs: talk?.destinationMs }];
    const side = oneSided({ caller, destination }, wav.durationMs);
    const found = [...findings, ...(side === undefined ? [] : [side])].map(({ kind }) => kind);
    const kinds = [...new Set(found)];
    if (kinds.length > 0) ports.log.warn({ recording: row.id, findings: kinds }, 'self-check reported findings');
    const flags: string[] = [...kinds];
    // Without this a notice that is inside would pass for one that is not.
    if (missing > 0) {
      ports.log.warn({ recording: row.id, missing }, 'notice sound missing; not searched in recording');
      flags.push('notice_not_sought');
    }

    return { wav, found, flags, peaks };
  } catch (thrown) {
    // The next start listens to it.
    ports.signal.throwIfAborted();

    return asPreavisError(thrown);
  }
}

/** A recorder whose end was never reported may still be writing; a file that rested this long is closed. */
const restMs = 15_000;
/** A file that seems to be written so far in the future was written before the clock was put back; clocks differ by less. */
const clockPutBackMs = 3_600_000;

/** A recorder is stopped at the end of the talk, within this time, ms. */
const earlyMs = 2_000;

/** Whether a party went on from another RTP source before the recorder ended, so that some of their sound may be missing. */
function isPartyUnheard({ finishedAt }: RecordingRow, changes: readonly ChangeRow[]): boolean {
  return changes.some(
    ({ change, at }) => change === 'unheard' && (at === null || finishedAt === null || at < finishedAt),
  );
}

const isStopped = ({ signal }: FinishPorts): boolean => signal.aborted;

export async function finishRecordings(
  ports: FinishPorts,
  progress?: (done: number, total: number) => void,
): Promise<void> {
  const rows = await ports.catalogue.recordings.finishable();
  for (const [index, row] of rows.entries()) {
    progress?.(index, rows.length);
    if (isStopped(ports)) return;
    try {
      await finishRecording(row, ports);
    } catch (thrown) {
      if (isStopped(ports)) return;
      const error = asPreavisError(thrown);
      // Another process was faster.
      if (error.code === 'status_conflict') continue;
      ports.log.error({ recording: row.id, code: error.code, err: error }, 'recording not finished');
    }
  }
}

/**
 * When each purpose ends, by the policy that the call was made under, and with the last of them the recording. Of a purpose that is not in
 * that policy, and of no purpose, the row says how long.
 */
export async function keepingOf(
  row: RecordingRow,
  finishedAt: number,
  catalogue: CataloguePart<{ calls: 'find' | 'policy' }>,
): Promise<{ purposeEnds: PurposeEnd[]; keepUntil: number }> {
  const call = await catalogue.calls.find(row.callId);
  const policy = call === undefined ? undefined : await catalogue.calls.policy(call.policyVersion);
  const keptFor = (days: number | undefined): number => finishedAt + (days ?? row.keepDays) * dayMs;
  const purposeEnds = (call?.purposes ?? []).map((purpose) => ({
    purpose,
    keepUntil: keptFor(purposeOf(policy?.purposes ?? {}, purpose)?.keepDays),
  }));
  const keepUntil =
    purposeEnds.length === 0 ? keptFor(undefined) : Math.max(...purposeEnds.map((end) => end.keepUntil));

  return { purposeEnds, keepUntil };
}

type Keeping = {
  changes: Pick<RecordingChanges, 'keptFrom' | 'keepUntil' | 'purposeEnds' | 'doubt' | 'heard'>;
  flags: readonly string[];
};

/** From when, and so until when, it is kept, by all that has a clock. */
async function judgedKeeping(
  row: RecordingRow,
  call: CallRow | undefined,
  writtenAt: number | undefined,
  ports: FinishPorts,
): Promise<Keeping> {
  const { catalogue, log, actor, clock } = ports;
  // The recording is moved behind it.
  await noteClock(catalogue, clock, true);
  const judged = judgeEnd(await witnessesOf(row, call, writtenAt, ports));
  const { kind, endedAt: keptFrom, by, apartMs } = judged;
  const ends = await keepingOf(row, keptFrom, catalogue);
  if (kind !== 'agree') log.warn({ recording: row.id, apartMs, keptFrom: by }, 'clocks disagree about recording end');
  const doubt = doubtOf(judged, actor);
  const heard = row.heard === null && kind === 'agree' ? endAsOfNow(keptFrom, clock) : undefined;

  return { changes: { keptFrom, ...ends, doubt, heard }, flags: clockFlags(judged) };
}

/** Where we may only read, the audio is kept with the header that Asterisk left; its length is known all the same. */
async function repairIfPermitted(file: string): Promise<WavInfo | undefined> {
  try {
    return await repairWav(file);
  } catch (error) {
    if (error instanceof PreavisError && error.code === 'spool_unusable') return undefined;
    throw error;
  }
}

/**
 * Looks for files in the spool whose recording is not on its way: one whose process died before it was written down gets
 * its row, one that was given up as lost is found again, one that must not be kept is removed. So is a discard file that
 * nobody needs any more. To be run now and then; it reads the folder.
 */
export async function sweepSpool(ports: FinishPorts): Promise<void> {
  for (const id of await spooledRecordings(ports.spoolFolder)) {
    if (isStopped(ports)) return;
    try {
      await takeUp(id, ports);
    } catch (thrown) {
      if (isStopped(ports)) return;
      const error = asPreavisError(thrown);
      if (error.code === 'status_conflict') continue;
      ports.log.error({ recording: id, code: error.code, err: error }, 'spool file not processed');
    }
  }
  const isOver = async (id: RecordingId, writtenAt: number): Promise<boolean> => {
    try {
      return !isStopped(ports) && (await isUnneeded(id, writtenAt, ports));
    } catch (thrown) {
      const error = asPreavisError(thrown);
      if (!isStopped(ports) && error.code !== 'status_conflict')
        ports.log.error({ recording: id, code: error.code, err: error }, 'discard file not processed');
      return false;
    }
  };
  await sweepDiscardFiles(ports.spoolFolder, isOver, (id, error) => {
    ports.log.error({ recording: id, code: error.code, err: error }, 'discard file not removed');
  });
}

/** A call without a recording may be under way for so long, ms. */
const longestCallMs = 30 * dayMs;

/** Of a discard file. One that came too late for its recording stays: a person must decide. */
async function isUnneeded(id: RecordingId, writtenAt: number, ports: FinishPorts): Promise<boolean> {
  const { catalogue, clock, log } = ports;
  const row = await catalogue.recordings.find(id);
  if (row === undefined) return clock.now() - writtenAt > longestCallMs;
  if (row.status === 'lost') await finishRecording(row, ports);
  const isOver = row.status === 'discarded' || row.status === 'erased';
  if (!isOver && row.status !== 'recording' && row.status !== 'lost')
    log.error({ recording: id, status: row.status }, 'recording kept against its discard file');

  return isOver;
}

/**
 * What sweepSpool does with the file of one recording. Throws status_conflict when another process was faster, and what
 * the catalogue and the spool throw.
 */
export async function takeUp(id: RecordingId, ports: FinishPorts): Promise<void> {
  const row = (await ports.catalogue.recordings.find(id)) ?? (await ports.catalogue.recordings.adopt(id));
  // Who changes the catalogue by hand must not have a recording removed. The pass of uploads tells it.
  if (row?.status === 'discarded' && (await ports.catalogue.auditTrail.saysDiscarded(id)))
    await removeDiscarded(row, ports);
  if (row?.status === 'lost') await finishRecording(row, ports);
}

/** The caller may have refused while nobody listened, and nothing tells. */
async function discardUnheard(row: RecordingRow, ports: FinishPorts): Promise<void> {
  const failure = 'keys_unheard';
  await discard(row, { failure, event: 'the caller may have refused unheard', flags: [failure] }, ports);
  ports.found(failure);
}

type Discard = { failure: string; event: string; flags?: string[] };

async function discard(
  row: RecordingRow,
  { failure, event, flags = row.flags }: Discard,
  ports: FinishPorts,
): Promise<void> {
  const { catalogue, actor } = ports;
  await catalogue.recordings.move(row.id, row.status, 'discarded', { failure, flags }, { event, actor });
  failPoint?.('finish, discarded');
  await removeDiscarded({ ...row, failure }, ports);
}

/** Whether the caller refused, or somebody asked to erase it, while the catalogue took nothing. The next look for files removes the discard file. */
async function isDiscardedByFile(row: RecordingRow, ports: FinishPorts): Promise<boolean> {
  const reason = await discardReasonIn(ports.spoolFolder, row.id);
  if (reason === undefined) return false;
  await discard(row, { failure: reason.why, event: whyDiscarded[reason.why] }, ports);
  ports.log.info({ recording: row.id, failure: reason.why }, 'recording discarded by its discard file');

  return true;
}

async function removeDiscarded({ id, failure }: RecordingRow, { catalogue, spoolFolder, log, actor }: FinishPorts) {
  if (!(await removeSpooled(spoolFolder, id))) return;
  await catalogue.auditTrail.append(id, { event: 'removed from the spool', actor });
  log.warn({ recording: id, failure }, 'recording that must not be kept deleted from spool');
}

/**
 * Whether the recorder ended while the talk went on: stopped for a transfer or by somebody, a full disk. Where nobody saw its end, as where
 * another serve had the application, the length of the sound tells; holds may have been paused, whether they were seen to or not.
 */
function endedEarly(
  call: CallRow | undefined,
  { startedAt, finishedAt, flags }: RecordingRow,
  durationMs: number,
  changes: readonly ChangeRow[],
): boolean {
  if (call === undefined || call.endedAt === null) return false;
  // A pause may have lasted to the end.
  const pausedAt = openPauseAt(changes);
  if (pausedAt !== undefined && finishedAt !== null && finishedAt >= pausedAt) return false;
  if (finishedAt !== null) return call.endedAt - finishedAt > earlyMs;
  // Of one that Asterisk ended, since nobody watched, its own flag tells.
  if (startedAt === null || flags.includes('unwatched_too_long')) return false;
  const ranMs = call.endedAt - startedAt - pausedMs(pausesOf(changes).possible, startedAt, call.endedAt);

  return ranMs - durationMs > earlyMs;
}

/** `silent`: what was made silent, since nobody watched it. */
type Read = Heard & { flags: readonly string[]; silent: readonly SilentSpan[] };

const silentPart = ({ silent }: Read) => (silent.length === 0 ? {} : { silent });

/** What is to be said of its end: who wants to know whether the talk went on looks there. */
function endFlags(call: CallRow | undefined, row: RecordingRow, read: Read, changes: readonly ChangeRow[]): string[] {
  if (endedEarly(call, row, read.wav.durationMs, changes)) return ['ended_early'];
  const isSeen = row.finishedAt !== null || (call?.endedAt ?? null) !== null;
  // Where Asterisk had not closed the file it has died, and the talk with it.
  const isClosed = !read.flags.some((flag) => flag.startsWith('header_'));
  const isKnown = isSeen || !isClosed || row.flags.includes('unwatched_too_long');

  return isKnown ? [] : ['end_unseen'];
}

/**
 * Makes silent what must not be heard, before anything is measured, heard or hashed; then listens to the rest and mends its header. `later`:
 * not yet. An error: it holds no usable audio. Throws what keeps it from being read.
 */
async function readSound(
  file: string,
  row: RecordingRow,
  call: CallRow | undefined,
  writtenAt: number | undefined,
  ports: FinishPorts,
): Promise<Read | PreavisError | 'later'> {
  try {
    const judged = await judgeSound(file, row, call, writtenAt, ports);
    if (judged === 'later') return 'later';
    failPoint?.('finish, unwatched sound silenced');
    const flags = [...judged.flags];
    const heard = await listen(file, row, ports);
    // One that cannot be listened to is kept all the same, as long as it holds audio.
    let wav = heard instanceof PreavisError ? await inspectWav(file) : heard.wav;
    if (wav.header === 'unfinished') {
      const repaired = await repairIfPermitted(file);
      wav = repaired ?? wav;
      flags.push(repaired === undefined ? 'header_unfinished' : 'header_repaired');
    }
    if (heard instanceof PreavisError) {
      ports.log.warn({ recording: row.id, code: heard.code, err: heard }, 'self-check failed');
    }
    const { found, flags: more, peaks } = heard instanceof PreavisError ? unheard : heard;

    return { wav, found, flags: [...flags, ...more], peaks, silent: judged.silent };
  } catch (thrown) {
    const error = asPreavisError(thrown);
    if (error.code !== 'wav_invalid' && error.code !== 'wav_empty') throw error;

    return error;
  }
}

/** A file that may still be written to is left alone. */
function isClosed({ finishedAt }: RecordingRow, writtenAt: number, clock: Clock): boolean {
  const restedMs = clock.now() - writtenAt;

  return finishedAt !== null || restedMs >= restMs || restedMs <= -clockPutBackMs;
}

async function noteMissing({ id, status }: RecordingRow, { catalogue, log, actor }: FinishPorts): Promise<void> {
  if (status === 'lost') return;
  await catalogue.recordings.move(
    id,
    'recording',
    'lost',
    { failure: 'file_missing' },
    { event: 'file missing', actor },
  );
  log.error({ recording: id }, 'recording file missing');
}

/** Makes one file of its parts. What is missing in them is kept for the receipt, and gives a flag. An error: none of them can be used. */
async function joined(
  row: RecordingRow,
  { catalogue, spoolFolder, collected }: FinishPorts,
): Promise<PreavisError | undefined> {
  try {
    const timesOfFiles = collected === undefined ? 'asterisk' : 'copies';
    const note = async (lacks: ReadonlySet<Lack>): Promise<void> => {
      const known = await catalogue.timeline.changes(row.callId);
      const isKept = (party: Party): boolean =>
        known.some((each) => each.change === 'unheard' && each.party === party && each.at === null);
      for (const party of parties) {
        const isLacking = lacks.has('mono') || lacks.has(party === 'caller' ? 'told' : 'others');
        if (!isLacking || isKept(party)) continue;
        await catalogue.journal.addToTimeline(row.callId, { kind: 'change', change: 'unheard', at: undefined, party });
      }
    };
    await joinParts(spoolFolder, row.id, note, { timesOfFiles });

    return undefined;
  } catch (thrown) {
    const error = asPreavisError(thrown);
    if (error.code !== 'wav_invalid') throw error;
    return error;
  }
}

/**
 * Takes one recording from `recording`, or from `lost` when its file is there again, to where its file says. A file that may
 * still be written to is left alone. Throws status_conflict when another process was faster.
 */
export async function finishRecording(row: RecordingRow, ports: FinishPorts): Promise<void> {
  const { catalogue, spoolFolder, clock, log, actor, collected } = ports;
  if (collected?.isWhole(row) === false) return;
  if (await isDiscardedByFile(row, ports)) return;
  const writtenAt = await lastWritten(spoolFolder, row.id);
  if (writtenAt === undefined) {
    await noteMissing(row, ports);
    return;
  }
  if (collected === undefined && !isClosed(row, writtenAt, clock)) return;
  const unusable = await joined(row, ports);
  const call = await catalogue.calls.find(row.callId);
  // Keys that were read late have been heard.
  const deaf = (await catalogue.timeline.unwatched(row.callId)).filter(({ why }) => why !== 'events_late');
  const keys = judgeKeys(call, row.finishedAt, deaf);
  if (keys === 'perhapsRefused') {
    await discardUnheard(row, ports);
    return;
  }
  const heardAt = collected === undefined ? writtenAt : undefined;
  const read = unusable ?? (await readSound(spoolFile(spoolFolder, row.id), row, call, heardAt, ports));
  if (read === 'later') return;
  // That it was copied says no more than the end that was seen.
  const isEndSeen = collected !== undefined && row.finishedAt !== null;
  const kept = await judgedKeeping(row, call, isEndSeen ? undefined : Math.round(writtenAt), ports);
  const flags = [...kept.flags, ...(keys === 'unheard' ? ['keys_unheard'] : [])];
  if (read instanceof PreavisError) {
    const { code } = read;
    const note = { event: 'file unusable', actor, detail: { code } };
    await catalogue.recordings.move(row.id, row.status, 'failed', { failure: code, flags, ...kept.changes }, note);
    log.error({ recording: row.id, code }, 'recording without usable audio');
  } else {
    const { bytes, sha256, durationMs } = read.wav;
    const changes = await catalogue.timeline.changes(row.callId);
    // It may have been flagged meanwhile, as one whose recorder nobody watched for too long.
    const noted = (await catalogue.recordings.find(row.id)) ?? row;
    flags.unshift(...noted.flags);
    flags.push(...read.flags, ...endFlags(call, noted, read, changes));
    if (isPartyUnheard(row, changes)) flags.push('party_unheard');
    const peaks = read.peaks === undefined ? undefined : ports.peaks.write(read.peaks, row.id);
    await flushSpooled(spoolFolder, row.id);
    failPoint?.('finish, file measured');
    // To listen takes seconds.
    if (await isDiscardedByFile(row, ports)) return;
    await catalogue.recordings.move(
      row.id,
      row.status,
      'recorded',
      { bytes, sha256, durationMs, flags, peaks, ...kept.changes, failure: null },
      { event: 'file closed', actor, detail: { bytes, sha256, durationMs, flags, ...silentPart(read) } },
    );
    failPoint?.('finish, recorded');
    // Not before: whoever was faster has counted them.
    const all = await catalogue.recordings.find(row.id).then(
      (now) => now?.flags ?? flags,
      () => flags,
    );
    for (const kind of [...read.found, ...all.filter(isUnwatchedFlag)]) ports.found(kind);
    log.info({ recording: row.id, durationMs, flags: all }, 'recording finished');
  }
  if (kept.flags.length > 0) ports.clockIsOff?.();
}
