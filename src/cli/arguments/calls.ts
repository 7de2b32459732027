import type { Command } from 'commander';
import { controllerFilter, dialledFilter, jsonOption, pbxFilter, type RunAs } from './commandLine.ts';

export function addCalls(root: Command, run: RunAs): void {
  const calls = root.command('calls').description('list and show calls, recorded or not');
  addList(calls, run);
  calls
    .command('show <id>')
    .description('show one call: what happened when, what the caller was told and answered, the recording')
    .option(...jsonOption)
    .action(run(async () => (await import('../commands/calls.ts')).callsShow));
  calls
    .command('pause <id>')
    .description('pause the recording of a call that goes on, until somebody resumes it or its time is over')
    .option(...jsonOption)
    .action(run(async () => (await import('../commands/callsPause.ts')).callsPause));
  calls
    .command('resume <id>')
    .description('let the recording of a paused call go on, once both sides have heard that it does')
    .option(...jsonOption)
    .action(run(async () => (await import('../commands/callsPause.ts')).callsResume));
  calls
    .command('record <id>')
    .description('record a call from now on that goes on, on a line that records on request')
    .option(...jsonOption)
    .action(run(async () => (await import('../commands/callsMark.ts')).callsRecord));
  calls
    .command('erase <id>')
    .description(
      'stop the recording of a call that goes on, and remove what was recorded; nothing more of it is recorded',
    )
    .option(...jsonOption)
    .action(run(async () => (await import('../commands/callsMark.ts')).callsErase));
  calls
    .command('agreement <id>')
    .description('mark that an agreement is made in a call that goes on; exit 3 when its purpose was not told')
    .option(...jsonOption)
    .action(run(async () => (await import('../commands/callsMark.ts')).callsAgreement));
  calls
    .command('exemplary <id>')
    .description('mark a call that goes on as exemplary')
    .option(...jsonOption)
    .action(run(async () => (await import('../commands/callsMark.ts')).callsExemplary));
  calls
    .command('receipt <id>')
    .description('print the receipt of a call: how the caller was told, what they answered, what was recorded')
    .option('--json', 'the same: a receipt is JSON in any case')
    .action(run(async () => (await import('../commands/calls.ts')).callsReceipt));
}

function addList(calls: Command, run: RunAs): void {
  calls
    .command('list')
    .description('list calls, newest first')
    .option(
      '--day <day>',
      'only those that began on this day of the local time, such as 2026-08-24, today or yesterday',
    )
    .option('--line <line>', 'only those on this line')
    .option(...controllerFilter)
    .option('--purpose <purpose>', 'only those with this purpose')
    .option(...dialledFilter)
    .option(...pbxFilter)
    .option('--result <result>', 'only these: recorded, unrecorded, turnedAway, notConnected, abandoned, goingOn')
    .option('--extension <endpoint>', 'only those that go on with this telephone in them, such as 101; asks Asterisk')
    .option('--limit <number>', 'at most this many', '50')
    .option(...jsonOption)
    .action(run(async () => (await import('../commands/calls.ts')).callsList));
}

export function addWebhooks(root: Command, run: RunAs): void {
  const webhooks = root.command('webhooks').description('endpoints that receive messages about recordings');
  webhooks
    .command('list')
    .description('list the webhooks, what waits for them and what was given up; exit 3 when something was given up')
    .option('--limit <number>', 'at most this many messages', '50')
    .option(...jsonOption)
    .action(run(async () => (await import('../commands/webhooks.ts')).webhooksList));
  webhooks
    .command('test <name>')
    .description('send one signed message of type webhook.test now, and print the result')
    .option(...jsonOption)
    .action(run(async () => (await import('../commands/webhooks.ts')).webhooksTest));
  webhooks
    .command('retry [name]')
    .description('let serve resend waiting and given-up messages, to one webhook or to all')
    .option(...jsonOption)
    .action(run(async () => (await import('../commands/webhooks.ts')).webhooksRetry));
}

export function addLanguages(root: Command, run: RunAs): void {
  const languages = root.command('languages').description('the languages that callers chose by a key');
  languages
    .command('forget')
    .description('forget the language that a caller chose: the next call is treated as the first')
    .option('--number <number>', 'the number of that caller, national or international; - reads it from standard input')
    .option('--all', 'those of all callers')
    .option(...jsonOption)
    .action(run(async () => (await import('../commands/languages.ts')).languagesForget));
}
