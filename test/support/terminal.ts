import { spawn } from 'node:child_process';
import { shellWord } from '../../src/core/text/shell.ts';
import { commandFile } from './command.ts';

export type TerminalRun = { code: number; shown: string };

/**
 * The built command on a terminal of its own (a pty, by script of util-linux); what it shows, standard error among it.
 *
 * @param answers what somebody types, each at the next question
 */
export function runOnTerminal(args: readonly string[], answers: readonly string[] = []): Promise<TerminalRun> {
  const command = [process.execPath, commandFile, ...args].map(shellWord).join(' ');
  const child = spawn('script', ['-qec', command, '/dev/null'], {
    env: { PATH: process.env['PATH'], TERM: 'xterm', SHELL: '/bin/sh', TZ: 'Europe/Brussels' },
    timeout: 60_000,
  });
  let shown = '';
  let asked = 0;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    shown += text;
    const questions = shown.split('[y/N]').length - 1;
    for (; asked < questions; asked += 1) child.stdin.write(answers[asked] ?? '\u0003');
  });
  child.stdin.on('error', () => undefined);

  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      resolve({ code: code ?? -1, shown: shown.replaceAll('\r\n', '\n') });
    });
  });
}
