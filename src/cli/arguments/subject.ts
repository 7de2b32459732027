import type { Command } from 'commander';
import { subjectLanguages } from '../../dataSubject/languages.ts';
import { controllerOption, jsonOption, type RunAs } from './commandLine.ts';

/** Arguments of the commands that answer requests of persons. */

/** Whom the command is about: a caller, or an employee. */
const withPerson = (command: Command): Command =>
  command
    .option(
      '--number <number>',
      'the number of a caller, or of whom the company called, national or international; - reads it from standard input',
    )
    .option(
      '--extension <endpoint>',
      'in its place, the telephone of an employee, such as 101 (privacy.keepExtensions); - reads it from standard input',
    )
    .option(
      '--direct <number>',
      'with --extension: their direct number, for calls that somebody else answered (privacy.dialledDays)',
    )
    .option(
      '--from <day>',
      'with --extension: the first day on which it was theirs, such as 2026-08-24; default: all calls',
    )
    .option('--to <day>', 'with --from: the last day on which it was theirs; default: today')
    .option(...controllerOption);

const languages = `${subjectLanguages.join(', ')} (default: that of a caller's last call)`;

export function addSubject(root: Command, run: RunAs): void {
  const subject = root.command('subject').description('answer persons who ask for their data, or for erasure');
  withPerson(subject.command('find'))
    .description('list the calls of a person: when, for what, how long they are kept; exit 3 when some may be missing')
    .option(...jsonOption)
    .action(run(async () => (await import('../commands/subjectFind.ts')).subjectFind));
  withPerson(subject.command('export'))
    .description('export the data of a person as a ZIP (GDPR art. 15); audited; exit 3 when something is missing')
    .requiredOption('-o, --output <file>', 'the ZIP to make, for its owner only')
    .option('--language <language>', `of its index: ${languages}`)
    .option('--force', 'replace a file that is there already')
    .option(...jsonOption)
    .action(run(async () => (await import('../commands/subject.ts')).subjectExport));
  withPerson(subject.command('erase'))
    .description(
      'erase the data of a person (GDPR art. 17) except what must be kept; without --apply only print it; exit 3 when something remains',
    )
    .option('--apply', 'do it; it cannot be undone')
    .option('--include-evidence', 'erase evidence, too: no legal claim needs it (art. 17(3)(e))')
    .option('--answer <file>', 'with --apply: the page to make with the answer to that person, for its owner only')
    .option('--language <language>', `of the answer: ${languages}`)
    .option('--force', 'replace an answer that is there already')
    .option(...jsonOption)
    .action(run(async () => (await import('../commands/subject.ts')).subjectErase));
}
