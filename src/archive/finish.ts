import type { Catalogue } from '../catalogue/catalogue.ts';
import { storedPolicy, type PurposeEnd, type RecordingRow } from '../catalogue/rows.ts';
import type { Clock } from '../core/clock.ts';
import { asPreavisError, PreavisError } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';
import { lastWritten, spoolFile } from './spool.ts';
import { inspectWav, repairWav, type WavInfo } from './wav.ts';

/**
 * Takes recordings whose recorder has ended from `recording` to `recorded`: the WAV itself is the truth. Its header is
 * repaired when Asterisk did not close it; a silent one is flagged; an empty or unreadable one is `failed`, a missing one
 * `lost`. Here its times are fixed: each purpose of the call ends by itself, the recording with the last of them.
 */
export type FinishPorts = {
  catalogue: Pick<Catalogue, 'finishable' | 'move' | 'call' | 'policy'>;
  spoolFolder: string;
  clock: Clock;
  log: Logger;
  actor: string;
};

/** A recorder whose end was never reported may still be writing; a file that rested this long is closed. */
const restMs = 15_000;

const dayMs = 86_400_000;

export async function finishRecordings(ports: FinishPorts): Promise<void> {
  for (const row of await ports.catalogue.finishable()) {
    try {
      await finish(row, ports);
    } catch (thrown) {
      const error = asPreavisError(thrown);
      // Another process was faster.
      if (error.code === 'status_conflict') continue;
      ports.log.error({ recording: row.id, code: error.code, err: error }, 'a recording could not be finished');
    }
  }
}

/** The end of each purpose, from the policy that the call was made under; a purpose that is not in it: the row's own. */
async function endsOf(
  row: RecordingRow,
  finishedAt: number,
  catalogue: Pick<Catalogue, 'call' | 'policy'>,
): Promise<PurposeEnd[]> {
  const call = await catalogue.call(row.callId);
  const content = call === undefined ? undefined : await catalogue.policy(call.policyVersion);
  const purposes = content === undefined ? {} : storedPolicy.parse(JSON.parse(content)).purposes;

  return (call?.purposes ?? []).map((purpose) => {
    const keepDays = Object.hasOwn(purposes, purpose) ? purposes[purpose]?.keepDays : undefined;

    return { purpose, keepUntil: finishedAt + (keepDays ?? row.keepDays) * dayMs };
  });
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

async function finish(row: RecordingRow, { catalogue, spoolFolder, clock, log, actor }: FinishPorts): Promise<void> {
  const file = spoolFile(spoolFolder, row.id);
  const writtenAt = await lastWritten(spoolFolder, row.id);
  if (writtenAt === undefined) {
    await catalogue.move(row.id, 'recording', 'lost', { failure: 'file_missing' }, { event: 'file missing', actor });
    log.error({ recording: row.id }, 'the file of a recording has vanished');
    return;
  }
  if (row.finishedAt === null && clock.now() - writtenAt < restMs) return;
  const finishedAt = row.finishedAt ?? Math.round(writtenAt);
  const purposeEnds = await endsOf(row, finishedAt, catalogue);
  const keepUntil =
    purposeEnds.length === 0 ? finishedAt + row.keepDays * dayMs : Math.max(...purposeEnds.map((end) => end.keepUntil));
  const flags: string[] = [];
  let wav: WavInfo;
  try {
    wav = await inspectWav(file);
    if (wav.header === 'unfinished') {
      const repaired = await repairIfPermitted(file);
      wav = repaired ?? wav;
      flags.push(repaired === undefined ? 'header_unfinished' : 'header_repaired');
    }
  } catch (thrown) {
    const error = asPreavisError(thrown);
    if (error.code !== 'wav_invalid' && error.code !== 'wav_empty') throw error;
    await catalogue.move(
      row.id,
      'recording',
      'failed',
      { failure: error.code, keepUntil, purposeEnds },
      { event: 'file unusable', actor, detail: { code: error.code } },
    );
    log.error({ recording: row.id, code: error.code }, 'a recording holds no usable audio');
    return;
  }
  if (wav.peak === 0) flags.push('silent');
  const { bytes, sha256, durationMs } = wav;
  await catalogue.move(
    row.id,
    'recording',
    'recorded',
    { bytes, sha256, durationMs, flags, keepUntil, purposeEnds },
    { event: 'file closed', actor, detail: { bytes, sha256, durationMs, flags } },
  );
  log.info({ recording: row.id, durationMs, flags }, 'recording finished');
}
