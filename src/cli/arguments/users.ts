import type { Command } from 'commander';
import { jsonOption, type RunAs } from './commandLine.ts';

/** Arguments of the commands for those who come in without a shell. */

export function addUsers(root: Command, run: RunAs): void {
  const users = root.command('users').description('who may see and hear what, without a shell');
  users
    .command('hash')
    .description('ask for a password, or read it from standard input, and print what the configuration keeps of it')
    .option(...jsonOption)
    .action(run(async () => (await import('../commands/users.ts')).usersHash));
  users
    .command('totp')
    .description('make a secret for one-time codes, and its address for the telephone of a user')
    .argument('<name>', 'name of the user')
    .option(...jsonOption)
    .action(run(async () => (await import('../commands/users.ts')).usersTotp));
  users
    .command('token')
    .description('make a token for a program, and what the configuration keeps of it')
    .option(...jsonOption)
    .action(run(async () => (await import('../commands/users.ts')).usersToken));
  users
    .command('list')
    .description(
      'list users, tokens, rules of OpenID Connect and who is signed in by them: role, what they see, sessions, expiry',
    )
    .option(...jsonOption)
    .action(run(async () => (await import('../commands/users.ts')).usersList));
  users
    .command('may')
    .description('print what a user or a token may do with a recording now, and why not')
    .argument('<name>', 'name of the user or of the token')
    .argument('<id>', 'id of the recording')
    .option(...jsonOption)
    .action(run(async () => (await import('../commands/users.ts')).usersMay));
  users
    .command('code')
    .description('make a code that signs a user in once, within some minutes; audited')
    .argument('<name>', 'name of the user')
    .option('--minutes <minutes>', 'how long it works, from 1 to 60', '10')
    .option(...jsonOption)
    .action(run(async () => (await import('../commands/users.ts')).usersCode));
  users
    .command('sign-out')
    .description('end all sessions of a user, or of somebody who came through OpenID Connect; audited')
    .argument('<name>', 'name of the user, or openid:... as `users list` and the audit trail have it')
    .option(...jsonOption)
    .action(run(async () => (await import('../commands/users.ts')).usersSignOut));
}
