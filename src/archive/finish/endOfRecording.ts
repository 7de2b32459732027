import { judgeClocks, type ClockVerdict, type Witnesses } from '../../call/watch/clockWitnesses.ts';
import type { CataloguePart } from '../../catalogue/catalogue.ts';
import type { Doubt, WitnessTimes } from '../../catalogue/retention/clockDoubts.ts';
import type { CallRow, RecordingRow } from '../../catalogue/rows.ts';
import { offsetOf, readClock, type Clock, type ClockReading } from '../../core/clock.ts';
import { madeAt } from '../../core/ids.ts';

/** What each clock says of a recording's end, and from when it is kept by that. */

type Sources = CataloguePart<{ clockDoubts: 'lineTimes' | 'bootOffset' | 'noteBootOffset' }>;

/**
 * Notes how the clock of this machine stands in this boot: what was recorded before it was set is seen by that.
 *
 * @param isFollowed whether another step of the catalogue follows, which is written through: then this one does not wait for the disk
 */
export async function noteClock(
  catalogue: CataloguePart<{ clockDoubts: 'noteBootOffset' }>,
  clock: Clock,
  isFollowed = false,
): Promise<void> {
  const reading = readClock(clock);
  const offsetMs = offsetOf(reading);
  if (reading.sinceBoot !== undefined && offsetMs !== undefined) {
    await catalogue.clockDoubts.noteBootOffset(reading.sinceBoot.boot, offsetMs, isFollowed);
  }
}

/**
 * An end that nobody heard of, as where Asterisk did not tell of it, or serve was not there: by our clock as it stands now, so that it shows where that is
 * set later.
 */
export function endAsOfNow(at: number, clock: Clock): ClockReading | undefined {
  const { at: now, sinceBoot } = readClock(clock);

  return sinceBoot && { at, sinceBoot: { ...sinceBoot, ms: sinceBoot.ms - (now - at) } };
}

/** When it was heard of by our clock as it is now: put right by how far that was set since, in the same boot. */
async function byAge(
  heard: RecordingRow['heard'],
  catalogue: CataloguePart<{ clockDoubts: 'bootOffset' }>,
): Promise<number | undefined> {
  const { at, boot } = heard ?? { at: 0, boot: null };
  const offsetMs = boot === null ? undefined : await catalogue.clockDoubts.bootOffset(boot.id);

  return boot === null || offsetMs === undefined ? undefined : at + offsetMs - boot.offsetMs;
}

/** @param row before it is moved from `recording`, or later with what it was kept from */
export async function witnessesOf(
  row: RecordingRow,
  call: CallRow | undefined,
  file: number | undefined,
  { catalogue, clock }: { catalogue: Sources; clock: Clock },
): Promise<Witnesses> {
  const lines = await catalogue.clockDoubts.lineTimes(row.id);
  const { heard } = row;
  const ours = call === undefined ? undefined : madeAt(call.id);

  return {
    events: row.finishedAt ?? undefined,
    heard: heard?.at,
    file,
    monotonic: await byAge(heard, catalogue),
    kept: row.keptFrom ?? undefined,
    id: madeAt(row.id),
    audit: lines.first ?? undefined,
    arrival: call === undefined || ours === undefined ? undefined : { asterisk: call.startedAt, ours },
    startedAt: row.startedAt ?? undefined,
    lineBefore: lines.before ?? undefined,
    lineAfter: lines.after ?? clock.now(),
  };
}

/** For the human who is asked: every time that there is. */
function timesOf({ arrival, ...times }: Witnesses): WitnessTimes {
  const all = { ...times, arrivalByAsterisk: arrival?.asterisk, arrivalByUs: arrival?.ours };

  return Object.fromEntries(Object.entries(all).filter((entry): entry is [string, number] => entry[1] !== undefined));
}

export type JudgedEnd = ClockVerdict & { witnesses: WitnessTimes };

export function judgeEnd(witnesses: Witnesses): JudgedEnd {
  return { ...judgeClocks(witnesses), witnesses: timesOf(witnesses) };
}

/** undefined where no human needs to be asked. */
export function doubtOf({ kind, apartMs, endedAt, witnesses }: JudgedEnd, actor: string): Doubt | undefined {
  return kind === 'doubtful' ? { apartMs, endedAt, witnesses, actor } : undefined;
}

/** The doubt that the flags of a receipt tell of, and that a restored catalogue has forgotten. Who has settled it is asked again. */
export async function doubtAgain(
  row: RecordingRow,
  { keptFrom, flags }: { keptFrom: number; flags: readonly string[] },
  ports: { catalogue: Sources & CataloguePart<{ calls: 'find' }>; clock: Clock; actor: string },
): Promise<Doubt | undefined> {
  if (!flags.includes('clock_doubtful')) return undefined;
  const call = await ports.catalogue.calls.find(row.callId);
  const { apartMs, witnesses } = judgeEnd(await witnessesOf(row, call, undefined, ports));

  return { apartMs, endedAt: keptFrom, witnesses, actor: ports.actor };
}

/** The flag of a recording whose clocks are so far apart. */
export function clockFlags({ kind }: ClockVerdict): string[] {
  switch (kind) {
    case 'agree':
      return [];
    case 'differ':
      return ['clock_differs'];
    case 'doubtful':
      return ['clock_doubtful'];
  }
}
