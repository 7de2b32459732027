/** Calls that were placed again because the lab was late: nothing that a test asks of its rig counts them. */
import type { Rig } from '../../../lab/rig.ts';

type Aside = {
  /** Lines by the ids of calls. */
  calls: Map<string, string>;
  /** When calls by a line were put aside for the last time, Unix time in ms. */
  since: Map<string, number>;
};

const asides = new WeakMap<object, Aside>();

function asideOf(rig: Rig): Aside {
  const known = asides.get(rig.asterisk) ?? { calls: new Map<string, string>(), since: new Map<string, number>() };
  asides.set(rig.asterisk, known);

  return known;
}

/** From now on these calls do not count, nor anything else of these lines before this moment. */
export function putAside(
  rig: Rig,
  lines: readonly string[],
  calls: readonly { id: string; line: string | null }[],
): void {
  const aside = asideOf(rig);
  for (const line of lines) aside.since.set(line, Date.now());
  for (const { id, line } of calls) if (line !== null && lines.includes(line)) aside.calls.set(id, line);
}

/** The same for calls that serve has written down only after it was told that they do not count. */
export function putAsideLate(rig: Rig, calls: readonly { id: string; line: string | null; startedAt: number }[]): void {
  for (const { id, line, startedAt } of calls)
    if (line !== null && startedAt < countsSince(rig, line)) asideOf(rig).calls.set(id, line);
}

export const isAside = (rig: Rig, call: string): boolean => asideOf(rig).calls.has(call);

/** When the calls by this line that count began at the earliest, Unix time in ms. */
export const countsSince = (rig: Rig, line: string): number => asideOf(rig).since.get(line) ?? 0;

/** The ids of calls by these lines, or by any, that were placed in vain. */
export const callsInVain = (rig: Rig, lines?: readonly string[]): string[] =>
  [...asideOf(rig).calls].filter(([, line]) => lines?.includes(line) ?? true).map(([id]) => id);
