import type { Line, Policy } from '../config/policy.ts';
import { languagesOfNumber } from './numberLanguage.ts';

/** Which evidence decided the language. */
export type LanguageReason = 'argument' | 'line' | 'number' | 'lineDefault';

export type LanguageDecision = {
  /** One language, or two that are played one after the other. */
  languages: readonly string[];
  reason: LanguageReason;
};

export type LanguageEvidence = {
  argument: string | undefined;
  line: Line;
  /** As the caller's side gave it: untrusted. */
  callerNumber: string;
  purposes: readonly string[];
};

/** Two languages at most in a row. */
const mostLanguages = 2;

/**
 * The first evidence that yields a language with a notice wins: the dialplan's argument, the line's own language, the
 * caller's number, the line's default. A language without prompts is never claimed; it is passed over. `undefined` when
 * not even the line's default has a notice for these purposes.
 */
export function decideLanguage(evidence: LanguageEvidence, policy: Policy): LanguageDecision | undefined {
  const { argument, line, callerNumber, purposes } = evidence;
  const offered = (languages: readonly string[]): string[] =>
    languages
      .filter((tag) => policy.languages.includes(tag) && policy.notice(purposes, tag) !== undefined)
      .slice(0, mostLanguages);
  const candidates: [LanguageReason, () => readonly string[]][] = [
    ['argument', () => (argument === undefined ? [] : [argument])],
    ['line', () => (line.language === undefined ? [] : [line.language])],
    ['number', () => languagesOfNumber(callerNumber, policy.defaultCountry)?.languages ?? []],
    ['lineDefault', () => line.defaultLanguages],
  ];
  for (const [reason, languagesOf] of candidates) {
    const languages = offered(languagesOf());
    if (languages.length > 0) return { languages, reason };
  }

  return undefined;
}
