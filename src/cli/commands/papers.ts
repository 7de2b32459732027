import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { asController, sectionOf } from '../../config/controllerView.ts';
import { isoTime } from '../../core/clock.ts';
import { errnoOf, PreavisError } from '../../core/errors.ts';
import { makeFolder, writeWhole } from '../../core/files.ts';
import { counted } from '../../core/text/counted.ts';
import { hashOfFacts, paperFacts } from '../../papers/facts.ts';
import { paperLanguages, type PaperLanguage } from '../../papers/languages.ts';
import { papersIn, type PaperFile } from '../../papers/papers.ts';
import { loadPaperTexts } from '../../papers/texts.ts';
import { refuseUntruths } from '../../papers/untruths.ts';
import { makePolicy } from '../../policy/policy.ts';
import { loadLibrary } from '../../services/prompts.ts';
import { configOf } from '../configuration.ts';
import { answer, type CommandContext, type ExitCode, type Program } from '../context.ts';
import { requiredController } from '../filters.ts';
import { oneOf } from '../options.ts';

type PapersOptions = {
  language: string | undefined;
  controller?: string | undefined;
  out: string;
  force: boolean;
  json: boolean;
};

/** What callers are told in and nobody wrote papers in. */
function languagesWithout(asked: string | undefined, spoken: readonly string[]): string[] {
  const has = (tag: string): boolean => paperLanguages.some((language) => language === tag.split('_')[0]);

  return asked === undefined ? spoken.filter((tag) => !has(tag)) : [];
}

/** The one that was asked for, or those that callers are told in. */
function languagesOf(asked: string | undefined, spoken: readonly string[]): PaperLanguage[] {
  if (asked !== undefined) return [oneOf('--language', asked, paperLanguages)];
  const found = paperLanguages.filter((language) => spoken.some((tag) => tag.split('_')[0] === language));
  if (found.length > 0) return found;
  throw new PreavisError('usage', `--language is missing: notice.languages has none of ${paperLanguages.join(', ')}`);
}

type Made = PaperFile & { language: PaperLanguage; file: string };

const unwritable = (cause: unknown): PreavisError =>
  cause instanceof PreavisError
    ? cause
    : new PreavisError('papers_unwritable', `the folder of --out: ${errnoOf(cause) ?? 'error'}`, { cause });

async function isThere(file: string): Promise<boolean> {
  try {
    await lstat(file);

    return true;
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return false;
    throw cause;
  }
}

/** Somebody may have written into a paper that is there. */
async function refuseOverwriting(made: readonly Made[]): Promise<void> {
  for (const { file } of made) {
    if (!(await isThere(file))) continue;
    throw new PreavisError('usage', 'the folder of --out has papers already', {
      hint: 'Somebody may have filled them in. Name another folder, or replace them with --force.',
    });
  }
}

async function write(made: readonly Made[], out: string, force: boolean): Promise<void> {
  try {
    if (!force) await refuseOverwriting(made);
    for (const language of new Set(made.map((each) => each.language))) {
      await makeFolder(join(out, language));
    }
    for (const { file, content } of made) await writeWhole(file, Buffer.from(content));
  } catch (cause) {
    throw unwritable(cause);
  }
}

/** Writes the papers of one company, from the configuration. Throws paper_untrue, papers_unwritable, texts_invalid, usage. */
export async function papers(
  context: CommandContext,
  { language: asked, controller: named, out, force, json }: PapersOptions,
  { version }: Pick<Program, 'version'>,
): Promise<ExitCode> {
  const config = await configOf(context);
  const languages = languagesOf(asked, config.notice.languages);
  const without = languagesWithout(asked, config.notice.languages);
  const policy = makePolicy(config, await loadLibrary(config));
  const controller = requiredController(named, Object.keys(config.controllers));
  const facts = paperFacts(asController(config, controller), config, policy, sectionOf(controller));
  refuseUntruths(facts, languages);
  const making = { madeAt: isoTime(context.clock.now()), version };
  const made: Made[] = [];
  for (const language of languages) {
    const texts = await loadPaperTexts(language);
    for (const each of papersIn(language, facts, texts, making, languages)) {
      made.push({ ...each, language, file: join(out, language, each.name) });
    }
  }
  await write(made, out, force);
  const document = {
    facts: hashOfFacts(facts),
    policyVersion: facts.policyVersion,
    papers: made.map(({ language, file, open }) => ({ language, file, open })),
  };
  answer(context, json, document, () => [
    ...made.map(({ file, open }) => (open === 0 ? file : `${file}  ${counted(open, 'place')} to write`)),
    ...(without.length === 0
      ? []
      : [`no papers in ${without.join(', ')}: there are none in another language than ${paperLanguages.join(', ')}`]),
    'These are drafts made from the configuration, and no legal advice: have them checked before you use them.',
  ]);

  return 0;
}
