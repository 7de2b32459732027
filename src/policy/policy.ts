import { sha256Of } from '../core/crypto/sha256.ts';
import { PreavisError } from '../core/errors.ts';
import { isCountry, type CountryCode } from '../core/countries.ts';
import { makeNeverRecorded, type NeverRecorded } from './neverRecorded.ts';
import { missingSentences, noticeFaults } from './noticeRules.ts';
import { codeFaults, companyFaults, keepFaults } from './promises.ts';
import { spokenIn } from './spokenIn.ts';
import { didYouMean, nearest } from '../config/suggestion.ts';
import { possibleModes, type ConsentMode } from '../config/consent.ts';
import { matcherOf } from '../config/newcomers.ts';
import type { Prompt, PromptLibrary, SingleKind } from '../prompts/library.ts';
import type { Config } from '../config/schema.ts';
import type { LineConfig, PurposeConfig } from '../config/purposeSchema.ts';

/** Why we record. */
type Purpose = { id: string } & Readonly<PurposeConfig>;
/** A dialled number or dialplan entry, with its purposes and default languages. */
export type Line = { name: string } & Readonly<LineConfig>;

/** Those who work here and know that calls are recorded. */
export type Staff = {
  /** Whether this endpoint of Asterisk is one of them. */
  has: (endpoint: string) => boolean;
  /** Whether anybody is: without, nobody is known to be none. */
  isAnybody: boolean;
};

/** What the configuration and the prompts say together about who is told what, and how long it is kept. */
export type Policy = {
  /** Changes whenever purposes, lines or prompts change; each receipt names it. */
  version: string;
  purposes: ReadonlyMap<string, Purpose>;
  lines: ReadonlyMap<string, Line>;
  languages: readonly string[];
  defaultCountry: CountryCode;
  defaultTimeoutSeconds: number;
  maximumRecordingSeconds: number;
  neverRecorded: NeverRecorded;
  /** The sentences of the notice, in order; undefined when that language lacks one. */
  notice(purposes: readonly string[], language: string): readonly Prompt[] | undefined;
  /** The one sentence of this kind in a language. */
  sentence(kind: SingleKind, language: string): Prompt | undefined;
  /** A channel that has this language says nothing about its caller. */
  asteriskDefaultLanguage: string;
  /** How long a key is waited for after the languages were offered, ms. */
  choiceWaitMs: number;
  /** Whether who heard the whole notice lately may hear a shorter one. */
  shortens: boolean;
  /** Who works here, as far as calls of this line go; undefined for a line that is not known. */
  staffOf: (line: string | undefined) => Staff;
  consent: {
    /** How long a key is waited for after the question, ms. */
    waitMs: number;
    featureCode: string;
  };
};

function versionOf(config: Config, library: PromptLibrary): string {
  const content = JSON.stringify([
    config.purposes,
    config.lines,
    config.notice.languages,
    config.consent,
    library.prompts,
    // So that a configuration of before keeps its version.
    ...(config.notice.shorterWithinDays === 0 ? [] : [config.notice.shorterWithinDays]),
  ]);

  return sha256Of(content).slice(0, 16);
}

function lineFaults(line: Line, policy: Policy, library: PromptLibrary): string[] {
  const faults: string[] = [];
  const at = `lines.${line.name}`;
  if (new Set(line.purposes).size < line.purposes.length) faults.push(`${at}.purposes: names a purpose twice`);
  if (new Set(line.defaultLanguages).size < line.defaultLanguages.length) {
    faults.push(`${at}.defaultLanguages: names a language twice`);
  }
  for (const id of line.purposes) {
    if (policy.purposes.has(id)) continue;
    const meant = didYouMean(nearest(id, [...policy.purposes.keys()]));
    faults.push(`${at}.purposes: there is no purpose ${id}${meant === '' ? '' : ` (${meant})`}`);
  }
  for (const language of [...line.defaultLanguages, ...(line.language === undefined ? [] : [line.language])]) {
    if (!policy.languages.includes(language)) {
      faults.push(`${at}: the language ${language} is not one of notice.languages`);
    }
  }
  const purposes = purposesOf(line, policy);
  // A purpose that is not there has no notice either.
  if (purposes.length < line.purposes.length) return faults;
  const without = new Map<string, string[]>();
  for (const language of policy.languages) {
    const notice = policy.notice(line.purposes, language);
    if (notice === undefined) {
      const missing = missingSentences(library.prompts, line.purposes, language);
      without.set(missing, [...(without.get(missing) ?? []), language]);
    } else faults.push(...noticeFaults(notice, purposes, line.records).map((fault) => `${at}: ${fault}`));
  }
  for (const [missing, languages] of without) {
    faults.push(`${at}: there is no notice for ${line.purposes.join(' and ')} in ${languages.join(', ')}: ${missing}`);
  }

  return faults;
}

