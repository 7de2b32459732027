import { createHash } from 'node:crypto';
import { isSupportedCountry, type CountryCode } from 'libphonenumber-js/max';
import { PreavisError } from '../core/errors.ts';
import { noticeFaults } from './noticeRules.ts';
import type { Prompt, PromptLibrary } from './prompts.ts';
import type { Config, LineConfig, PurposeConfig } from './schema.ts';

/** Why we record. */
export type Purpose = { id: string } & Readonly<PurposeConfig>;
/** A dialled number or dialplan entry, with its purposes and default languages. */
export type Line = { name: string } & Readonly<LineConfig>;

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
  /** The sentences of the notice, in order; undefined when that language lacks one. */
  notice(purposes: readonly string[], language: string): readonly Prompt[] | undefined;
};

function versionOf(config: Config, library: PromptLibrary): string {
  const content = JSON.stringify([
    config.purposes,
    config.lines,
    config.notice.languages,
    library.prompts.map((prompt) => [prompt.language, prompt.id, prompt.text, prompt.sha256]),
  ]);

  return createHash('sha256').update(content).digest('hex').slice(0, 16);
}

function lineFaults(line: Line, policy: Policy): string[] {
  const faults: string[] = [];
  const at = `lines.${line.name}`;
  if (new Set(line.purposes).size < line.purposes.length) faults.push(`${at}.purposes: names a purpose twice`);
  if (new Set(line.defaultLanguages).size < line.defaultLanguages.length) {
    faults.push(`${at}.defaultLanguages: names a language twice`);
  }
  for (const id of line.purposes) {
    if (!policy.purposes.has(id)) faults.push(`${at}.purposes: there is no purpose ${id}`);
  }
  for (const language of [...line.defaultLanguages, ...(line.language === undefined ? [] : [line.language])]) {
    if (!policy.languages.includes(language)) {
      faults.push(`${at}: the language ${language} is not one of notice.languages`);
    }
  }
  const purposes = line.purposes.flatMap((id) => policy.purposes.get(id) ?? []);
  for (const language of policy.languages) {
    const notice = policy.notice(line.purposes, language);
    if (notice === undefined) {
      faults.push(`${at}: there is no notice for ${line.purposes.join(' and ')} in ${language}`);
    } else faults.push(...noticeFaults(notice, purposes).map((fault) => `${at}: ${fault}`));
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

/** A purpose is never kept longer than a sentence of its notice promises. */
function keepFaults(policy: Policy, library: PromptLibrary): string[] {
  return library.prompts.flatMap((prompt) =>
    Object.entries(prompt.statesMaxDays ?? {}).flatMap(([id, days]) => {
      const purpose = policy.purposes.get(id);
      if (purpose === undefined || days === null || purpose.keepDays <= days) return [];
      return [
        `purposes.${id}.keepDays: ${purpose.keepDays} days is longer than prompt ${prompt.id} (${prompt.language}) says (${days})`,
      ];
    }),
  );
}

/** Joins configuration and prompts. Throws config_invalid with every contradiction. */
export function makePolicy(config: Config, library: PromptLibrary): Policy {
  const { defaultCountry } = config.notice;
  if (!isSupportedCountry(defaultCountry)) {
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
    notice: (purposes, language) => library.noticeFor(purposes, language),
  };
  const faults = [
    ...[...policy.lines.values()].flatMap((line) => lineFaults(line, policy)),
    ...purposeNoticeFaults(policy),
    ...keepFaults(policy, library),
  ];
  if (faults.length > 0) throw new PreavisError('config_invalid', faults.join('; '));

  return policy;
}

/** Every prompt that a call under this policy can need, once each. */
export function neededPrompts(policy: Policy): Prompt[] {
  const needed = new Map<string, Prompt>();
  for (const line of policy.lines.values()) {
    for (const language of policy.languages) {
      for (const prompt of policy.notice(line.purposes, language) ?? [])
        needed.set(prompt.soundName + language, prompt);
    }
  }

  return [...needed.values()];
}
