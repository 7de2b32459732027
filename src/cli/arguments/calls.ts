import type { Command } from 'commander';
import type { CallListOptions } from '../commands/calls.ts';
import type { ForgetOptions } from '../commands/languages.ts';
import { jsonOption, type CommandLine, type Json } from './commandLine.ts';

export function addCalls(root: Command, { context, done }: CommandLine): void {
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
    .action(async (options: CallListOptions) => {
      const { callsList } = await import('../commands/calls.ts');
      done(await callsList(context(), options));
    });
  calls
    .command('show <id>')
    .description('show one call: what happened when, what the caller was told and answered, the recording')
    .option(...jsonOption)
    .action(async (id: string, { json }: Json) => {
      const { callsShow } = await import('../commands/calls.ts');
      done(await callsShow(context(), id, json));
    });
  calls
    .command('receipt <id>')
    .description('print the receipt of a call: how the caller was told, what they answered, what was recorded')
    .option('--json', 'the same: a receipt is JSON in any case')
    .action(async (id: string) => {
      const { callsReceipt } = await import('../commands/calls.ts');
      done(await callsReceipt(context(), id));
    });
}

export function addWebhooks(root: Command, { context, done }: CommandLine): void {
  const webhooks = root.command('webhooks').description('endpoints that receive messages about recordings');
  webhooks
    .command('list')
    .description('list the webhooks, what waits for them and what was given up; exit 3 when something was given up')
    .option('--limit <number>', 'at most this many messages', '50')
    .option(...jsonOption)
    .action(async (options: Json & { limit: string }) => {
      const { webhooksList } = await import('../commands/webhooks.ts');
      done(await webhooksList(context(), options));
    });
  webhooks
    .command('test <name>')
    .description('send one signed message of type webhook.test now, and print the result')
    .option(...jsonOption)
    .action(async (name: string, options: Json) => {
      const { webhooksTest } = await import('../commands/webhooks.ts');
      done(await webhooksTest(context(), name, options));
    });
  webhooks
    .command('retry [name]')
    .description('let serve resend waiting and given-up messages, to one webhook or to all')
    .option(...jsonOption)
    .action(async (name: string | undefined, options: Json) => {
      const { webhooksRetry } = await import('../commands/webhooks.ts');
      done(await webhooksRetry(context(), name, options));
    });
}

export function addLanguages(root: Command, { context, done, firstLine }: CommandLine): void {
  const languages = root.command('languages').description('the languages that callers chose by a key');
  languages
    .command('forget')
    .description('forget the language that a caller chose: the next call is treated as the first')
    .option('--number <number>', 'the number of that caller, national or international; - reads it from standard input')
    .option('--all', 'those of all callers')
    .option(...jsonOption)
    .action(async (options: ForgetOptions) => {
      const { languagesForget } = await import('../commands/languages.ts');
      done(await languagesForget(context(), options, firstLine));
    });
}
