/**
 * When a recording ended, by all that has a clock. Keeping counts from it (P6), and a clock may be wrong: Asterisk's, that of this
 * machine, or both. Pure; times are ms since 1970 UTC.
 */

/** What says when the recorder ended. In the order in which they are believed where they agree. */
export const endWitnesses = ['events', 'heard', 'file', 'monotonic', 'kept'] as const;
/** What says only that it did not end before. */
export const earliestWitnesses = ['id', 'audit'] as const;
export type ClockWitness = (typeof endWitnesses)[number] | (typeof earliestWitnesses)[number];

/** One moment by two clocks. */
type Pair = { asterisk: number; ours: number };

/** What there is of each; undefined where there is nothing. */
export type Witnesses = {
  /** Asterisk's event of the recorder's end, by its clock. */
  events: number | undefined;
  /** When that event reached us, by our clock as it was then. */
  heard: number | undefined;
  /** When the WAV was last written to, by the clock of its file system. */
  file: number | undefined;
  /** The end by our clock as it is now: now, less its age by the clock that nobody can set. */
  monotonic: number | undefined;
  /** From when it was kept until now: what was believed when it was finished, also of a file that has moved since. */
  kept: number | undefined;
  /** The id of the recording, made before its recorder was asked for, by our clock. */
  id: number | undefined;
  /** The first line of the audit trail about it, by our clock; it may have been written late. */
  audit: number | undefined;
  /** The arrival of the call. */
  arrival: Pair | undefined;
  /** The beginning of the recorder by Asterisk, which no line about it can be older than. */
  startedAt: number | undefined;
  /** The line of the audit chain before its first, whatever that is about. */
  lineBefore: number | undefined;
  /** The line of the audit chain after its end, whatever that is about; where there is none yet, now. */
  lineAfter: number;
};

export type ClockVerdict = {
  /** agree: within the latency of messages and files. differ: to be flagged. doubtful: a human decides before it is erased. */
  kind: 'agree' | 'differ' | 'doubtful';
  /** From when keeping counts. */
  endedAt: number;
  by: ClockWitness;
  /** How far the clocks are apart at most. */
  apartMs: number;
};

/** Messages, disks and two machines on NTP are never so far apart. */
export const flaggedBeyondMs = 60_000;
/** Nothing that works puts two clocks so far apart. */
export const doubtfulBeyondMs = 600_000;

type Said = { by: ClockWitness; at: number };

const saidBy = <Name extends ClockWitness>(names: readonly Name[], witnesses: Pick<Witnesses, Name>): Said[] =>
  names.flatMap((by) => {
    const at = witnesses[by];
    return at === undefined ? [] : [{ by, at }];
  });

/** How far `early` is too early to be the same as, or later than, `late`. */
const contradiction = (late: number | undefined, early: number | undefined): number =>
  late === undefined || early === undefined ? 0 : Math.max(0, late - early);

function apart(witnesses: Witnesses, ends: readonly Said[]): number {
  const { id, audit, arrival, startedAt, lineBefore, lineAfter } = witnesses;
  const times = ends.map(({ at }) => at);
  const [first, last] = times.length === 0 ? [undefined, undefined] : [Math.min(...times), Math.max(...times)];

  return Math.max(
    contradiction(last, first),
    contradiction(id, first),
    contradiction(startedAt, first),
    contradiction(last, lineAfter),
    contradiction(startedAt, audit),
    contradiction(lineBefore, audit),
    arrival === undefined ? 0 : Math.abs(arrival.asterisk - arrival.ours),
  );
}

const latest = (all: readonly Said[]): Said | undefined =>
  all.reduce<Said | undefined>((most, each) => (most === undefined || each.at > most.at ? each : most), undefined);

/**
 * Where the witnesses agree, Asterisk's own event counts (P8). Where not, the latest that is not later than the next line of the
 * audit chain, which was written after all of them: a clock that was ahead does not keep it longer, one that was behind does not
 * have it erased earlier.
 *
 * @throws TypeError where nothing says when it ended
 */
export function judgeClocks(witnesses: Witnesses): ClockVerdict {
  const ends = saidBy(endWitnesses, witnesses);
  const apartMs = apart(witnesses, ends);
  const [first] = ends;
  if (first === undefined) throw new TypeError('nothing says when this recording ended');
  if (apartMs <= flaggedBeyondMs) return { kind: 'agree', endedAt: first.at, by: first.by, apartMs };
  const all = [...ends, ...saidBy(earliestWitnesses, witnesses)];
  const possible = all.filter(({ at }) => at <= witnesses.lineAfter + flaggedBeyondMs);
  // Where even the line is earlier than all of them, nothing is left to believe: the longest keeping does the least harm.
  const counted = latest(possible) ?? latest(all) ?? first;

  return { kind: apartMs > doubtfulBeyondMs ? 'doubtful' : 'differ', endedAt: counted.at, by: counted.by, apartMs };
}

/** How far Asterisk's clock is ahead of ours at an event that has just come, ms; undefined where that may be latency. */
export function clockAhead(asterisk: number, ours: number): number | undefined {
  const ahead = asterisk - ours;

  return Math.abs(ahead) > flaggedBeyondMs ? ahead : undefined;
}
