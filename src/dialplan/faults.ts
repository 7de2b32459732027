import { noWhere, type Place } from './dialplan.ts';

/** The one list of what lint finds. docs/dialplan-lint.md has a row for each. */
export const faultSeverities = {
  'recorder-without-notice': 'error',
  'recorder-by-key': 'error',
  'recorder-behind-login': 'warning',
  'recorder-beside': 'warning',
  'notice-to-employee': 'error',
  'notice-to-employee-perhaps': 'warning',
  'arguments-refused': 'error',
  'unknown-line': 'error',
  'unknown-purpose': 'error',
  'answered-before-notice': 'warning',
  'answer-behind-local': 'error',
  'told-on-local': 'warning',
  'told-as-another': 'error',
  'no-fallback': 'error',
  'function-refused': 'warning',
  'preavis-not-included': 'error',
  'target-missing': 'error',
  'code-collision': 'error',
  'code-near': 'warning',
  'include-missing': 'error',
  'line-too-long': 'error',
  'not-followed': 'warning',
} as const;

export type FaultCode = keyof typeof faultSeverities;

export type Fault = {
  file: string;
  /** From 1; null where it is no line's. */
  line: number | null;
  severity: 'error' | 'warning';
  code: FaultCode;
  /** One sentence: what is wrong. */
  problem: string;
  /** One sentence: what to write instead. */
  remedy: string;
};

export function fault(code: FaultCode, place: Place, problem: string, remedy: string): Fault {
  const { file, line } = place;

  return { file, line: line === noWhere ? null : line, severity: faultSeverities[code], code, problem, remedy };
}

/** By file and line, each once: several ways may lead to the same fault. */
export function inOrder(faults: readonly Fault[]): Fault[] {
  const seen = new Set<string>();
  const once = faults.filter(({ file, line, code, problem }) => {
    const key = JSON.stringify([file, line, code, problem]);
    const isNew = !seen.has(key);
    seen.add(key);

    return isNew;
  });

  return once.toSorted((one, other) =>
    one.file === other.file ? (one.line ?? 0) - (other.line ?? 0) : one.file < other.file ? -1 : 1,
  );
}

/** A place in a sentence. */
export const inWords = ({ file, line }: Place): string => (line === noWhere ? file : `${file}:${line}`);
