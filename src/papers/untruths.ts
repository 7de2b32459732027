import { PreavisError } from '../core/errors.ts';
import type { PaperFacts, PaperLine, PaperPurpose } from './facts.ts';
import type { PaperLanguage } from './languages.ts';

/** What would make a paper untrue, or leave out what GDPR art. 13 asks for. Each names the key to set. */

const missingWords: Readonly<Record<string, (key: string) => string>> = {
  name: (key) => `who is responsible cannot be named: set ${key}`,
  contact: (key) => `nobody could be asked: set ${key}`,
  transfers: (key) =>
    `nothing says whether recordings leave the European Economic Area: set ${key}, "none" where they do not`,
  mayListen: (key) => `nobody is named who receives these recordings: set ${key}, or recipients of the controller`,
};

const noProcessor = 'the papers would name no recipient who runs this installation for the company: set processor.name';

const missingFault = (key: string): string =>
  key === 'processor.name' ? noProcessor : (missingWords[key.split('.').at(-1) ?? '']?.(key) ?? `set ${key}`);

function purposeFaults({ id, names, grounds, consent }: PaperPurpose, language: PaperLanguage): string[] {
  // A paper says "with your consent", and the caller was given no say.
  const unasked = grounds.length === 1 && grounds[0] === 'a' && consent !== 'optIn';
  const named = Object.keys(names).some((tag) => tag === language || tag.startsWith(`${language}_`));

  return [
    ...(named ? [] : [`the purpose ${id} has no name in this language: set purposes.${id}.names.${language}`]),
    ...(unasked
      ? [
          `the papers would say that callers consent to ${id} (art. 6(1)(a)), and nobody asks them: set purposes.${id}.consent to optIn, or name another basis in purposes.${id}.legalBasis`,
        ]
      : []),
  ];
}

function lineFaults({ name, calledParty }: PaperLine): string[] {
  return calledParty === 'untold'
    ? []
    : [
        `the papers say that nobody is recorded before they have heard the notice, and calls of the line ${name} record who is called without it: set lines.${name}.calledParty to untold`,
      ];
}

/** Every reason why papers in this language would not be true. */
export function untruths({ missing, purposes, lines }: PaperFacts, language: PaperLanguage): string[] {
  return [
    ...missing.map(missingFault),
    ...purposes.flatMap((purpose) => purposeFaults(purpose, language)),
    ...lines.flatMap(lineFaults),
  ];
}

/** Throws PreavisError `paper_untrue`, which names every key. */
export function refuseUntruths(facts: PaperFacts, languages: readonly PaperLanguage[]): void {
  const faults = new Set(languages.flatMap((language) => untruths(facts, language)));
  if (faults.size > 0) throw new PreavisError('paper_untrue', [...faults].join('; '));
}
