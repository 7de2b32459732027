import type { Command } from 'commander';
import { subjectLanguages } from '../../dataSubject/languages.ts';
import { controllerOption, jsonOption, type RunAs } from './commandLine.ts';

/** Arguments of the commands that answer requests of persons. */

export function addSubject(root: Command, run: RunAs): void {
  const numberOption = [
    '--number <number>',
    'the number of that person, national or international; - reads it from standard input',
  ] as const;
  const subject = root.command('subject').description('answer persons who ask for their data, or for erasure');
  subject
    .command('export')
    .description('export the data of a person as a ZIP (GDPR art. 15); audited; exit 3 when something is missing')
    .requiredOption(...numberOption)
    .option(...controllerOption)
    .requiredOption('-o, --output <file>', 'the ZIP to make, for its owner only')
    .option('--language <language>', `of its index: ${subjectLanguages.join(', ')} (default: that of their last call)`)
    .option('--force', 'replace a file that is there already')
    .option(...jsonOption)
    .action(run(async () => (await import('../commands/subject.ts')).subjectExport));
  subject
    .command('erase')
    .description(
      'erase the data of a person (GDPR art. 17) except what must be kept; without --apply only print it; exit 3 when something remains',
    )
    .requiredOption(...numberOption)
    .option(...controllerOption)
    .option('--apply', 'do it; it cannot be undone')
    .option('--include-evidence', 'erase evidence, too: no legal claim needs it (art. 17(3)(e))')
    .option('--answer <file>', 'with --apply: the page to make with the answer to that person, for its owner only')
    .option('--language <language>', `of the answer: ${subjectLanguages.join(', ')} (default: that of their last call)`)
    .option('--force', 'replace an answer that is there already')
    .option(...jsonOption)
    .action(run(async () => (await import('../commands/subject.ts')).subjectErase));
}
