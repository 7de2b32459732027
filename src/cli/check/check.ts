import { access, constants } from 'node:fs/promises';
import { join } from 'node:path';
import { spoolFilesNote } from '../../call/plan/spoolFiles.ts';
import { checkSpool, proveSpool, refuseSharedSpool } from '../../call/plan/readiness.ts';
import { makePolicy, type Policy } from '../../policy/policy.ts';
import { halfRecorded, halfRecordedInWords } from '../../prompts/recordings.ts';
import type { PromptLibrary } from '../../prompts/library.ts';
import { longWaits, neverShorterInWords, waitsInWords, waitsOf } from '../../policy/waits.ts';
import { purposeWarnings } from '../../policy/storageWarnings.ts';
import type { Config } from '../../config/schema.ts';
import { asWorker } from '../../config/workers.ts';
import { refuseOtherPbx } from '../../serve/pbxOfAsterisk.ts';
import { asPreavisError, errnoOf, PreavisError, type ErrorCode } from '../../core/errors.ts';
import { makeIds } from '../../core/ids.ts';
import { checkWitness } from '../../receipt/witnessCheck.ts';
import { identify, makeAri, refuseMissingPrompts, type Ari } from '../../services/ari.ts';
import { loadLibrary, soundsFolder } from '../../services/prompts.ts';
import { checkJobs } from '../../services/schedule.ts';
import { configOf } from '../configuration.ts';
import { answer, type CommandContext } from '../context.ts';
import { refuseForeignRecorders, requireDeadman } from './deadman.ts';
import { dialplanFinding } from './dialplan.ts';
import { asteriskOfPbx, isNamed, lookAtWhatIsKept, type Kept } from './kept.ts';
import { leaveOut, makeLook, noteLast, type CheckResult, type Look } from './checklist.ts';
import { openIdFinding } from './openId.ts';
import { packetsWarning, soundFinding } from './sound.ts';
import { voiceFindings } from './voices.ts';

/** What `check` looks at, in order; a check that needs a failed one is left out. */
export async function findings(config: Config, context: CommandContext): Promise<CheckResult[]> {
  const list: CheckResult[] = [];
  const look = makeLook(list);
  const library = await loadLibrary(config).catch((error: unknown) => asPreavisError(error));
  const policyFound = await lookAtConfig(config, library, list, look);
  const { spool, spoolFolder, minimumFreeMib } = config.recording;
  let note: string | undefined;
  await look('spool', async () => {
    await checkSpool(spoolFolder, minimumFreeMib);
    note = spool === 'shared' ? await spoolFilesNote(spoolFolder) : collectedNote;
  });
  if (note !== undefined) noteLast(list, note);
  const spoolUsable = !hasFailed(list, 'spool_unusable');
  if (!spoolUsable) leaveOut(list, [askedOfAsterisk.spool]);
  const kept: Kept = { catalogue: undefined, newest: undefined, unfinished: 0 };
  try {
    await lookAtWhatIsKept(kept, config, context, list, look);
    const ofProvider = await openIdFinding(config, context.clock);
    if (ofProvider !== undefined) list.push(ofProvider);
    const known = { library: policyFound ? library : undefined, ...kept, spoolUsable };
    await lookAtAsterisk(config, context, known, list, look);
  } finally {
    kept.catalogue?.close();
  }

  return list;
}

/** What is looked at on Asterisk itself, by the names of `check`. */
const askedOfAsterisk = {
  spool: 'spool of this asterisk',
  pbx: asteriskOfPbx,
  stored: 'recordings at asterisk',
  prompts: 'prompts on asterisk',
  deadman: 'recorders end when nobody watches',
  foreign: 'recorders of other applications',
  witness: 'second witness',
  packets: 'questions about packets',
  sound: 'sound after a change of its source',
  dialplan: 'dialplan',
} as const;

/** Whether what was looked at last failed by one of these codes. */
function hasFailed(list: readonly CheckResult[], ...codes: readonly ErrorCode[]): boolean {
  const last = list.at(-1);

  return last?.ok === false && codes.some((code) => code === last.code);
}

/** Without it every restart of serve costs the recordings that are being made. */
const withoutCel =
  'none. What is recorded while serve is away becomes silence; with CEL (docs/operations/second-witness.md) most of it is kept';

