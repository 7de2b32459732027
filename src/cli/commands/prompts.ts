import { SingleBar } from 'cli-progress';
import { counted } from '../../core/text/counted.ts';
import { buildPrompts } from '../../prompts/build.ts';
import { installPrompts } from '../../prompts/install.ts';
import { checkPromptFiles, type PromptFinding } from '../../prompts/check.ts';
import { halfRecorded, halfRecordedInWords, promptCode, recordingProgress } from '../../prompts/recordings.ts';
import { promptTexts, readPrompt, readPromptSource } from '../../prompts/library.ts';
import { readSynthesiser } from '../../prompts/synthesiser.ts';
import { parseSeconds } from '../options.ts';
import { loadLibrary, soundsFolder } from '../../services/prompts.ts';
import { PreavisError } from '../../core/errors.ts';
import type { Config } from '../../config/schema.ts';
import { makePolicy, type Policy } from '../../policy/policy.ts';
import { longWaits, neverShorterInWords, waitsInWords, waitsOf, type LineWait } from '../../policy/waits.ts';
import { configOf } from '../configuration.ts';
import { answer, type CommandContext, type ExitCode } from '../context.ts';
import { table } from '../table.ts';

/** `sounds`: a folder with prompts.yaml, in place of that of the configuration, which is then not read. */
type PromptsOptions = { sounds: string | undefined; json: boolean };

async function folderOf(context: CommandContext, sounds: string | undefined): Promise<string> {
  return sounds ?? soundsFolder(await configOf(context));
}

/**
 * Puts the prompts where Asterisk finds them; prompts that are there already stay. Exit 3 when a language is a mixture of a
 * person and a synthesiser: callers hear both.
 */
export async function promptsInstall(
  context: CommandContext,
  { to, json }: { to: string; json: boolean },
): Promise<ExitCode> {
  const config = await configOf(context);
  const library = await loadLibrary(config);
  const { languages } = config.notice;
  const folder = soundsFolder(config);
  const result = await installPrompts(library, folder, to, languages);
  const installed = library.prompts.filter(({ language }) => languages.includes(language));
  const halves = await halfRecorded(folder, installed);
  answer(context, json, { ...result, halfRecorded: halves }, () => [
    `${counted(result.copied.length, 'sound file')} copied, ${counted(result.kept.length, 'was', 'were')} there already`,
    ...halves.map((half) => `WARN   ${halfRecordedInWords(half)}`),
  ]);

  return halves.length === 0 ? 0 : 3;
}

/** Every sentence of prompts.yaml, with its sound if there is one that can be played. */
export async function promptsList(context: CommandContext, { sounds, json }: PromptsOptions): Promise<ExitCode> {
  const folder = await folderOf(context, sounds);
  const source = await readPromptSource(folder);
  const list = await Promise.all(
    promptTexts(source).map(async (words) => {
      const code = promptCode(source, words);
      const prompt = await readPrompt(folder, words);
      return typeof prompt === 'string'
        ? { code, ...words, sha256: null, lengthMs: null, soundName: null, problem: prompt }
        : { code, ...prompt, problem: null };
    }),
  );
  const recordings = await recordingProgress(folder, source);
  answer(context, json, { prompts: list, recordings }, () => {
    const header = ['CODE', 'PROMPT', 'LANGUAGE', 'KIND', 'LENGTH', 'MADE', 'SHA-256'];
    const cells = list.map(({ code, id, language, kind, lengthMs, made, sha256 }) => [
      code,
      id,
      language,
      kind,
      lengthMs === null ? 'no sound' : `${(lengthMs / 1_000).toFixed(1)} s`,
      made,
      sha256?.slice(0, 12) ?? '',
    ]);
    const texts = list.map(({ text }) => text);

    return [
      table(header, cells, texts),
      ...recordings.map(
        ({ language, recorded, of, next }) =>
          `${language}: ${recorded} of ${counted(of, 'prompt has', 'prompts have')} a recording. Next: ${next}`,
      ),
    ];
  });

  return 0;
}

function describe({ language, prompt, format, what, measured, allowed }: PromptFinding): string {
  return `${language}/${prompt}.${format}: ${what}: ${measured}; must be ${allowed}`;
}

