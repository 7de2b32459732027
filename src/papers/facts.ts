import { codesOf, type LineCode, type Records } from '../config/codes.ts';
import { consentFor, possibleModes, type ConsentMode } from '../config/consent.ts';
import type { Jurisdiction } from '../config/law.ts';
import { purposeOf } from '../config/purposeRules.ts';
import type { Config } from '../config/schema.ts';
import { sha256Of } from '../core/crypto/sha256.ts';
import { wordingsOf, type LocalText } from '../core/text/inLanguage.ts';
import type { Policy } from '../policy/policy.ts';
import {
  processingFacts,
  type ProcessingFacts,
  type ProcessingPurpose,
  type ProcessingSetting,
  type ProcessingSubject,
} from '../policy/processingFacts.ts';
import { spokenIn } from '../policy/spokenIn.ts';
import type { SingleKind } from '../prompts/library.ts';
import { groundsOf, type Ground } from './grounds.ts';
import { paperLanguages, type PaperLanguage } from './languages.ts';

/** All that the papers say of an installation, whatever their language. */

export type PaperPurpose = ProcessingPurpose & {
  grounds: readonly Ground[];
  /** What its callers may choose, by the lines that have it: the strictest consent of a line holds for its calls. */
  choices: readonly ConsentMode[];
  /** Countries of callers who are asked on each of these lines. */
  askedCountries: readonly string[];
  /** Whether calls have it only once somebody marks an agreement. */
  onlyOnceMarked: boolean;
};

/** Sentences as callers hear them, in one language. */
type Spoken = {
  /** All that is said before the talk, in order. */
  heard: readonly string[];
  singles: Readonly<Partial<Record<SingleKind, string>>>;
};

export type PaperLine = {
  name: string;
  purposes: readonly string[];
  /** What its callers may choose, but for those of askedCountries, who are asked. */
  mode: ConsentMode;
  askedCountries: readonly string[];
  /** Every mode of consent that its calls can have. */
  modes: readonly ConsentMode[];
  codes: readonly LineCode[];
  /** The purpose that a code adds to a call. */
  agreementFor: string | null;
  records: Records;
  newcomers: Config['lines'][string]['newcomers'];
  internalCalls: Config['lines'][string]['internalCalls'];
  calledParty: Config['lines'][string]['calledParty'];
  /** What it is called; null: by its name. */
  names: LocalText | null;
  /** Whether the telephones of its staff are known. */
  hasStaff: boolean;
  /** After which a pause ends by itself, s. */
  pauseSeconds: number | null;
  spoken: Readonly<Partial<Record<PaperLanguage, Spoken>>>;
};

export type PaperFacts = Omit<ProcessingFacts, 'purposes'> & {
  purposes: readonly PaperPurpose[];
  lines: readonly PaperLine[];
  /** Of every call that there can be, as lines and purposes have it. */
  modes: readonly ConsentMode[];
  /** Whose law the recordings are made under. */
  jurisdictions: readonly Jurisdiction[];
  /** The keys of the questions; null where nobody is asked. */
  keys: { optOut: { refuse: string } | null; optIn: { accept: string; refuse: string } | null };
  /** What refuses during the talk; null where nobody may refuse. */
  featureCode: string | null;
  /** How long a yes is waited for, s. */
  waitSeconds: number;
  maximumMinutes: number;
  timezone: string;
  /** One of the numbers that are never recorded; null where there is none. */
  neverRecorded: string | null;
  /** Whether the telephones of staff are known on every line. */
  hasStaff: boolean;
  /** Of purposes, lines and sentences, as receipts name it. */
  policyVersion: string;
};

/** What all controllers share. */
export type PaperSetting = ProcessingSetting &
  Pick<Config, 'consent' | 'neverRecorded' | 'recording' | 'schedule' | 'staff'>;

const isOfLanguage =
  (language: PaperLanguage) =>
  (tag: string): boolean =>
    tag === language || tag.startsWith(`${language}_`);

const singlesSaid = ['paused', 'resumed', 'erasedAck'] as const satisfies SingleKind[];

function spokenTo(
  language: PaperLanguage,
  { purposes, mode }: Pick<PaperLine, 'purposes' | 'mode'>,
  policy: Policy,
): Spoken | undefined {
  const tag = policy.languages.find(isOfLanguage(language));
  if (tag === undefined) return undefined;

  return {
    heard: spokenIn(policy, purposes, tag, mode).map(({ text }) => text),
    singles: Object.fromEntries(
      singlesSaid.flatMap((kind) => {
        const text = policy.sentence(kind, tag)?.text;

        return text === undefined ? [] : [[kind, text]];
      }),
    ),
  };
}

/** What the purposes of a call ask of its caller, without those that are not configured. */
function consentOf(
  ids: readonly string[],
  purposes: Config['purposes'],
): Pick<PaperLine, 'mode' | 'modes' | 'askedCountries'> {
  const found = ids.flatMap((id) => {
    const purpose = purposeOf(purposes, id);

    return purpose === undefined ? [] : [{ id, ...purpose }];
  });
  const { mode } = consentFor(found, undefined);
  const countries = new Set(found.flatMap(({ optInForCountries }) => optInForCountries));

  return { mode, modes: possibleModes(found), askedCountries: mode === 'optIn' ? [] : [...countries] };
}

