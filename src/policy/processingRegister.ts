import { counted } from '../core/text/counted.ts';
import { inLanguage } from '../core/text/inLanguage.ts';
import { markdownBullets, markdownFacts, markdownLine } from '../core/text/markdown.ts';
import type { ConsentMode } from '../config/consent.ts';
import type { Jurisdiction } from '../config/law.ts';
import type { PurposeLock } from '../config/objectLockModes.ts';
import { nameOfLine } from '../config/purposeRules.ts';
import type { Config } from '../config/schema.ts';
import { processingFacts, type ProcessingFacts, type ProcessingPurpose } from './processingFacts.ts';

/** The register of processing (GDPR art. 30), made from the configuration: one activity a purpose. */
export type ProcessingRegister = {
  register: 1;
  printedAt: string;
  controller: { name: string | null; contact: string | null; dataProtectionOfficer: string | null };
  activities: readonly ProcessingActivity[];
  /** What is kept of every call beyond the time limits of the activities. */
  trace: string;
  /** Art. 32, in general terms. */
  measures: readonly string[];
  /** Keys of the configuration that a complete register needs and that are not set. */
  missing: readonly string[];
};

type ProcessingActivity = {
  purpose: string;
  names: Readonly<Record<string, string>>;
  justification: string;
  legalBasis: string;
  jurisdiction: Jurisdiction;
  consent: { mode: ConsentMode; optInForCountries: readonly string[] };
  lines: readonly string[];
  /** What they are called, in the same order. */
  lineNames: readonly string[];
  persons: readonly string[];
  data: readonly string[];
  recipients: { roles: readonly string[]; others: readonly string[] };
  transfers: string | null;
  storage: { keepDays: number; maximumDays: number | null; holdsAllowed: boolean; lock: PurposeLock };
  recordPercent: number;
  source: string | null;
  checkedByCounsel: boolean;
};

const persons = [
  'Callers',
  'Those who are called, where a line tells them',
  'The people of the company who answer or make the calls',
];

const data = [
  'What is said in the call from the moment it is answered: voices and content',
  'Time and length of the call, line, language of the notice and what decided it',
  'The sentences of the notice that were played, when, and the key by which who was told accepted or refused',
];

/** `kept`: what else is kept of whose call it was. */
const trace = (traceDays: number, kept: string): string =>
  'So that each telling and each erasure can be proved, the catalogue keeps of every call, recorded or not, and beyond the end of ' +
  'its recording: ids, times, line, purposes, languages, the sentences that were played, the answer of who was told with its key, ' +
  `holds and transfers, the length and SHA-256 of the recording. No name and no voice. Of a call without a recording it is erased ${counted(traceDays, 'day')} ` +
  `after its begin; of a recorded call it is not erased yet. ${kept}`;

function keptOfCallers({ callers, shorterWithinDays }: ProcessingFacts): string {
  if (callers.kind === 'nothing') return 'Nothing is kept of the number of the caller, nor of who was called.';
  const number = callers.kind === 'hash' ? '' : ', and the number itself, encrypted';

  return (
    `Whose call it was is kept as a keyed hash of the number${number}, to answer requests of persons: as long as the recording, ` +
    `and where there is none for ${counted(callers.callerDays, 'day')}.` +
    (shorterWithinDays === 0
      ? ''
      : ` By that hash, who heard the whole notice within ${counted(shorterWithinDays, 'day')} hears a shorter one.`)
  );
}

function dataOf({ callers, keepsExtensions, dialledDays }: ProcessingFacts): string[] {
  const ofCall = [
    ...data,
    ...(keepsExtensions ? ['Which telephone of the company answered the call, or dialled it'] : []),
    ...(dialledDays === 0
      ? []
      : [
          `Which number of the company a caller dialled, for ${counted(dialledDays, 'day')} after the begin of the call, and no longer than its recording`,
        ]),
  ];
  if (callers.kind === 'nothing') return ofCall;
  const caller =
    callers.kind === 'hash'
      ? 'A keyed hash of the telephone number of the caller, or of who was called'
      : 'A keyed hash of the telephone number of the caller, or of who was called, and that number, encrypted';
  const remembered =
    'A keyed hash of the telephone number of somebody who chose a language by a key, with that language, for ' +
    `${counted(callers.preferenceDays, 'day')} after the last choice`;

  return [...ofCall, caller, remembered];
}

