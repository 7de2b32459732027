import type { Command } from 'commander';
import { paperLanguages } from '../../papers/languages.ts';
import { controllerOption, jsonOption, type RunAs } from './commandLine.ts';

/** Arguments of the commands that say why calls are recorded, what is kept, and what callers hear. */

export function addPurposes(root: Command, run: RunAs): void {
  const purposes = root.command('purposes').description('why calls are recorded');
  purposes
    .command('list')
    .description('list the purposes: consent, how long recordings are kept, who may listen')
    .option(...jsonOption)
    .action(run(async () => (await import('../commands/purposes.ts')).purposesList));
  purposes
    .command('register')
    .description('print the register of processing (GDPR art. 30) as Markdown; exit 3 when something is not stated')
    .option(...controllerOption)
    .option('--processor', 'that of whoever runs this installation for the companies of controllers (art. 30(2))')
    .option('--language <tag>', 'language of the texts that the configuration gives in several', 'en')
    .option('--json', 'print it as one JSON document in place of Markdown')
    .action(run(async () => (await import('../commands/purposes.ts')).purposesRegister));
}

export function addPapers(root: Command, run: RunAs): void {
  root
    .command('papers')
    .description(
      'write drafts of the papers about the recording, from the configuration: notices for website and staff, summary for the works council, register, impact assessment, poster; no legal advice',
    )
    .option(
      '--language <language>',
      `only in this language: ${paperLanguages.join(', ')} (default: those of notice.languages)`,
    )
    .option(...controllerOption)
    .option('--out <folder>', 'the folder to write to, with a folder for each language', 'papers')
    .option('--force', 'replace papers that are there already')
    .option(...jsonOption)
    .action(run(async () => (await import('../commands/papers.ts')).papers));
}

export function addReport(root: Command, run: RunAs): void {
  root
    .command('report')
    .description(
      'print what is kept, why, until when, what is overdue and what failed, as Markdown; exit 3 when something needs attention',
    )
    .option('--month <YYYY-MM>', 'the month in UTC (default: the last one that is over)')
    .option('--controller <name>', 'of this company of controllers alone; own: of the lines of none (default: of all)')
    .option('--json', 'print it as one JSON document in place of Markdown')
    .action(run(async () => (await import('../commands/report.ts')).report));
}

export function addPrompts(root: Command, run: RunAs): void {
  const prompts = root.command('prompts').description('the sentences that callers hear');
  const soundsOption = ['--sounds <folder>', 'folder with prompts.yaml (default: notice.soundsFolder)'] as const;
  prompts
    .command('list')
    .description('list every sentence: language, kind, length, who speaks, hash, text')
    .option(...soundsOption)
    .option(...jsonOption)
    .action(run(async () => (await import('../commands/prompts.ts')).promptsList));
  prompts
    .command('build')
    .description(
      'make the sound files: by a synthesiser from the texts, and the formats of recordings (<id>.source.wav)',
    )
    .option(...soundsOption)
    .option('--language <tag...>', 'only these languages')
    .option(
      '--command <command>',
      'who speaks languages that are made: synthetic; it reads the text from standard input and writes a WAV to {file}; {language}, {voice}',
    )
    .option('--command-seconds <number>', 'time limit of it for one sentence', '60')
    .option('--force', 'make all again, replacing sounds of other origin, too')
    .option(...jsonOption)
    .action(run(async () => (await import('../commands/prompts.ts')).promptsBuild));
  prompts
    .command('check')
    .description('measure every sound file: format, words, level, peak, silence, pace; exit 3 when one needs attention')
    .option(...soundsOption)
    .option(...jsonOption)
    .action(run(async () => (await import('../commands/prompts.ts')).promptsCheck));
  prompts
    .command('install')
    .description("copy the prompts into Asterisk's sounds folder")
    .requiredOption('--to <folder>', "Asterisk's sounds folder, for example /usr/share/asterisk/sounds")
    .option(...jsonOption)
    .action(run(async () => (await import('../commands/prompts.ts')).promptsInstall));
}
