import * as z from 'zod';
import { access, accessFaults } from './accessSchema.ts';
import { annotation, collectionFaults } from './annotationSchema.ts';
import { archive } from './archiveSchema.ts';
import { catalogue, catalogueFaults } from './catalogueSchema.ts';
import { controller, controllerFaults, controllers, processor } from './controllerSchema.ts';
import { encryptionFaults } from './encryptionKey.ts';
import { key, name, quoted, seconds, section } from './field.ts';
import { codeFaults, codeRuleFaults } from './codes.ts';
import { numberPatternFault } from './numberPatterns.ts';
import { lineLawFaults, lineMixFaults, purposeFaults, purposeOf, wordingFaults, type Fault } from './purposeRules.ts';
import { languageTag } from './localText.ts';
import { days, endpoints, line, purpose } from './purposeSchema.ts';
import { webhook, webhookFaults } from './webhookSchema.ts';
import { web, webFaults } from './webSchema.ts';
import { workerNames } from './workerNames.ts';

/**
 * Every key of the configuration, with its default, unit and one sentence. docs/config.md and config/preavis.yaml are
 * checked against this file by a test; unknown keys are errors.
 */

export const sameKeyFault = 'must be another key than hashKey';

export const pinFault = 'is not 6 to 20 digits, or is one that anybody would try first';

/** Not one digit again and again, and not 123456, 987654 and the like. */
export function isGoodPin(pin: string): boolean {
  if (!/^[0-9]{6,20}$/.test(pin)) return false;
  const digits = Array.from(pin, Number);
  const steps = new Set(digits.slice(1).map((digit, index) => (digit - (digits[index] ?? 0) + 10) % 10));

  return steps.size > 1 || ![0, 1, 9].some((step) => steps.has(step));
}

const numberPatterns = z.array(quoted('112', numberPatternFault)).max(100);

