import { asPreavisError } from '../../core/errors.ts';

/** What `preavis check` says of one thing. A warning is for people to judge: nothing is broken. */
export type CheckResult =
  | {
      check: string;
      ok: true;
      /** Which of several it is. */
      about?: string;
      warning?: string;
      /** What was seen, by name. */
      facts?: Readonly<Record<string, string>>;
      /** What could be better though nobody asks for it. */
      notes?: readonly string[];
    }
  | {
      check: string;
      ok: false;
      about?: string;
      code: string;
      problem: string;
      hint: string;
      /** What could not be looked at because of it: it would fail for the same cause. */
      unchecked?: readonly string[];
    };

/** @param thrown what looking ended with */
export function failed(check: string, thrown: unknown): CheckResult & { ok: false } {
  const { code, message: problem, hint } = asPreavisError(thrown);

  return { check, ok: false, code, problem, hint };
}

/** Does one step and notes whether it went well. What a step gives as text is a warning; `about` says what is being looked at. */
export type Look = (name: string, step: () => unknown, about?: string) => Promise<boolean>;

/** Says of what failed last that these were not looked at because of it. */
export function leaveOut(list: CheckResult[], unchecked: readonly string[]): void {
  const last = list.at(-1);
  if (last?.ok === false && unchecked.length > 0) list.splice(-1, 1, { ...last, unchecked });
}

/** Adds a note to what was looked at last, where that is well. */
export function noteLast(list: CheckResult[], note: string): void {
  const last = list.at(-1);
  if (last?.ok === true) list.splice(-1, 1, { ...last, notes: [...(last.notes ?? []), note] });
}

export function makeLook(list: CheckResult[]): Look {
  return async (name, step, about) => {
    const check = { check: name, ...(about === undefined ? {} : { about }) };
    try {
      const warning = await step();
      list.push({ ...check, ok: true, ...(typeof warning === 'string' ? { warning } : {}) });

      return true;
    } catch (thrown) {
      list.push({ ...check, ...failed(name, thrown) });

      return false;
    }
  };
}