function lineOf(
  name: string,
  line: Config['lines'][string],
  { purposes, staff }: { purposes: Config['purposes']; staff: readonly string[] },
  policy: Policy,
): PaperLine {
  const consent = consentOf(line.purposes, purposes);

  return {
    name,
    purposes: line.purposes,
    ...consent,
    codes: codesOf(line),
    agreementFor: line.codes?.agreement?.purpose ?? null,
    records: line.records,
    newcomers: line.newcomers,
    internalCalls: line.internalCalls,
    names: line.names ?? null,
    hasStaff: (line.staff ?? staff).length > 0,
    calledParty: line.calledParty,
    pauseSeconds: line.pauseSeconds ?? null,
    spoken: Object.fromEntries(
      paperLanguages.flatMap((language) => {
        const spoken = spokenTo(language, { purposes: line.purposes, mode: consent.mode }, policy);

        return spoken === undefined ? [] : [[language, spoken]];
      }),
    ),
  };
}

/** The keys of a question, which every language of the notice has alike. */
function keysOf(modes: readonly ConsentMode[], policy: Policy): PaperFacts['keys'] {
  const [language = ''] = policy.languages;
  const optOut = modes.includes('optOut') ? policy.sentence('optOut', language)?.keys?.refuse : undefined;
  const { accept, refuse } = (modes.includes('optIn') ? policy.sentence('optIn', language)?.keys : undefined) ?? {};

  return {
    optOut: optOut === undefined ? null : { refuse: optOut },
    optIn: accept === undefined || refuse === undefined ? null : { accept, refuse },
  };
}

type OfLines = Pick<PaperPurpose, 'choices' | 'askedCountries' | 'onlyOnceMarked'>;

/** What the lines make of a purpose; of one that no line has, what it says by itself. */
function onLines(id: string, lines: readonly PaperLine[], purposes: Config['purposes']): OfLines {
  const having = lines.filter((line) => line.purposes.includes(id));
  const all = having.length === 0 ? [consentOf([id], purposes)] : having;
  const [first, ...others] = all.filter(({ mode }) => mode !== 'optIn');

  return {
    choices: [...new Set(all.map(({ mode }) => mode))],
    askedCountries: (first?.askedCountries ?? []).filter((country) =>
      others.every(({ askedCountries }) => askedCountries.includes(country)),
    ),
    onlyOnceMarked: having.length > 0 && having.every(({ agreementFor }) => agreementFor === id),
  };
}

/** A number to give as an example, rather than a pattern of many. */
function exampleOf({ numbers, dialled }: Config['neverRecorded']): string | null {
  const all = [...numbers, ...dialled];

  return all.find((number) => /^[0-9]+$/.test(number)) ?? all[0]?.replace(/^_/, '') ?? null;
}

/**
 * @param subject who is responsible for which purposes and lines
 * @param setting what all of them share
 * @param at the key of the configuration below which the controller stands
 */
export function paperFacts(
  subject: ProcessingSubject,
  setting: PaperSetting,
  policy: Policy,
  at = 'controller',
): PaperFacts {
  const processing = processingFacts(subject, setting, at);
  const lines = Object.entries(subject.lines).map(([name, line]) =>
    lineOf(name, line, { purposes: subject.purposes, staff: setting.staff.extensions }, policy),
  );
  // A dialplan may ask for a purpose that no line has.
  const alone = processing.purposes.filter((purpose) => purpose.lines.length === 0);
  const consents = [...lines, ...alone.map(({ id }) => consentOf([id], subject.purposes))];
  const modes = [...new Set(consents.flatMap((each) => each.modes))];
  const mayRefuse = modes.some((mode) => mode !== 'announce');

  return {
    ...processing,
    purposes: processing.purposes.map((purpose) => ({
      ...purpose,
      grounds: groundsOf(wordingsOf(purpose.legalBasis).join('; ')),
      ...onLines(purpose.id, lines, subject.purposes),
    })),
    lines,
    modes,
    jurisdictions: [...new Set(processing.purposes.map(({ jurisdiction }) => jurisdiction))],
    keys: keysOf(modes, policy),
    featureCode: mayRefuse ? setting.consent.featureCode : null,
    waitSeconds: setting.consent.waitSeconds,
    maximumMinutes: setting.recording.maximumMinutes,
    timezone: setting.schedule.timezone,
    neverRecorded: exampleOf(setting.neverRecorded),
    hasStaff: lines.every(({ hasStaff }) => hasStaff),
    policyVersion: policy.version,
  };
}

/** By which two papers show that they were made from the same facts. */
export const hashOfFacts = (facts: PaperFacts): string => sha256Of(JSON.stringify(facts));
