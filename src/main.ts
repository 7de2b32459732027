#!/usr/bin/env node
import { createInterface } from 'node:readline';
import { Command, CommanderError, Help, type Option } from 'commander';
import { addArchive } from './cli/arguments/archive.ts';
import { addCatalogue } from './cli/arguments/catalogue.ts';
import { addCalls, addLanguages, addWebhooks } from './cli/arguments/calls.ts';
import { addSwitches, jsonOption, makeRun } from './cli/arguments/commandLine.ts';
import { addDialplan } from './cli/arguments/dialplan.ts';
import { addEvidence } from './cli/arguments/evidence.ts';
import { addPapers, addPrompts, addPurposes, addReport } from './cli/arguments/policy.ts';
import { addRecordings } from './cli/arguments/recordings.ts';
import { addCertificates, addRetention } from './cli/arguments/retention.ts';
import { addSubject } from './cli/arguments/subject.ts';
import { addUsers } from './cli/arguments/users.ts';
import { defaultConfigFile, makeContext } from './cli/context.ts';
import { asPreavisError, PreavisError } from './core/errors.ts';
import { installedVersion } from './core/installation.ts';

/**
 * Arguments, exit codes and the one place where an error becomes text for people. A command's modules are loaded when it runs, so
 * the help, the version and a small command do not wait for those of `serve`.
 */

/** Commander refuses a command without such an option, and does not say so in the help. */
function describeOption(option: Option): string {
  return `${new Help().optionDescription(option)}${option.mandatory ? ' (required)' : ''}`;
}

function program(done: (code: number) => void): Command {
  const root = new Command('preavis')
    .description(
      'Plays a recording notice to callers of Asterisk, records only after it, archives and erases recordings.',
    )
    .version(installedVersion())
    .option('--config <file>', `configuration file (default: PREAVIS_CONFIG or ${defaultConfigFile})`)
    .exitOverride()
    .configureHelp({ optionDescription: describeOption })
    .configureOutput({ writeErr: () => undefined })
    .addHelpText(
      'afterAll',
      '\nExit codes: 0 done, 1 failed, 2 bad usage or configuration, 3 done but something needs attention.',
    );
  const context = () => makeContext(root.opts<{ config?: string }>().config, process.env);
  const run = makeRun(context, { firstLine, version: installedVersion() }, done);

  addSwitches(root);
  root
    .command('serve')
    .description('run the ARI application and its jobs until SIGTERM or SIGINT')
    .option('--json', 'print an error that stops it as one JSON object, like its log')
    .option('--take-over', 'take over the Stasis application from another client that has its event socket open')
    .option('--new-catalogue', 'begin with a new catalogue although the archive belongs to another one')
    .action(run(async () => (await import('./cli/commands/serve.ts')).serve));
  root
    .command('check')
    .description('check configuration, prompts, spool, catalogue, archive and Asterisk; print what is wrong')
    .option(...jsonOption)
    .action(run(async () => (await import('./cli/check/check.ts')).check));
  root
    .command('upload')
    .description('send finished recordings to the archive, once; safe beside a running serve')
    .option('--dry-run', 'only print what would be sent')
    .option(...jsonOption)
    .action(run(async () => (await import('./cli/commands/upload.ts')).upload));
  root
    .command('web')
    .description(
      'serve the API and the console (web.listen) until SIGTERM or SIGINT; a process of its own beside serve',
    )
    .option('--json', 'print an error that stops it as one JSON object, like its log')
    .action(run(async () => (await import('./cli/commands/web.ts')).web));
  addArchive(root, run);
  addCatalogue(root, run);
  addRetention(root, run);
  addCertificates(root, run);
  addRecordings(root, run);
  addSubject(root, run);
  addUsers(root, run);
  addPurposes(root, run);
  addPapers(root, run);
  addReport(root, run);
  addCalls(root, run);
  addWebhooks(root, run);
  addLanguages(root, run);
  addEvidence(root, run);
  addPrompts(root, run);
  addDialplan(root, run);

  return root;
}

/** Prints code, what is wrong and what to do, as text or as one line of JSON; never a stack trace. */
function explain(thrown: unknown, json: boolean): number {
  const { code, message, hint, exitCode } = asPreavisError(thrown);
  if (json) process.stderr.write(`${JSON.stringify({ error: { code, message, hint } })}\n`);
  else process.stderr.write(`preavis: ${code}: ${message}\n${hint === '' ? '' : `  ${hint}\n`}`);

  return exitCode;
}

async function firstLine(): Promise<string> {
  const lines = createInterface({ input: process.stdin });
  try {
    for await (const line of lines) return line;
  } finally {
    lines.close();
  }

  return '';
}

/** What was typed is told back, but no telephone number that came into the wrong place (P7). */
function withoutNumbers(text: string): string {
  return text.replace(/'[^']*'/g, (quoted) => ((quoted.match(/\d/g) ?? []).length < 5 ? quoted : "'...'"));
}

function usageError(thrown: CommanderError): PreavisError {
  // Commander would print the whole help for a missing command, and has no words for it.
  const what =
    thrown.code === 'commander.help'
      ? 'a command is missing'
      : thrown.message
          .replace(/^error: /, '')
          .replace(/\s*\n\s*/g, ' ')
          .replace(/^required option '(.+)' not specified$/, '$1 is missing');

  return new PreavisError('usage', withoutNumbers(what), { cause: thrown });
}

// A reader that has seen enough (`| head`) is no fault.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

async function main(argv: readonly string[]): Promise<number> {
  let code = 0;
  try {
    await program((exitCode) => {
      code = exitCode;
    }).parseAsync(argv);
  } catch (thrown) {
    const isCommander = thrown instanceof CommanderError;
    if (isCommander && thrown.exitCode === 0) return 0;

    return explain(isCommander ? usageError(thrown) : thrown, argv.includes('--json'));
  }

  return code;
}

process.exitCode = await main(process.argv);