/** What nothing gives in the place of a shared folder. */
const collectedNote =
  "recordings are collected over ARI. Asterisk's own disk is not watched: let something else do that. A talk that ends while serve is away becomes silent as a whole, unless CEL shows who was there (docs/deployment.md)";

/** Whether Asterisk, and a proxy before it, shows its recordings. A warning where some should have come from there. */
async function listAtAsterisk({ stored }: Ari, unfinished: number): Promise<string | undefined> {
  await stored.list();

  return unfinished === 0
    ? undefined
    : `not collected and finished ten minutes after their calls: ${unfinished} (the log of serve says why)`;
}

const callersWait = 'how long callers wait';

/** People hang up on a long notice. */
function waitFinding(policy: Policy): CheckResult {
  const waits = waitsOf(policy);
  const tooLong = longWaits(waits);
  const never = neverShorterInWords(policy);
  const warnings = [
    ...(tooLong.length === 0 ? [] : [`${tooLong.join('; ')}. Shorten the sentences (sounds/README.md)`]),
    ...(never.length < policy.lines.size ? [] : ['notice.shorterWithinDays changes nothing on any line']),
  ];
  const notes = [...waitsInWords(waits), ...never];

  return { check: callersWait, ok: true, notes, ...(warnings.length === 0 ? {} : { warning: warnings.join('; ') }) };
}

/** Whether there is a policy: prompts and purposes that fit each other. */
async function lookAtConfig(
  config: Config,
  library: PromptLibrary | PreavisError,
  list: CheckResult[],
  look: Look,
): Promise<boolean> {
  await look('schedule', () => {
    checkJobs(config);
  });
  if (config.ari.worker !== undefined) {
    await look('two workers', () => {
      asWorker(config);
    });
  }
  const policyFound = await look('prompts and purposes', async () => {
    if (library instanceof PreavisError) throw library;
    const { languages } = makePolicy(config, library);
    const offered = library.prompts.filter(({ language }) => languages.includes(language));
    const halves = await halfRecorded(soundsFolder(config), offered);

    return halves.length === 0 ? undefined : halves.map(halfRecordedInWords).join('; ');
  });
  if (policyFound && !(library instanceof PreavisError)) list.push(waitFinding(makePolicy(config, library)));
  else {
    const ofSentences =
      library instanceof PreavisError ? ['callers told how long', 'erased within the legal maximum'] : [];
    leaveOut(list, [callersWait, ...ofSentences, askedOfAsterisk.prompts, askedOfAsterisk.dialplan]);
  }
  const unchecked = Object.entries(config.purposes).filter(([, purpose]) => !purpose.checkedByCounsel);
  await look('purposes checked by counsel', () =>
    unchecked.length === 0
      ? undefined
      : `not yet: ${unchecked.map(([id]) => id).join(', ')}. Have them checked, then set checkedByCounsel: true`,
  );
  if (config.witness.celFile === undefined) list.push({ check: 'second witness', ok: true, notes: [withoutCel] });
  if (library instanceof PreavisError) return policyFound;
  list.push(...voiceFindings(config.notice.languages, library.prompts), ...storageFindings(config, library));
  if (config.promptRecording.pin !== undefined) {
    await look('recording of prompts by telephone', async () => {
      for (const language of library.languages) await requireWritable(join(soundsFolder(config), language));
    });
  }

  return policyFound;
}

type KnownBefore = Kept & {
  library: PromptLibrary | PreavisError | undefined;
  spoolUsable: boolean;
};

/** An answer by one of these ends the questions: the others would get the same. */
const endOfQuestions = ['ari_unreachable', 'ari_unauthorized'] as const;

async function lookAtAsterisk(
  config: Config,
  context: CommandContext,
  known: KnownBefore,
  list: CheckResult[],
  look: Look,
): Promise<void> {
  let ari: Ari | undefined;
  let version = '';
  const reachable = await look('asterisk', async () => {
    ari = makeAri(config);
    ({ version } = await identify(ari, config));
  });
  const questions = questionsTo(config, context, known);
  if (!reachable || ari === undefined) {
    leaveOut(list, [...questions.map(([name]) => name), askedOfAsterisk.sound, askedOfAsterisk.dialplan]);
    return;
  }
  for (const [index, [name, step]] of questions.entries()) {
    const asked = ari;
    await look(name, () => step(asked));
    if (!hasFailed(list, ...endOfQuestions)) continue;
    leaveOut(
      list,
      questions.slice(index + 1).map(([later]) => later),
    );
    break;
  }
  list.push(soundFinding(version));
  // What has no policy was said where it failed.
  if (known.library !== undefined && !(known.library instanceof PreavisError)) {
    list.push(await dialplanFinding(config, makePolicy(config, known.library), context.environment));
  }
  ari.close();
}

