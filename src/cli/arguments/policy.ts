import type { Command } from 'commander';
import type { PromptsOptions } from '../commands/prompts.ts';
import type { ReportOptions } from '../commands/report.ts';
import { jsonOption, type CommandLine, type Json } from './commandLine.ts';

/** Arguments of the commands that say why calls are recorded, what is kept, and what callers hear. */

export function addPurposes(root: Command, { context, done }: CommandLine): void {
  const purposes = root.command('purposes').description('why calls are recorded');
  purposes
    .command('list')
    .description('list the purposes: consent, how long recordings are kept, who may listen')
    .option(...jsonOption)
    .action(async (options: Json) => {
      const { purposesList } = await import('../commands/purposes.ts');
      done(await purposesList(context(), options));
    });
  purposes
    .command('register')
    .description('print the register of processing (GDPR art. 30) as Markdown; exit 3 when something is not stated')
    .option('--json', 'print it as one JSON document in place of Markdown')
    .action(async (options: Json) => {
      const { purposesRegister } = await import('../commands/purposes.ts');
      done(await purposesRegister(context(), options));
    });
}

export function addReport(root: Command, { context, done }: CommandLine): void {
  root
    .command('report')
    .description(
      'print what is kept, why, until when, what is overdue and what failed, as Markdown; exit 3 when something needs attention',
    )
    .option('--month <YYYY-MM>', 'the month in UTC (default: the last one that is over)')
    .option('--json', 'print it as one JSON document in place of Markdown')
    .action(async (options: ReportOptions) => {
      const { report } = await import('../commands/report.ts');
      done(await report(context(), options));
    });
}

export function addPrompts(root: Command, { context, done }: CommandLine): void {
  const prompts = root.command('prompts').description('the sentences that callers hear');
  const soundsOption = ['--sounds <folder>', 'folder with prompts.yaml (default: notice.soundsFolder)'] as const;
  prompts
    .command('list')
    .description('list every sentence: language, kind, length, who speaks, hash, text')
    .option(...soundsOption)
    .option(...jsonOption)
    .action(async (options: PromptsOptions) => {
      const { promptsList } = await import('../commands/prompts.ts');
      done(await promptsList(context(), options));
    });
  prompts
    .command('build')
    .description('make the sound files: placeholders from the texts, and the formats of recordings (<id>.source.wav)')
    .option(...soundsOption)
    .option('--language <tag...>', 'only these languages')
    .option('--force', 'make all again, replacing sounds of other origin, too')
    .option(...jsonOption)
    .action(async (options: PromptsOptions & { language: string[] | undefined; force: boolean }) => {
      const { promptsBuild } = await import('../commands/prompts.ts');
      done(await promptsBuild(context(), { ...options, languages: options.language }));
    });
  prompts
    .command('check')
    .description('measure every sound file: format, words, level, peak, silence, pace; exit 3 when one needs attention')
    .option(...soundsOption)
    .option(...jsonOption)
    .action(async (options: PromptsOptions) => {
      const { promptsCheck } = await import('../commands/prompts.ts');
      done(await promptsCheck(context(), options));
    });
  prompts
    .command('install')
    .description("copy the prompts into Asterisk's sounds folder")
    .requiredOption('--to <folder>', "Asterisk's sounds folder, for example /usr/share/asterisk/sounds")
    .option(...jsonOption)
    .action(async (options: Json & { to: string }) => {
      const { promptsInstall } = await import('../commands/prompts.ts');
      done(await promptsInstall(context(), options));
    });
}
