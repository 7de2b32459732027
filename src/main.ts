#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { check } from './commands/check.ts';
import { defaultConfigFile, makeContext, type CommandContext } from './commands/context.ts';
import { promptsInstall } from './commands/prompts.ts';
import { purposesList, purposesRegister } from './commands/purposes.ts';
import { recordingsList, recordingsShow, type ListOptions } from './commands/recordings.ts';
import { retentionRun } from './commands/retention.ts';
import { serve } from './commands/serve.ts';
import { upload } from './commands/upload.ts';
import { asPreavisError } from './core/errors.ts';

/** Arguments, exit codes and the one place where an error becomes text for people. */

type Common = { json?: true };

const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string };

function program(done: (code: number) => void): Command {
  const root = new Command('preavis')
    .description('Tells callers of an Asterisk that they may be recorded, records them only then, archives and erases.')
    .version(manifest.version)
    .option('--config <file>', `configuration file (default: PREAVIS_CONFIG or ${defaultConfigFile})`)
    .exitOverride()
    .configureOutput({ writeErr: () => undefined })
    .addHelpText(
      'after',
      '\nExit codes: 0 done, 1 failed, 2 bad usage or configuration, 3 done but something needs attention.',
    );
  const context = (): CommandContext => makeContext(root.opts<{ config?: string }>().config, process.env);
  const jsonOption = ['--json', 'print one JSON document'] as const;

  root
    .command('serve')
    .description('run the ARI application and its jobs until SIGTERM or SIGINT')
    .action(async () => {
      done(await serve(context()));
    });
  root
    .command('check')
    .description('look at configuration, prompts, spool, catalogue, archive and Asterisk; say what is wrong')
    .option(...jsonOption)
    .action(async (options: Common) => {
      done(await check(context(), { json: options.json === true }));
    });
  root
    .command('upload')
    .description('send finished recordings to the archive, once; safe beside a running serve')
    .option('--dry-run', 'only say what would be sent')
    .option(...jsonOption)
    .action(async (options: Common & { dryRun?: true }) => {
      done(await upload(context(), { dryRun: options.dryRun === true, json: options.json === true }));
    });
  const retention = root.command('retention').description('erase recordings whose time is over');
  retention
    .command('run')
    .description('one pass; safe beside a running serve')
    .option('--dry-run', 'only list what is due')
    .option(...jsonOption)
    .action(async (options: Common & { dryRun?: true }) => {
      done(await retentionRun(context(), { dryRun: options.dryRun === true, json: options.json === true }));
    });
  const recordings = root.command('recordings').description('look at recordings');
  recordings
    .command('list')
    .description('list recordings, newest first')
    .option('--status <status>', 'only those with this status')
    .option('--purpose <purpose>', 'only those that may still be used for this purpose')
    .option('--limit <number>', 'at most so many', '50')
    .option(...jsonOption)
    .action(async (options: Common & Omit<ListOptions, 'json'>) => {
      const { status, purpose, limit } = options;
      done(await recordingsList(context(), { status, purpose, limit, json: options.json === true }));
    });
  recordings
    .command('show <id>')
    .description('show one recording: call, notice, file, archive and history')
    .option(...jsonOption)
    .action(async (id: string, options: Common) => {
      done(await recordingsShow(context(), id, options.json === true));
    });
  const purposes = root.command('purposes').description('why calls are recorded');
  purposes
    .command('list')
    .description('list the purposes: consent, how long recordings are kept, who may listen')
    .option(...jsonOption)
    .action(async (options: Common) => {
      done(await purposesList(context(), { json: options.json === true }));
    });
  purposes
    .command('register')
    .description('print the register of processing (GDPR art. 30) as Markdown')
    .option('--json', 'print it as one JSON document')
    .action(async (options: Common) => {
      done(await purposesRegister(context(), { json: options.json === true }));
    });
  const prompts = root.command('prompts').description('the sentences that callers hear');
  prompts
    .command('install')
    .description("copy the prompts into Asterisk's sounds folder")
    .requiredOption('--to <folder>', "Asterisk's sounds folder, for example /usr/share/asterisk/sounds")
    .option(...jsonOption)
    .action(async (options: Common & { to: string }) => {
      done(await promptsInstall(context(), { to: options.to, json: options.json === true }));
    });

  return root;
}

/** Prints code, what is wrong and what to do; never a stack trace. */
function explain(thrown: unknown): number {
  const error = asPreavisError(thrown);
  process.stderr.write(`preavis: ${error.code}: ${error.message}\n`);
  if (error.hint !== '') process.stderr.write(`  ${error.hint}\n`);

  return error.exitCode;
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
    if (thrown instanceof CommanderError) {
      if (thrown.exitCode === 0) return 0;
      process.stderr.write(`preavis: usage: ${thrown.message.replace(/^error: /, '')}\n  See \`preavis --help\`.\n`);

      return 2;
    }

    return explain(thrown);
  }

  return code;
}

process.exitCode = await main(process.argv);