const shape = z.strictObject({
  ari: section({
    url: key(
      z
        .url({ protocol: /^https?$/, error: 'is not an address such as http://127.0.0.1:8088' })
        .default('http://127.0.0.1:8088'),
      "Address of Asterisk's HTTP server.",
    ),
    username: key(z.string().min(1).default('preavis'), 'User of ari.conf; it must not be read-only.'),
    password: key(z.string().min(1).optional(), 'Its password; better given by the environment or a file.', {
      secret: true,
    }),
    passwordFile: key(z.string().min(1).optional(), 'File that holds the password in its first line.'),
    application: key(
      z
        .string()
        .regex(/^[A-Za-z0-9_-]{1,40}$/, 'is not a name of letters, digits, _ and -')
        .default('preavis'),
      'Stasis application name, as in the dialplan.',
    ),
    pbx: key(
      name.optional(),
      'Name of this Asterisk where there are several, such as brussels: it stands in each call, receipt, message, log line and metric. Needed with catalogue.store: postgres.',
    ),
    worker: key(
      z.enum(workerNames).optional(),
      'Which of two workers this serve is, a or b, where two serve one Asterisk: each has an application of its own, as preavis-a (docs/operations/workers.md). Best given as PREAVIS_ARI_WORKER, since the rest of the file is the same for both.',
    ),
    requestTimeoutMs: key(z.int().min(100).max(60_000).default(5_000), 'Time limit of one request to Asterisk.', {
      unit: 'ms',
    }),
    heartbeatMs: key(
      z.int().min(100).max(60_000).default(4_000),
      'Interval of the ping on the event socket; a socket without an answer for two intervals is replaced.',
      { unit: 'ms' },
    ),
  }),
  notice: section({
    soundsFolder: key(
      z.string().min(1).optional(),
      'Folder with prompts.yaml and the sound files; default: the one that comes with Préavis.',
    ),
    languages: key(
      z.array(languageTag).min(1).default(['fr', 'nl', 'de', 'en']),
      'The languages the notice is offered in; every prompt must be on Asterisk in each of them.',
    ),
    defaultCountry: key(
      z
        .string()
        .regex(/^[A-Z]{2}$/, 'is not a country such as BE')
        .default('BE'),
      'Country of caller numbers that arrive without a country code.',
    ),
    asteriskDefaultLanguage: key(
      languageTag.default('en'),
      "Asterisk's defaultlanguage (asterisk.conf): a channel that has it says nothing about its caller.",
    ),
    choiceSeconds: key(seconds(1, 30).default(4), 'How long a key is waited for after the languages were offered.', {
      unit: 's',
    }),
    shorterWithinDays: key(
      z.int().min(0).max(90).default(0),
      'Within how long after a whole notice a caller hears the sentence `again` in its place, where the law allows; 0: never. It needs privacy.hashKey: by the number, which several persons may have.',
      { unit: 'days' },
    ),
  }),
  promptRecording: section({
    pin: key(
      z.string('must be six digits or more in quotes, such as "904173"').refine(isGoodPin, pinFault).optional(),
      'PIN for recording prompts by telephone, 6 to 20 digits; without one nobody can.',
      { secret: true },
    ),
    pinFile: key(z.string().min(1).optional(), 'File that holds it in its first line.'),
    maximumSeconds: key(seconds(5, 120).default(30), 'The longest that one sentence may take to be spoken.', {
      unit: 's',
    }),
  }),
  consent: section({
    waitSeconds: key(seconds(1, 60).default(5), 'How long a key is waited for after the question; silence is a no.', {
      unit: 's',
    }),
    featureCode: key(
      z
        .string()
        .regex(/^[0-9*#]{2,6}$/, 'is not two to six keys')
        .default('*9'),
      'What a caller presses during the talk to stop the recording and have it removed, where they may refuse.',
    ),
  }),
  privacy: section({
    hashKey: key(
      z.string().min(32, 'needs at least 32 characters').optional(),
      'Key of the hashes that stand for callers; without it no choice of language is remembered, and no call is found by a number.',
      { secret: true },
    ),
    hashKeyFile: key(z.string().min(1).optional(), 'File that holds it in its first line.'),
    numberKey: key(
      z.string().min(32, 'needs at least 32 characters').optional(),
      "Key that encrypts callers' numbers, another than hashKey; without it only their hash is kept, and an export cannot show them.",
      { secret: true },
    ),
    numberKeyFile: key(z.string().min(1).optional(), 'File that holds it in its first line.'),
    callerDays: key(
      days.default(90),
      'How long it is kept whose call it was, where there is no recording; else as long as the recording. Only with hashKey.',
      { unit: 'days' },
    ),
    traceDays: key(
      z.int().min(1).max(3_653).default(395),
      'How long the trace of a call without a recording is kept: times, line, purposes, sentences, answer; not shorter than callerDays. That of a recorded call is not erased.',
      { unit: 'days' },
    ),
    keepExtensions: key(
      z.boolean().default(false),
      'Whether it is kept which of staff.extensions answered a call, or dialled it: calls are found by it, an employee is answered by it (docs/operations/data-subjects.md), and a team sees its own (docs/access.md). Kept as long as whose call it was.',
    ),
    dialledDays: key(
      z.int().min(0).max(3_653).default(0),
      'How long it is kept which of your numbers the caller of an incoming call dialled, from its begin; never longer than its recording. Calls are found by it. 0: it is not kept, and what was kept goes with the next retention run.',
      { unit: 'days' },
    ),
    preferenceDays: key(
      z.int().min(1).max(1_095).default(365),
      'How long the language that a caller chose is remembered.',
      { unit: 'days' },
    ),
  }),
  controller,
  controllers: key(
    controllers.default({}),
    'Companies that this installation records for, each responsible for its own lines (lines.<name>.controller), by name.',
  ),
  processor,
  purposeFiles: key(
    z.array(z.string().min(1)).default([]),
    'Files with purposes, later ones over earlier ones and purposes over all: a shipped name such as be, or a path from this file.',
  ),
  purposes: key(
    z.record(name, purpose).refine((all) => Object.keys(all).length > 0, 'needs at least one purpose'),
    'The purposes of recording, by name.',
  ),
  lines: key(z.record(name, line), 'The lines, by the name that the dialplan gives as line=.').refine(
    (all) => 'default' in all,
    'needs a line named default',
  ),
  staff: section({
    extensions: key(
      endpoints.default([]),
      'The endpoints of those who work here and know that calls are recorded: names, beginnings of names such as acme-*, or patterns as in extensions.conf. lines.<name>.staff takes its place.',
    ),
  }),
  neverRecorded: section({
    numbers: key(
      numberPatterns.default(['112', '_116XXX']),
      'Numbers, or patterns as in extensions.conf, that are neither told nor recorded nor kept waiting, whoever of the two has them.',
    ),
    dialled: key(
      numberPatterns.default(['100', '101', '102', '103', '106', '107', '108', '110']),
      'The same for numbers that an extension of the house may have as well: they count only where they are dialled out. Default: those of Belgium.',
    ),
  }),
  dialling: section({
    timeoutSeconds: key(
      seconds(1, 600).default(30),
      'How long the destination rings when the dialplan gives no timeout=.',
      { unit: 's' },
    ),
  }),
  recording: section({
    spool: key(
      z.enum(['shared', 'collected']).default('shared'),
      'How recordings come from Asterisk: in a folder that Préavis shares with it, or collected over ARI from another machine (docs/deployment.md).',
    ),
    spoolFolder: key(
      z.string().min(1).default('/var/spool/asterisk/recording'),
      'Folder where Asterisk puts recordings, as seen from this machine. With spool: collected a folder of Préavis alone.',
    ),
    minimumFreeMib: key(
      z.int().min(0).default(500),
      'With less free space there, new calls are not recorded. With less than a fifth of it, running recordings are stopped. The calls themselves continue.',
      { unit: 'MiB' },
    ),
    maximumMinutes: key(z.int().min(1).max(1_440).default(240), 'A recording is stopped after this time.', {
      unit: 'minutes',
    }),
    unwatchedSeconds: key(
      seconds(5, 600).default(30),
      'How long recorders may run while Préavis is dead, hangs, or is cut off from Asterisk: then Asterisk ends them, and the calls go on. From 5 to 600.',
      { unit: 's' },
    ),
  }),
  catalogue,
  archive,
  witness: section({
    celFile: key(
      z.string().min(1).optional(),
      "The CSV file in which Asterisk's CEL logs each sound that it plays, as seen from this machine; without it there is no second witness.",
    ),
    waitSeconds: key(
      seconds(1, 300).default(5),
      'How long after a call missing lines are waited for; longer where the file is on a network folder.',
      { unit: 's' },
    ),
  }),
  evidence: section({
    signingKeyFile: key(
      z.string().min(1).optional(),
      'The Ed25519 key (PEM) that signs certificates of erasure and evidence; made when there is none. Default: signing-key.pem beside the catalogue.',
    ),
    trustedKeys: key(
      z.array(z.string().regex(/^[A-Za-z0-9_-]{43}$/, 'is not the kid of a key')).default([]),
      'The kids of earlier signing keys, whose certificates still count; `preavis evidence key` prints that of the key in use.',
    ),
    ledgerFile: key(
      z.string().min(1).optional(),
      'The ledger of erasures, to be backed up apart from the catalogue. Default: erasures.jsonl beside the catalogue.',
    ),
    certificateDays: key(z.int().min(365).max(36_530).default(3_653), 'How long certificates of erasure are kept.', {
      unit: 'days',
    }),
    timestampUrl: key(
      z.url({ protocol: /^https?$/, error: 'is not an address such as https://tsa.example/tsr' }).optional(),
      'Address of a time-stamping authority (RFC 3161) that stamps each bundle of evidence; without one bundles have no time stamp.',
    ),
    timestampAuthorityFile: key(
      z.string().min(1).optional(),
      'The root certificates of that authority (PEM). A time stamp that they do not bear out is refused, and no bundle is made; needs the program openssl.',
    ),
  }),
  webhooks: key(z.record(name, webhook).default({}), 'Who is told of what becomes of recordings, by name.'),
  access,
  annotation,
  schedule: section({
    timezone: key(
      z.string().min(1).default('Europe/Brussels'),
      'Time zone of the lines below. Of an hour that comes twice in autumn only one counts: uploads rest for the other.',
    ),
    upload: key(z.string().default('* * * * *'), 'When finished recordings are sent to the archive (cron).'),
    retention: key(z.string().default('17 3 * * *'), 'When recordings that are due are erased (cron).'),
    reconcile: key(
      z.string().default('47 4 * * *'),
      'When recording folder, catalogue and archive are compared (cron); at the start of serve, too.',
    ),
  }),
  health: section({
    host: key(z.string().min(1).default('127.0.0.1'), 'Address of the health page.'),
    port: key(
      z.int().min(0).max(65_535).default(8090),
      'Port of the health page (GET /health, /live) and of the metrics; 0 switches them off.',
    ),
  }),
  web,
  log: section({
    level: key(
      z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
      'Least severe lines that are written.',
    ),
  }),
  shutdown: section({
    graceSeconds: key(
      seconds(0, 86_400).default(60),
      'How long the first SIGTERM or SIGINT lets calls and uploads finish.',
      { unit: 's' },
    ),
  }),
});

/** An earlier notice is found by the number of its caller. */
function earlierNoticeFaults({ notice, privacy }: z.output<typeof shape>): Fault[] {
  const { shorterWithinDays } = notice;
  const path = ['notice', 'shorterWithinDays'];
  if (shorterWithinDays === 0) return [];
  if ((privacy.hashKey ?? privacy.hashKeyFile) === undefined) {
    return [{ path, message: 'needs privacy.hashKey: without it nobody knows who has called before' }];
  }

  return shorterWithinDays <= privacy.callerDays
    ? []
    : [{ path, message: `is longer than it is kept whose call it was (privacy.callerDays, ${privacy.callerDays})` }];
}

export const configSchema = shape.superRefine((config, context) => {
  const { languages } = config.notice;
  const faults = [
    ...wordingFaults(['controller', 'transfers'], config.controller.transfers, languages),
    ...Object.entries(config.controllers).flatMap(([id, { transfers }]) =>
      wordingFaults(['controllers', id, 'transfers'], transfers, languages),
    ),
    ...Object.entries(config.lines).flatMap(([id, { names }]) =>
      wordingFaults(['lines', id, 'names'], names, languages),
    ),
    ...Object.entries(config.purposes).flatMap(([id, each]) => purposeFaults(id, each, languages)),
    ...Object.entries(config.lines).flatMap(([id, each]) => [
      ...lineMixFaults(id, each, config.purposes),
      ...lineLawFaults(id, each, config.purposes),
    ]),
    ...Object.entries(config.lines).flatMap(([id, each]) => [
      ...codeFaults(id, each, config.consent.featureCode),
      ...codeRuleFaults(id, each, (purpose) => purposeOf(config.purposes, purpose)?.kind),
    ]),
    ...Object.entries(config.webhooks).flatMap(([id, each]) => webhookFaults(id, each, config.controllers)),
  ];
  faults.push(
    ...catalogueFaults(config.catalogue, config.ari.pbx),
    ...encryptionFaults(config.archive),
    ...controllerFaults(config),
    ...collectionFaults(config.annotation, config.controllers),
    ...accessFaults(config.access, config.purposes),
    ...webFaults(config.web),
  );
  const { hashKey, hashKeyFile, numberKey, numberKeyFile, callerDays, traceDays } = config.privacy;
  if (traceDays < callerDays) {
    const message = `is shorter than callerDays (${callerDays}): whose call it was goes with its trace`;
    faults.push({ path: ['privacy', 'traceDays'], message });
  }
  if ((numberKey ?? numberKeyFile) !== undefined && (hashKey ?? hashKeyFile) === undefined) {
    faults.push({ path: ['privacy', 'hashKey'], message: 'is missing: without it numberKey is of no use' });
  }
  if (numberKey !== undefined && numberKey === hashKey) {
    faults.push({ path: ['privacy', 'numberKey'], message: sameKeyFault });
  }
  faults.push(...earlierNoticeFaults(config));
  const { pin, pinFile } = config.promptRecording;
  if ((pin !== undefined || pinFile !== undefined) && config.notice.soundsFolder === undefined) {
    // What is put into the folder that comes with Préavis is lost with the next version.
    const message = 'must be a folder of your own to record prompts into: copy the one that comes with Préavis';
    faults.push({ path: ['notice', 'soundsFolder'], message });
  }
  if ((pin !== undefined || pinFile !== undefined) && config.recording.spool === 'collected') {
    const message = 'cannot be used with recording.spool: collected: what is spoken is read in the folder of Asterisk';
    faults.push({ path: ['promptRecording', pin === undefined ? 'pinFile' : 'pin'], message });
  }
  for (const { path, message } of faults) context.addIssue({ code: 'custom', path, message });
});

/** The whole configuration with every default filled in. */
export type Config = z.output<typeof shape> & {
  /** The part `archive` of each file of archive.former; undefined where no file was read. */
  formerArchives?: readonly ArchiveConfig[];
};
export type ArchiveConfig = z.output<typeof archive>;
