import type { Line, Policy } from '../../policy/policy.ts';
import type { LanguageDecision, LanguageReason } from '../decide/order.ts';
import { languagesOfNumber } from './numberParsing.ts';

/** What is known of the caller. Everything but argument and line comes from the caller's side: untrusted. */
export type LanguageEvidence = {
  argument: string | undefined;
  /** What this caller chose in an earlier call. */
  preference: string | undefined;
  line: Line;
  /** Asterisk's CHANNEL(language). */
  channelLanguage: string;
  callerNumber: string;
  purposes: readonly string[];
};

/** Two languages at most in a row. */
const mostLanguages = 2;

/** Longest Accept-Language header that is looked at, in characters; RFC 9110 sets no limit, a telephone needs few. */
const longestHeader = 256;
/** A language range of RFC 9110, 12.5.4, with its weight; `*` is any language, and says nothing. */
const weightedTag = /^(\*|[A-Za-z]{2,3})(?:-[A-Za-z0-9]{1,8})*\s*(?:;\s*q=([01](?:\.\d{0,3})?))?$/;

type Wanted = { language: string; weight: number };

/** The languages of an Accept-Language header, best first, without regions. A malformed header says nothing. */
export function languagesOfHeader(header: string): Wanted[] {
  if (header.length > longestHeader) return [];
  const ranges = header.split(',').map((part) => weightedTag.exec(part.trim()));
  const known = ranges.flatMap((range) =>
    range?.[1] === undefined ? [] : [{ language: range[1].toLowerCase(), weight: Number(range[2] ?? '1') }],
  );
  if (known.length !== ranges.length) return [];
  const wanted = known
    .filter(({ language, weight }) => weight > 0 && language !== '*')
    .sort((a, b) => b.weight - a.weight);

  return wanted.filter((each, index) => wanted.findIndex(({ language }) => language === each.language) === index);
}

/**
 * What the header says when only these languages can be played: the best of them, several only where it wants them alike,
 * and those that it would rather have.
 * The others are what its sender would put up with, not what a caller has to sit through as well.
 */
function bestOfHeader(header: string, canPlay: (language: string) => boolean): string[] {
  const wanted = languagesOfHeader(header);
  const best = wanted.find(({ language }) => canPlay(language)) ?? wanted[0];

  return wanted.filter(({ weight }) => weight >= (best?.weight ?? 0)).map(({ language }) => language);
}

const base = (tag: string): string => tag.split(/[_-]/)[0]?.toLowerCase() ?? '';

/** What this evidence says is worked out only where no stronger one has decided. */
type Candidate = readonly [LanguageReason, () => readonly string[]];

/** The evidence that is at hand without asking anybody, strongest first. A choice made in this call comes later. */
function candidates(evidence: LanguageEvidence, policy: Policy): Candidate[] {
  const { argument, preference, line, channelLanguage, callerNumber } = evidence;
  const isDefault = base(channelLanguage) === base(policy.asteriskDefaultLanguage);
  const channel = policy.languages.includes(channelLanguage) ? channelLanguage : base(channelLanguage);

  return [
    ['argument', () => (argument === undefined ? [] : [argument])],
    ['preference', () => (preference === undefined ? [] : [preference])],
    ['line', () => (line.language === undefined ? [] : [line.language])],
    // Asterisk gives every channel its default language, which nobody chose.
    ['channel', () => (channel === '' || isDefault ? [] : [channel])],
    ['number', () => languagesOfNumber(callerNumber, policy.defaultCountry)?.languages ?? []],
  ];
}

/**
 * The offered language that this tag means, if it has a notice: the very tag, or the language without a region, or else
 * any region of it. Most evidence knows no region, and one French is better than another language.
 */
function offeredFor(tag: string, purposes: readonly string[], policy: Policy): string | undefined {
  const same = policy.languages.filter((language) => base(language) === base(tag));
  const [first] = [tag, base(tag), ...same].filter(
    (language) => same.includes(language) && policy.notice(purposes, language) !== undefined,
  );

  return first;
}

function firstOffered(
  list: readonly Candidate[],
  purposes: readonly string[],
  policy: Policy,
  unavailable: LanguageDecision['unavailable'],
): LanguageDecision | Pick<LanguageDecision, 'unavailable'> {
  const missed = [...unavailable];
  for (const [reason, tags] of list) {
    const wanted = tags().map((tag) => ({ tag, language: offeredFor(tag, purposes, policy) }));
    const languages = [...new Set(wanted.flatMap(({ language }) => language ?? []))].slice(0, mostLanguages);
    const last = languages.at(-1);
    const lastIndex = wanted.findIndex(({ language }) => language === last);
    const before = last === undefined ? wanted : wanted.slice(0, lastIndex);
    missed.push(...before.flatMap(({ tag, language }) => (language === undefined ? [{ language: tag, reason }] : [])));
    if (last !== undefined) return { languages, reason, unavailable: missed };
  }

  return { unavailable: missed };
}

/**
 * The first evidence that yields a language with a notice wins. A language without prompts is never claimed: it is
 * passed over and named in the decision. `header` is asked only when nothing stronger decided. `undefined` when not even
 * the line's default has a notice for these purposes.
 */
export async function decideLanguage(
  evidence: LanguageEvidence,
  policy: Policy,
  header: () => Promise<string>,
): Promise<LanguageDecision | undefined> {
  const { purposes, line } = evidence;
  const strong = firstOffered(candidates(evidence, policy), purposes, policy, []);
  if ('reason' in strong) return strong;
  const said = await header();
  const weak: Candidate[] = [
    ['acceptLanguage', () => bestOfHeader(said, (language) => offeredFor(language, purposes, policy) !== undefined)],
    ['lineDefault', () => line.defaultLanguages],
  ];
  const decision = firstOffered(weak, purposes, policy, strong.unavailable);

  return 'reason' in decision ? decision : undefined;
}