/** Findings, one below the other. A sentence without its WAV is one line, however many files and languages of it are not there. */
function findingsInWords(findings: readonly PromptFinding[]): string[] {
  const soundless = findings.filter(({ what, format }) => what === 'missing' && format === 'wav');
  const isSoundless = ({ language, prompt }: PromptFinding): boolean =>
    soundless.some((each) => each.language === language && each.prompt === prompt);
  const prompts = [...new Set(soundless.map(({ prompt }) => prompt))];
  const languagesOf = (id: string): string =>
    soundless.flatMap(({ prompt, language }) => (prompt === id ? [language] : [])).join(', ');

  return [
    ...findings.filter((finding) => finding.what !== 'missing' || !isSoundless(finding)).map(describe),
    ...prompts.map((prompt) => `${prompt}: no sound yet in ${languagesOf(prompt)}`),
    ...(prompts.length === 0
      ? []
      : [
          'preavis prompts build makes what a machine speaks; what a person speaks is put there first (sounds/README.md)',
        ]),
  ];
}

type BuildCommandOptions = PromptsOptions & {
  language: string[] | undefined;
  force: boolean;
  /** Program and arguments of a synthesiser. */
  command: string | undefined;
  commandSeconds: string;
};

/** Makes what is missing and what no longer says its text, then checks it. Exit 3 when the check finds something. */
export async function promptsBuild(
  context: CommandContext,
  { sounds, language: languages, force, command, commandSeconds, json }: BuildCommandOptions,
): Promise<ExitCode> {
  const timeLimitMs = parseSeconds('--command-seconds', commandSeconds);
  const synthesiser = command === undefined ? undefined : readSynthesiser(command, timeLimitMs);
  const folder = await folderOf(context, sounds);
  const bar = process.stderr.isTTY && !json ? new SingleBar({ stream: process.stderr }) : undefined;
  bar?.start(1, 0);
  const built = await buildPrompts(folder, {
    languages,
    force,
    synthesiser,
    progress: (done, of) => {
      bar?.setTotal(of);
      bar?.update(done);
    },
  }).finally(() => bar?.stop());
  const prompts = promptTexts(await readPromptSource(folder)).filter(
    ({ language }) => languages?.includes(language) ?? true,
  );
  const findings = await checkPromptFiles({ prompts }, folder);
  answer(context, json, { ...built, findings }, () => [
    ...built.left.map(({ language, prompt, why }) => `${language}/${prompt}: left alone: ${why}`),
    `${counted(built.made.length, 'prompt')} made, ${counted(built.kept.length, 'as it was', 'as they were')}, ${built.left.length} left alone`,
    ...findingsInWords(findings),
  ]);

  return findings.length === 0 ? 0 : 3;
}

/** What this configuration says with its prompts; undefined where they are refused, which `preavis check` says. */
async function policyUnder(config: Config): Promise<Policy | undefined> {
  try {
    return makePolicy(config, await loadLibrary(config));
  } catch (thrown) {
    if (thrown instanceof PreavisError) return undefined;
    throw thrown;
  }
}

function waitsText(policy: Policy | undefined, waits: readonly LineWait[]): string[] {
  if (policy === undefined)
    return ['how long callers of each line wait: not known, since preavis check refuses prompts and purposes'];

  return [
    ...longWaits(waits).map((wait) => `WARN   ${wait}`),
    'how long callers of each line wait before they can talk:',
    ...[...waitsInWords(waits), ...neverShorterInWords(policy)].map((wait) => `  ${wait}`),
  ];
}

/**
 * Measures every sound file, and how long callers of each line of the configuration wait. Exit 3 when something needs attention; it never
 * changes anything.
 */
export async function promptsCheck(context: CommandContext, { sounds, json }: PromptsOptions): Promise<ExitCode> {
  const config = sounds === undefined ? await configOf(context) : undefined;
  const folder = sounds ?? soundsFolder(config ?? (await configOf(context)));
  const prompts = promptTexts(await readPromptSource(folder));
  const findings = await checkPromptFiles({ prompts }, folder);
  const policy = config === undefined ? undefined : await policyUnder(config);
  const waits = policy === undefined ? [] : waitsOf(policy);
  const ok = findings.length === 0 && longWaits(waits).length === 0;
  answer(context, json, { ok, findings, ...(policy === undefined ? {} : { waits }) }, () => [
    ...findingsInWords(findings),
    `${counted(prompts.length, 'prompt')} looked at, ${counted(findings.length, 'finding')}`,
    ...(config === undefined ? [] : waitsText(policy, waits)),
  ]);

  return ok ? 0 : 3;
}