/** A dialplan may ask for a purpose that no line has; its notice must be as true as that of a line. */
function purposeNoticeFaults(policy: Policy): string[] {
  return [...policy.purposes.values()].flatMap((purpose) =>
    policy.languages.flatMap((language) => {
      const notice = policy.notice([purpose.id], language);
      if (notice === undefined) return [];

      return noticeFaults(notice, [purpose]).map((fault) => `purposes.${purpose.id}: ${fault}`);
    }),
  );
}

/** Without staff there is nobody inside. */
function staffFaults({ staff, lines }: Config): string[] {
  const inside = Object.entries(lines).filter(
    ([, line]) => line.newcomers === 'inside' && (line.staff ?? staff.extensions).length === 0,
  );

  return inside.map(([name, line]) => {
    const list = line.staff === undefined ? 'staff.extensions' : 'staff of the line';

    return `lines.${name}.newcomers: inside needs ${list}, which is empty`;
  });
}

/** The staff of each line: its own, or else that of all. */
function staffByLine({ staff, lines }: Config): Policy['staffOf'] {
  const staffIn = (extensions: readonly string[]): Staff => ({
    has: matcherOf(extensions),
    isAnybody: extensions.length > 0,
  });
  const ofAll = staffIn(staff.extensions);
  const own = new Map(
    Object.entries(lines).flatMap(([name, line]) => (line.staff === undefined ? [] : [[name, staffIn(line.staff)]])),
  );

  return (line) => (line === undefined ? ofAll : (own.get(line) ?? ofAll));
}

/** Who is to hear a shorter notice hears it in their language. */
function againFaults({ notice }: Config, library: PromptLibrary): string[] {
  const missing = notice.languages.filter((language) => library.single('again', language) === undefined);

  return notice.shorterWithinDays === 0 || missing.length === 0
    ? []
    : [`notice.shorterWithinDays: there is no again sentence in ${missing.join(', ')}`];
}

const sentencesHint =
  'Correct the key or the sentence that is named: docs/config.md lists every key, and sounds/README.md says how prompts.yaml has its sentences.';

/** Joins configuration and prompts. Throws config_invalid with every contradiction. */
export function makePolicy(config: Config, library: PromptLibrary): Policy {
  const { defaultCountry } = config.notice;
  if (!isCountry(defaultCountry)) {
    throw new PreavisError('config_invalid', `notice.defaultCountry: ${defaultCountry} is not a country`);
  }
  const policy: Policy = {
    version: versionOf(config, library),
    purposes: new Map(Object.entries(config.purposes).map(([id, purpose]) => [id, { id, ...purpose }])),
    lines: new Map(Object.entries(config.lines).map(([name, line]) => [name, { name, ...line }])),
    languages: config.notice.languages,
    defaultCountry,
    defaultTimeoutSeconds: config.dialling.timeoutSeconds,
    maximumRecordingSeconds: config.recording.maximumMinutes * 60,
    neverRecorded: makeNeverRecorded(config.neverRecorded),
    notice: (purposes, language) => library.noticeFor(purposes, language),
    sentence: (kind, language) => library.single(kind, language),
    asteriskDefaultLanguage: config.notice.asteriskDefaultLanguage,
    choiceWaitMs: config.notice.choiceSeconds * 1_000,
    shortens: config.notice.shorterWithinDays > 0,
    staffOf: staffByLine(config),
    consent: { waitMs: config.consent.waitSeconds * 1_000, featureCode: config.consent.featureCode },
  };
  const faults = [
    ...[...policy.lines.values()].flatMap((line) => lineFaults(line, policy, library)),
    ...[...policy.lines.values()].flatMap((line) => consentFaults(line, policy)),
    ...purposeNoticeFaults(policy),
    ...staffFaults(config),
    ...againFaults(config, library),
    ...keepFaults(policy.purposes, library.prompts),
    ...codeFaults(config.consent.featureCode, library.prompts),
    ...companyFaults(config.lines, library.prompts),
  ];
  if (faults.length > 0) throw new PreavisError('config_invalid', faults.join('; '), { hint: sentencesHint });

  return policy;
}

