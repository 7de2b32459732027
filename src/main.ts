#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { Command, CommanderError, Help, type Option } from 'commander';
import { recordingStatuses } from './catalogue/statuses.ts';
import { defaultConfigFile, makeContext, type CommandContext } from './cli/context.ts';
import { addEvidence } from './cli/evidenceArguments.ts';
import type { CallListOptions } from './cli/commands/calls.ts';
import type { ListOptions } from './cli/commands/recordings.ts';
import { addCertificateCommands, addDoubtCommands, addHoldCommands } from './cli/retentionArguments.ts';
import { addSubjectCommands } from './cli/subjectArguments.ts';
import { asPreavisError, PreavisError } from './core/errors.ts';
import { installedPath } from './core/installation.ts';

/**
 * Arguments, exit codes and the one place where an error becomes text for people. A command's modules are loaded when it runs, so
 * the help, the version and a small command do not wait for those of `serve`.
 */

type Common = { json?: true };

const manifest = JSON.parse(readFileSync(installedPath('package.json'), 'utf8')) as { version: string };

/** Commander refuses a command without such an option, and does not say so in the help. */
function describeOption(option: Option): string {
  return `${new Help().optionDescription(option)}${option.mandatory ? ' (required)' : ''}`;
}

function program(done: (code: number) => void): Command {
  const root = new Command('preavis')
    .description(
      'Plays a recording notice to callers of Asterisk, records only after it, archives and erases recordings.',
    )
    .version(manifest.version)
    .option('--config <file>', `configuration file (default: PREAVIS_CONFIG or ${defaultConfigFile})`)
    .exitOverride()
    .configureHelp({ optionDescription: describeOption })
    .configureOutput({ writeErr: () => undefined })
    .addHelpText(
      'afterAll',
      '\nExit codes: 0 done, 1 failed, 2 bad usage or configuration, 3 done but something needs attention.',
    );
  const context = (): CommandContext => makeContext(root.opts<{ config?: string }>().config, process.env);
  const jsonOption = ['--json', 'print one JSON document'] as const;

  root
    .command('serve')
    .description('run the ARI application and its jobs until SIGTERM or SIGINT')
    .option('--json', 'print an error that stops it as one JSON object, like its log')
    .option('--take-over', 'take over the Stasis application from another client that has its event socket open')
    .option('--new-catalogue', 'begin with a new catalogue although the archive belongs to another one')
    .action(async ({ takeOver, newCatalogue }: { takeOver?: true; newCatalogue?: true }) => {
      const { serve } = await import('./cli/commands/serve.ts');
      done(await serve(context(), { takeOver: takeOver === true, newCatalogue: newCatalogue === true }));
    });
  root
    .command('check')
    .description('check configuration, prompts, spool, catalogue, archive and Asterisk; print what is wrong')
    .option(...jsonOption)
    .action(async (options: Common) => {
      const { check } = await import('./cli/check/check.ts');
      done(await check(context(), { json: options.json === true }));
    });
  root
    .command('upload')
    .description('send finished recordings to the archive, once; safe beside a running serve')
    .option('--dry-run', 'only print what would be sent')
    .option(...jsonOption)
    .action(async (options: Common & { dryRun?: true }) => {
      const { upload } = await import('./cli/commands/upload.ts');
      done(await upload(context(), { dryRun: options.dryRun === true, json: options.json === true }));
    });
  const archive = root.command('archive').description('manage the archive of recordings');
  archive
    .command('rewrap')
    .description('wrap the keys of all archived recordings under the current key; their audio is not changed')
    .option('--dry-run', 'only print how many there are')
    .option(...jsonOption)
    .action(async (options: Common & { dryRun?: true }) => {
      const { archiveRewrap } = await import('./cli/commands/rewrap.ts');
      done(await archiveRewrap(context(), { dryRun: options.dryRun === true, json: options.json === true }));
    });
  archive
    .command('move')
    .description(
      'move recordings from the archives of archive.former into the configured one; safe beside a running serve',
    )
    .option('--dry-run', 'only print how much would be moved, and whether it can be')
    .option('--remove-old', 'then delete each moved recording from its old archive, after reading it back once more')
    .option(
      '--moved <location>',
      'its objects were moved here by other means: read each back here, without access to it',
    )
    .option('--decrypt', 'move encrypted recordings to an archive that Préavis does not encrypt')
    .option(...jsonOption)
    .action(async (options: Common & { dryRun?: true; removeOld?: true; moved?: string; decrypt?: true }) => {
      const { dryRun, removeOld, moved, decrypt, json } = options;
      const { archiveMove } = await import('./cli/commands/archiveMove.ts');
      const flags = { dryRun: dryRun === true, removeOld: removeOld === true, decrypt: decrypt === true };
      done(await archiveMove(context(), { ...flags, moved, json: json === true }));
    });
  const retention = root.command('retention').description('erase recordings whose time is over');
  retention
    .command('run')
    .description('one pass; safe beside a running serve')
    .option('--dry-run', 'only list what is due, and what a lock keeps; change nothing')
    .option('--yes', 'do not ask on a terminal')
    .option('--clock-is-right', 'erase what is due although the last pass was long ago: you have checked the clock')
    .option(...jsonOption)
    .action(
      async ({ dryRun, yes, clockIsRight, json }: Common & { dryRun?: true; yes?: true; clockIsRight?: true }) => {
        const { retentionRun } = await import('./cli/commands/retention/retention.ts');
        const flags = { dryRun: dryRun === true, yes: yes === true, clockIsRight: clockIsRight === true };
        const options = { ...flags, json: json === true };
        done(await retentionRun(context(), options));
      },
    );
  retention
    .command('shorten')
    .description('apply a shortened storage time to earlier recordings; without --apply only print what would change')
    .requiredOption('--purpose <purpose>', 'the purpose whose keepDays is shorter now')
    .option('--apply', 'do it; it cannot be undone')
    .option(...jsonOption)
    .action(async ({ purpose, apply, json }: Common & { purpose: string; apply?: true }) => {
      const { retentionShorten } = await import('./cli/commands/retention/retention.ts');
      done(await retentionShorten(context(), { purpose, apply: apply === true, json: json === true }));
    });
  addCertificateCommands(root, context, done);
  const recordings = root
    .command('recordings')
    .description('list, show and fetch recordings, compare them with the archive');
  recordings
    .command('list')
    .description('list recordings, newest first')
    .option('--status <status>', `only those with this status: ${recordingStatuses.join(', ')}`)
    .option('--purpose <purpose>', 'only those that may still be used for this purpose')
    .option(
      '--day <day>',
      'only those that began on this day of the local time, such as 2026-08-24, today or yesterday',
    )
    .option('--line <line>', 'only those of calls on this line')
    .option('--limit <number>', 'at most this many', '50')
    .option(...jsonOption)
    .action(async (options: Common & Omit<ListOptions, 'json'>) => {
      const { status, purpose, day, line, limit } = options;
      const { recordingsList } = await import('./cli/commands/recordings.ts');
      done(await recordingsList(context(), { status, purpose, day, line, limit, json: options.json === true }));
    });
  recordings
    .command('show <id>')
    .description('show one recording: call, notice, file, archive and history')
    .option(...jsonOption)
    .action(async (id: string, options: Common) => {
      const { recordingsShow } = await import('./cli/commands/recordings.ts');
      done(await recordingsShow(context(), id, options.json === true));
    });
  recordings
    .command('fetch <id>')
    .description('fetch the WAV of one recording for one of its purposes, until the end of that purpose; audited')
    .requiredOption('--purpose <purpose>', 'the purpose it is needed for')
    .requiredOption('-o, --output <file>', 'the file to make, for its owner only')
    .option('--force', 'replace a file that is there already')
    .option(...jsonOption)
    .action(async (id: string, options: Common & { purpose: string; output: string; force?: true }) => {
      const { purpose, output, force, json } = options;
      const { recordingsFetch } = await import('./cli/commands/fetch.ts');
      done(await recordingsFetch(context(), id, { purpose, output, force: force === true, json: json === true }));
    });
  recordings
    .command('reconcile')
    .description('compare recording folder, catalogue and archive; repair what is safe; exit 3 when something is left')
    .option('--dry-run', 'only print what is found; change nothing')
    .option('--yes', 'do not ask on a terminal')
    .option('--verify', 'read every object back, and look for earlier versions of what was erased')
    .option(...jsonOption)
    .action(async (options: Common & { dryRun?: true; yes?: true; verify?: true }) => {
      const { dryRun, yes, verify, json } = options;
      const flags = { dryRun: dryRun === true, yes: yes === true, verify: verify === true, json: json === true };
      const { recordingsReconcile } = await import('./cli/commands/retention/reconcile.ts');
      done(await recordingsReconcile(context(), flags));
    });
  addHoldCommands(recordings, context, done);
  addDoubtCommands(recordings, context, done);
  archive
    .command('lifecycle')
    .description('print or write the bucket rule that deletes what retention has left; exit 3 when it differs')
    .option('--apply', 'write it; other rules are kept')
    .option(...jsonOption)
    .action(async ({ apply, json }: Common & { apply?: true }) => {
      const { archiveLifecycle } = await import('./cli/commands/archive.ts');
      done(await archiveLifecycle(context(), { apply: apply === true, json: json === true }));
    });
  addSubjectCommands(root, context, done, firstLine);
  const purposes = root.command('purposes').description('why calls are recorded');
  purposes
    .command('list')
    .description('list the purposes: consent, how long recordings are kept, who may listen')
    .option(...jsonOption)
    .action(async (options: Common) => {
      const { purposesList } = await import('./cli/commands/purposes.ts');
      done(await purposesList(context(), { json: options.json === true }));
    });
  purposes
    .command('register')
    .description('print the register of processing (GDPR art. 30) as Markdown; exit 3 when something is not stated')
    .option('--json', 'print it as one JSON document in place of Markdown')
    .action(async (options: Common) => {
      const { purposesRegister } = await import('./cli/commands/purposes.ts');
      done(await purposesRegister(context(), { json: options.json === true }));
    });
  root
    .command('report')
    .description(
      'print what is kept, why, until when, what is overdue and what failed, as Markdown; exit 3 when something needs attention',
    )
    .option('--month <YYYY-MM>', 'the month in UTC (default: the last one that is over)')
    .option('--json', 'print it as one JSON document in place of Markdown')
    .action(async ({ month, json }: Common & { month?: string }) => {
      const { report } = await import('./cli/commands/report.ts');
      done(await report(context(), { month, json: json === true }));
    });
  const calls = root.command('calls').description('list and show calls, recorded or not');
  calls
    .command('list')
    .description('list calls, newest first')
    .option(
      '--day <day>',
      'only those that began on this day of the local time, such as 2026-08-24, today or yesterday',
    )
    .option('--line <line>', 'only those on this line')
    .option('--purpose <purpose>', 'only those with this purpose')
    .option('--result <result>', 'only those with this result: recorded, unrecorded, notConnected, abandoned, goingOn')
    .option('--limit <number>', 'at most this many', '50')
    .option(...jsonOption)
    .action(async ({ json, ...chosen }: Common & Omit<CallListOptions, 'json'>) => {
      const { callsList } = await import('./cli/commands/calls.ts');
      done(await callsList(context(), { ...chosen, json: json === true }));
    });
  calls
    .command('show <id>')
    .description('show one call: what happened when, what the caller was told and answered, the recording')
    .option(...jsonOption)
    .action(async (id: string, options: Common) => {
      const { callsShow } = await import('./cli/commands/calls.ts');
      done(await callsShow(context(), id, options.json === true));
    });
  calls
    .command('receipt <id>')
    .description('print the receipt of a call: how the caller was told, what they answered, what was recorded')
    .option('--json', 'the same: a receipt is JSON in any case')
    .action(async (id: string) => {
      const { callsReceipt } = await import('./cli/commands/calls.ts');
      done(await callsReceipt(context(), id));
    });
  const webhooks = root.command('webhooks').description('endpoints that receive messages about recordings');
  webhooks
    .command('list')
    .description('list the webhooks, what waits for them and what was given up; exit 3 when something was given up')
    .option('--limit <number>', 'at most this many messages', '50')
    .option(...jsonOption)
    .action(async (options: Common & { limit: string }) => {
      const { webhooksList } = await import('./cli/commands/webhooks.ts');
      done(await webhooksList(context(), { limit: options.limit, json: options.json === true }));
    });
  webhooks
    .command('test <name>')
    .description('send one signed message of type webhook.test now, and print the result')
    .option(...jsonOption)
    .action(async (name: string, options: Common) => {
      const { webhooksTest } = await import('./cli/commands/webhooks.ts');
      done(await webhooksTest(context(), name, { json: options.json === true }));
    });
  webhooks
    .command('retry [name]')
    .description('let serve resend waiting and given-up messages, to one webhook or to all')
    .option(...jsonOption)
    .action(async (name: string | undefined, options: Common) => {
      const { webhooksRetry } = await import('./cli/commands/webhooks.ts');
      done(await webhooksRetry(context(), name, { json: options.json === true }));
    });
  const languages = root.command('languages').description('the languages that callers chose by a key');
  languages
    .command('forget')
    .description('forget the language that a caller chose: the next call is treated as the first')
    .option('--number <number>', 'the number of that caller, national or international; - reads it from standard input')
    .option('--all', 'those of all callers')
    .option(...jsonOption)
    .action(async ({ number, all, json }: Common & { number?: string; all?: true }) => {
      const { languagesForget } = await import('./cli/commands/languages.ts');
      done(await languagesForget(context(), { number, all: all === true, json: json === true }, firstLine));
    });
  addEvidence(root, context, manifest.version, done);
  const prompts = root.command('prompts').description('the sentences that callers hear');
  const soundsOption = ['--sounds <folder>', 'folder with prompts.yaml (default: notice.soundsFolder)'] as const;
  prompts
    .command('list')
    .description('list every sentence: language, kind, length, who speaks, hash, text')
    .option(...soundsOption)
    .option(...jsonOption)
    .action(async ({ sounds, json }: Common & { sounds?: string }) => {
      const { promptsList } = await import('./cli/commands/prompts.ts');
      done(await promptsList(context(), { sounds, json: json === true }));
    });
  prompts
    .command('build')
    .description('make the sound files: placeholders from the texts, and the formats of recordings (<id>.source.wav)')
    .option(...soundsOption)
    .option('--language <tag...>', 'only these languages')
    .option('--force', 'make all again, replacing sounds of other origin, too')
    .option(...jsonOption)
    .action(async (options: Common & { sounds?: string; language?: string[]; force?: true }) => {
      const { sounds, language: languages, force, json } = options;
      const { promptsBuild } = await import('./cli/commands/prompts.ts');
      done(await promptsBuild(context(), { sounds, languages, force: force === true, json: json === true }));
    });
  prompts
    .command('check')
    .description('measure every sound file: format, words, level, peak, silence, pace; exit 3 when one needs attention')
    .option(...soundsOption)
    .option(...jsonOption)
    .action(async ({ sounds, json }: Common & { sounds?: string }) => {
      const { promptsCheck } = await import('./cli/commands/prompts.ts');
      done(await promptsCheck(context(), { sounds, json: json === true }));
    });
  prompts
    .command('install')
    .description("copy the prompts into Asterisk's sounds folder")
    .requiredOption('--to <folder>', "Asterisk's sounds folder, for example /usr/share/asterisk/sounds")
    .option(...jsonOption)
    .action(async (options: Common & { to: string }) => {
      const { promptsInstall } = await import('./cli/commands/prompts.ts');
      done(await promptsInstall(context(), { to: options.to, json: options.json === true }));
    });

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