const encryptionWords: Readonly<Record<ProcessingFacts['archive']['encryption'], string>> = {
  none: 'Recordings are not encrypted in the archive by the program.',
  server: 'Recordings are encrypted in the archive by the object store, which keeps the keys.',
  client: 'Recordings are encrypted by the program before they leave this machine, each with a key of its own.',
};

/** What locks and holds do, where a purpose has them. */
function keptLonger({ purposes }: ProcessingFacts): string[] {
  const locked = purposes.flatMap(({ id, lock }) => (lock === 'none' ? [] : [`${id} (${lock})`]));
  const disputed = purposes.filter(({ holdsAllowed }) => holdsAllowed).map(({ id }) => id);
  const dispute = disputed.length === 0 ? '' : `, a dispute (${disputed.join(', ')})`;

  return [
    ...(locked.length === 0
      ? []
      : [
          `The store locks recordings until the end of these purposes, so that they cannot be erased earlier: ${locked.join(', ')}.`,
        ]),
    `A hold keeps a single recording beyond its end, with its ground, author and last day: the request of an authority${dispute}, ` +
      'or of the person concerned (GDPR art. 18).',
  ];
}

/** Art. 32, in general terms. */
export function measuresOf(facts: ProcessingFacts): string[] {
  const { place, tls, encryption } = facts.archive;
  const archive = place === 'bucket' ? 'the bucket' : 'the archive folder';
  const transport = tls ? 'encrypted connections (TLS)' : 'connections that are not encrypted';

  return [
    'Nothing is recorded before the whole notice was played to the caller, or to who was called, which is checked for each sentence.',
    'Recordings are checked by their SHA-256 against the archive before the local file is removed.',
    place === 'bucket'
      ? `The archive is an object store, reached over ${transport}.`
      : 'The archive is a folder that only the account of the service needs to read.',
    encryptionWords[encryption],
    'Until they are archived, recordings lie in the recording folder as Asterisk writes them, not encrypted by the program.',
    ...keptLonger(facts),
    'Names of files and objects hold no personal data; telephone numbers are kept out of logs.',
    'Every step of a recording is noted in a history that cannot be changed.',
    'A scheduled job erases recordings whose time is over, in every version, checks that none is left, and signs a certificate.',
    'A call for several purposes is recorded under the strictest consent among them.',
    'Each purpose has its own end. The program hands a recording out for a purpose of its call only, and only until the ' +
      'end of that purpose; a recording is erased when its last purpose ends. Each handing out and each refusal is noted ' +
      'with the purpose and the account that asked.',
    'Users and tokens of the API hear a recording only if a purpose of it names their role, until the end of that purpose. ' +
      'Whoever runs the commands of the program on the machine is not asked for a role. ' +
      `Only the permissions of ${archive} and of the recording folder decide who can read recordings without the program, ` +
      'where the end of a purpose that is not the last opens and closes nothing.',
  ];
}

function activityOf(
  purpose: ProcessingPurpose,
  facts: ProcessingFacts,
  lines: Config['lines'],
  language: string,
): ProcessingActivity {
  const { controller } = facts;
  const { keepDays, maximumDays, holdsAllowed, lock } = purpose;

  return {
    purpose: purpose.id,
    names: purpose.names,
    justification: inLanguage(purpose.justification, language),
    legalBasis: inLanguage(purpose.legalBasis, language),
    jurisdiction: purpose.jurisdiction,
    consent: { mode: purpose.consent, optInForCountries: purpose.optInForCountries },
    lines: purpose.lines,
    lineNames: purpose.lines.map((line) => nameOfLine(lines, line, language)),
    persons,
    data: dataOf(facts),
    recipients: { roles: purpose.mayListen, others: controller.recipients },
    transfers: controller.transfers === null ? null : inLanguage(controller.transfers, language),
    storage: { keepDays, maximumDays, holdsAllowed, lock },
    recordPercent: purpose.recordPercent,
    source: purpose.source,
    checkedByCounsel: purpose.checkedByCounsel,
  };
}