/** The sentences that a mode of consent needs besides the notice. */
export function consentKinds(mode: ConsentMode): readonly SingleKind[] {
  switch (mode) {
    case 'announce':
      return [];
    case 'optOut':
      return ['optOut', 'optOutAck', 'erasedAck'];
    case 'optIn':
      return ['optIn', 'optInAck', 'noAnswer', 'optOutAck', 'erasedAck'];
  }
}

/**
 * What a caller hears in these languages who is turned away, as Playback() takes it: found in the folder of its language, whatever that of the
 * channel is.
 */
export function turnedAwaySounds(policy: Pick<Policy, 'sentence'>, languages: readonly string[]): string[] {
  return languages.flatMap((language) => {
    const prompt = policy.sentence('turnedAway', language);

    return prompt === undefined ? [] : [`${prompt.language}/${prompt.soundName}`];
  });
}

/** Whether a caller who cannot be recorded for these purposes is turned away. */
export function turnsAway(purposes: readonly Pick<PurposeConfig, 'whenUnrecordable'>[]): boolean {
  return purposes.some(({ whenUnrecordable }) => whenUnrecordable === 'turnAway');
}

/** Those of a line that are configured. */
export const purposesOf = (line: Pick<Line, 'purposes'>, { purposes }: Pick<Policy, 'purposes'>): Purpose[] =>
  line.purposes.flatMap((id) => purposes.get(id) ?? []);

/** Every mode of consent that calls on this line can have. */
export function modesOf(line: Line, policy: Pick<Policy, 'purposes'>): ConsentMode[] {
  const purposes = purposesOf(line, policy);

  // A line whose purposes are all unknown is refused by lineFaults.
  return purposes.length === 0 ? [] : possibleModes(purposes);
}

/** The kinds of single sentences that calls on this line can need. */
function kindsOf(line: Line, policy: Policy): SingleKind[] {
  return [
    ...modesOf(line, policy).flatMap(consentKinds),
    ...(policy.shortens ? (['again'] as const) : []),
    ...(line.askLanguage ? (['chooseLanguage'] as const) : []),
    ...(turnsAway(purposesOf(line, policy)) ? (['turnedAway'] as const) : []),
    ...(line.codes?.pause === undefined && line.records === 'always' ? [] : (['paused', 'resumed'] as const)),
    ...(line.codes?.erase === undefined ? [] : (['erasedAck'] as const)),
  ];
}

/** What is asked must be there in every language, and the same key must mean the same in all of them. */
function consentFaults(line: Line, policy: Policy): string[] {
  const faults: string[] = [];
  for (const kind of new Set(kindsOf(line, policy))) {
    // Of all lines, and it asks for no key: againFaults.
    if (kind === 'again') continue;
    const prompts = policy.languages.flatMap((language) => policy.sentence(kind, language) ?? []);
    const missing = policy.languages.filter((language) => policy.sentence(kind, language) === undefined);
    if (missing.length > 0) faults.push(`lines.${line.name}: there is no ${kind} sentence in ${missing.join(', ')}`);
    const keys = prompts.map((prompt) => JSON.stringify(prompt.keys));
    const same = new Set(keys).size === 1;
    if (kind === 'chooseLanguage' ? new Set(keys).size !== keys.length : keys.length > 0 && !same) {
      faults.push(`lines.${line.name}: the keys of the ${kind} sentences contradict each other`);
    }
  }

  return faults;
}

/** Every prompt that a call under this policy can need, once each. */
export function neededPrompts(policy: Policy): Prompt[] {
  const needed = new Map<string, Prompt>();
  for (const line of policy.lines.values()) {
    for (const language of policy.languages) {
      const single = kindsOf(line, policy).flatMap((kind) => policy.sentence(kind, language) ?? []);
      const spoken = modesOf(line, policy).flatMap((mode) => spokenIn(policy, line.purposes, language, mode));
      for (const prompt of [...spoken, ...single]) {
        needed.set(prompt.soundName + language, prompt);
      }
    }
  }

  return [...needed.values()];
}
