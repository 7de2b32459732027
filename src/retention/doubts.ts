import { doubtOf, judgeEnd, noteClock, witnessesOf } from '../archive/finish/endOfRecording.ts';
import { doubtfulBeyondMs } from '../call/watch/clockWitnesses.ts';
import type { CataloguePart } from '../catalogue/catalogue.ts';
import type { RecordingRow } from '../catalogue/rows.ts';
import type { Clock } from '../core/clock.ts';
import { PreavisError } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';

/**
 * What only shows after a recording was finished: the clock of this machine was set since. Whoever is asked then decides, not the
 * clock (P6).
 */
export type DoubtPorts = {
  catalogue: CataloguePart<{
    recordings: 'find';
    calls: 'find';
    clockDoubts: 'stepped' | 'raise' | 'of' | 'lineTimes' | 'bootOffset' | 'noteBootOffset';
  }>;
  clock: Clock;
  log: Logger;
  actor: string;
};

const batch = 500;

/** False where its clocks agree, or somebody was asked before. */
async function doubt(row: RecordingRow, { catalogue, clock, actor }: DoubtPorts): Promise<boolean> {
  // Those of an older version: what our clock said of their end was not kept, and their ids were not looked at.
  if (row.keptFrom === null || (await catalogue.clockDoubts.of(row.id)) !== undefined) return false;
  const call = await catalogue.calls.find(row.callId);
  // The file has moved since; what it said is in what keeping counts from.
  const found = doubtOf(judgeEnd(await witnessesOf(row, call, undefined, { catalogue, clock })), actor);

  return found !== undefined && (await catalogue.clockDoubts.raise(row.id, found));
}

/** Asks about each recording of a boot in which the clock was set after it by more than ten minutes. */
export async function doubtStepped(ports: DoubtPorts, signal: AbortSignal): Promise<void> {
  const { catalogue, clock, log } = ports;
  await noteClock(catalogue, clock);
  for (let asked = 1; asked > 0 && !signal.aborted;) {
    asked = 0;
    for (const id of await catalogue.clockDoubts.stepped(doubtfulBeyondMs, batch)) {
      const row = await catalogue.recordings.find(id);
      if (row !== undefined && (await doubt(row, ports))) asked += 1;
    }
    if (asked > 0) log.warn({ recordings: asked }, 'clock changed after recordings ended');
  }
}

/** Before it is erased because its time is over. Throws clock_doubtful. */
export async function doubtBefore(row: RecordingRow, ports: DoubtPorts): Promise<void> {
  if (!(await doubt(row, ports))) return;
  throw new PreavisError('clock_doubtful', 'the clocks do not agree on when it ended');
}
