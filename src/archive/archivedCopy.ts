import { text } from 'node:stream/consumers';
import * as z from 'zod';
import type { RecordingRow } from '../catalogue/rows.ts';
import { dayMs } from '../core/clock.ts';
import { jsonIn } from '../core/text/json.ts';
import type { Encryption, ObjectStore } from '../store/store.ts';
import { isSame } from './storeAndVerify.ts';
import { largestReceiptBytes } from './storedReceipt.ts';
import type { ObjectKeys } from '../store/objectKeys.ts';

/**
 * A recording of which the catalogue knows only the beginning, while it lies whole in the archive: the catalogue was restored from a
 * backup that was made during the call. Its file was removed when its WAV and its receipt had been read back (P4), and where a purpose asks for a
 * lock, when both were locked. So both must be there, and fit each other; the WAV is read to its end once more.
 */
export type ArchivedCopy = {
  bytes: number;
  sha256: string;
  durationMs: number;
  /** Asterisk's time, ms since 1970 UTC. */
  finishedAt: number;
  /** From when it is kept, as that was judged when it was finished (P6); not before `finishedAt`. ms since 1970 UTC. */
  keptFrom: number;
  flags: readonly string[];
  encryption: Encryption;
  versionId: string | null;
  /** Byte for byte. */
  receipt: string;
};

const ms = z.iso.datetime().transform((time) => Date.parse(time));

/** What of a receipt is needed, of whatever version. */
const ofReceipt = z.object({
  call: z.object({ id: z.string() }),
  purposes: z.array(z.object({ keepDays: z.int(), keepUntil: ms.nullish() })).default([]),
  recording: z.object({
    id: z.string(),
    startedAt: ms.nullable(),
    finishedAt: ms,
    bytes: z.int(),
    durationMs: z.int(),
    sha256: z.string(),
    flags: z.array(z.string()),
    keepUntil: ms.nullish(),
    encryption: z
      .discriminatedUnion('mode', [
        z.object({ mode: z.literal('client'), keyId: z.string() }),
        z.object({ mode: z.literal('server') }),
      ])
      .nullable(),
  }),
});

/**
 * Where clocks disagreed, it is kept from later than the event of its end; the purposes were shortened, from seemingly earlier, which
 * counts as that event.
 */
function keptFromOf({ purposes, recording }: z.output<typeof ofReceipt>, rowDays: number): number {
  const whole = { keepDays: rowDays, keepUntil: recording.keepUntil };
  const begins = (purposes.length > 0 ? purposes : [whole]).flatMap(({ keepDays, keepUntil }) =>
    keepUntil === null || keepUntil === undefined ? [] : [keepUntil - keepDays * dayMs],
  );

  return Math.max(recording.finishedAt, ...begins);
}

/** Asterisk's clock is that of its machine, which may lie ahead of ours. */
const aheadMs = 60_000;

/**
 * undefined where it is not there whole, or is not what the catalogue knows the beginning of.
 *
 * @param now ms since 1970 UTC: what is kept from later does not decide how long
 */
async function findArchivedCopy(
  row: Pick<RecordingRow, 'id' | 'callId' | 'startedAt' | 'noticeFinishedAt' | 'keepDays'>,
  keys: ObjectKeys,
  store: ObjectStore,
  now: number,
  signal: AbortSignal,
): Promise<ArchivedCopy | undefined> {
  const [wav, stored] = [await store.stat(keys.wav), await store.stat(keys.receipt)];
  if (wav === undefined || stored === undefined || stored.bytes > largestReceiptBytes) return undefined;
  const receipt = await text(await store.read(keys.receipt, stored.versionId, signal));
  const parsed = ofReceipt.safeParse(jsonIn(receipt)).data;
  if (parsed === undefined) return undefined;
  const { call, recording } = parsed;
  const isThis =
    recording.id === row.id && call.id === row.callId && (row.startedAt ?? recording.startedAt) === recording.startedAt;
  const { bytes, sha256, finishedAt } = recording;
  const keptFrom = keptFromOf(parsed, row.keepDays);
  const isInTime = finishedAt >= (row.startedAt ?? row.noticeFinishedAt) && keptFrom <= now + aheadMs;
  if (!isThis || !isInTime || !(await isSame(store, wav, { bytes, sha256 }, signal))) return undefined;
  const { durationMs, flags, encryption } = recording;

  return { bytes, sha256, durationMs, finishedAt, keptFrom, flags, encryption, versionId: wav.versionId, receipt };
}

/** The same in each of several archives; the first that has it. */
export async function findInArchives(
  row: Parameters<typeof findArchivedCopy>[0],
  keys: ObjectKeys,
  stores: readonly ObjectStore[],
  now: number,
  signal: AbortSignal,
): Promise<(ArchivedCopy & { archive: string }) | undefined> {
  for (const store of stores) {
    const copy = await findArchivedCopy(row, keys, store, now, signal);
    if (copy !== undefined) return { ...copy, archive: store.location };
  }

  return undefined;
}