/**
 * @param config with the lines and purposes of this controller alone (config/controllerView.ts)
 * @param at the key of the configuration below which the controller stands
 */
/**
 * @param config with the lines and purposes of this controller alone (config/controllerView.ts)
 * @param at the key of the configuration below which the controller stands
 * @param language of the texts of the company that it gives in several
 */
export function processingRegister(
  config: Config,
  printedAt: string,
  at = 'controller',
  language = 'en',
): ProcessingRegister {
  const facts = processingFacts(config, config, at);
  const { name, contact, dataProtectionOfficer } = facts.controller;

  return {
    register: 1,
    printedAt,
    controller: { name, contact, dataProtectionOfficer },
    activities: facts.purposes.map((purpose) => activityOf(purpose, facts, config.lines, language)),
    trace: trace(facts.traceDays, keptOfCallers(facts)),
    measures: measuresOf(facts),
    missing: facts.missing,
  };
}

const consentWords: Readonly<Record<ConsentMode, string>> = {
  announce: 'callers are told before',
  optOut: 'callers are told before and may refuse by a key, before and during the call',
  optIn: 'callers are asked before and recorded only if they accept by a key',
};

function activityMarkdown(activity: ProcessingActivity): string[] {
  const { consent, storage, recordPercent } = activity;
  const abroad =
    consent.optInForCountries.length === 0 || consent.mode === 'optIn'
      ? ''
      : `; with numbers of ${consent.optInForCountries.join(', ')}: ${consentWords.optIn}`;
  const most = storage.maximumDays === null ? '' : `, never more than ${counted(storage.maximumDays, 'day')}`;
  const holds = storage.holdsAllowed ? 'may keep a recording longer for a dispute' : 'not for a dispute';
  const rows: [string, string][] = [
    [
      'Names',
      Object.entries(activity.names)
        .map(([language, name]) => `${name} (${language})`)
        .join(', '),
    ],
    ['Purpose', activity.justification],
    ['Legal basis', `${activity.legalBasis} (jurisdiction: ${activity.jurisdiction})`],
    ['Consent', `${consentWords[consent.mode]}${abroad}`],
    [
      'Calls',
      `${recordPercent === 100 ? 'all' : `${recordPercent} %`} of the lines ${activity.lineNames.join(', ') || '-'}`,
    ],
    ['Categories of persons', activity.persons.join('; ')],
    ['Categories of data', activity.data.join('; ')],
    ['Who may listen', activity.recipients.roles.join(', ') || 'not stated'],
    ['Other recipients', activity.recipients.others.join('; ') || 'not stated'],
    ['Transfers outside the EEA', activity.transfers ?? 'not stated'],
    ['Time limit for erasure: recording and its receipt', `${counted(storage.keepDays, 'day')} after the call${most}`],
    ['Holds', `${holds}; for an authority or the person concerned they may`],
    [
      'Object Lock',
      storage.lock === 'none' ? 'none' : `${storage.lock}: not erased before its end, not on request either`,
    ],
    ['Time limit for erasure: the trace of the call', 'see below'],
    ['Source of these values', activity.source ?? 'not stated'],
    ['Checked by counsel', activity.checkedByCounsel ? 'yes' : 'not yet'],
  ];

  return [`## ${markdownLine(activity.purpose)}`, '', ...markdownFacts(rows), ''];
}

export function registerMarkdown(register: ProcessingRegister): string {
  const { controller, missing } = register;
  const lines = [
    '# Register of processing: recording of telephone calls',
    '',
    `GDPR art. 30. Printed ${register.printedAt}.`,
    '',
    ...(missing.length === 0 ? [] : [`**Not complete:** the configuration does not set ${missing.join(', ')}.`, '']),
    ...markdownFacts([
      ['Controller', controller.name ?? 'not stated'],
      ['Contact', controller.contact ?? 'not stated'],
      ['Data protection officer', controller.dataProtectionOfficer ?? 'not stated'],
    ]),
    '',
    ...register.activities.flatMap(activityMarkdown),
    '## The trace of a call',
    '',
    markdownLine(register.trace),
    '',
    '## Technical and organisational measures',
    '',
    ...markdownBullets(register.measures),
  ];

  return `${lines.join('\n')}\n`;
}