type Question = [name: string, step: (ari: Ari) => unknown];

function questionsTo(
  config: Config,
  { clock }: CommandContext,
  { library, catalogue, newest, unfinished, spoolUsable }: KnownBefore,
): Question[] {
  const { spool, pbx, stored, prompts, deadman, foreign, witness, packets } = askedOfAsterisk;
  const { spool: kind, spoolFolder } = config.recording;
  const { celFile } = config.witness;
  const prove = kind === 'shared' ? proveSpool : refuseSharedSpool;

  return [
    ...(catalogue === undefined || !isNamed(config)
      ? []
      : [[pbx, () => refuseOtherPbx(config, undefined, catalogue)] satisfies Question]),
    ...(spoolUsable
      ? [[spool, ({ commands }) => prove(spoolFolder, commands, makeIds(), clock)] satisfies Question]
      : []),
    ...(kind === 'shared' ? [] : [[stored, (ari) => listAtAsterisk(ari, unfinished)] satisfies Question]),
    ...(library === undefined || library instanceof PreavisError
      ? []
      : [[prompts, ({ commands }) => refuseMissingPrompts(makePolicy(config, library), commands)] satisfies Question]),
    [deadman, (ari) => requireDeadman(ari.commands, ari.deadman, makeIds().channel())],
    [foreign, (ari) => refuseForeignRecorders(ari.deadman)],
    ...(celFile === undefined
      ? []
      : [[witness, ({ commands }) => checkWitness({ ari: commands, celFile, newest })] satisfies Question]),
    [packets, ({ commands }) => packetsWarning(commands, makeIds().channel())],
  ];
}

/** Nothing of these is refused: the sentences are the company's, and counsel may know more than the table of laws. */
function storageFindings(config: Config, { prompts }: PromptLibrary): CheckResult[] {
  const { duration, lastDay } = purposeWarnings(config.purposes, prompts);
  const finding = (check: string, warnings: readonly string[]): CheckResult => ({
    check,
    ok: true,
    ...(warnings.length === 0 ? {} : { warning: warnings.join('; ') }),
  });

  return [finding('callers told how long', duration), finding('erased within the legal maximum', lastDay)];
}

async function requireWritable(folder: string): Promise<void> {
  try {
    await access(folder, constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw new PreavisError('prompts_unwritable', `${folder}: ${errnoOf(cause) ?? 'error'}`, { cause });
  }
}

/**
 * Looks at everything `serve` needs and says what is wrong and how to mend it. Exit 1 when anything is; 3 when there are
 * only warnings.
 */
export async function check(context: CommandContext, { json }: { json: boolean }): Promise<0 | 1 | 3> {
  const list = await findings(await configOf(context), context);
  const ok = list.every((finding) => finding.ok);
  answer(context, json, { ok, checks: list }, () => list.flatMap(findingInWords));

  if (!ok) return 1;

  return list.some((finding) => 'warning' in finding) ? 3 : 0;
}

function findingInWords(finding: CheckResult): string[] {
  const what = finding.about === undefined ? finding.check : `${finding.check} (${finding.about})`;
  if (!finding.ok) {
    const { problem, code, hint, unchecked = [] } = finding;

    return [
      `WRONG  ${what}: ${problem} [${code}]\n       ${hint}`,
      ...(unchecked.length > 0 ? [`       not checked because of it: ${unchecked.join(', ')}`] : []),
    ];
  }
  const { warning, facts = {}, notes = [] } = finding;
  const said = Object.entries(facts).map(([fact, value]) => `${fact}: ${value}`);

  return [
    warning === undefined ? `ok     ${what}` : `WARN   ${what}: ${warning}`,
    ...(said.length > 0 ? [`       ${said.join(', ')}`] : []),
    ...notes.map((note) => `       ${note}`),
  ];
}
