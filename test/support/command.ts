import { execFile } from 'node:child_process';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');
/** The built command. */
export const commandFile = join(root, 'dist', 'main.js');

export type CommandRun = { code: number; stdout: string; stderr: string };

/** The built command, in a process of its own, with a umask that takes nothing away. */
export function runCommand(args: readonly string[], environment: NodeJS.ProcessEnv = {}): Promise<CommandRun> {
  const command = [process.execPath, commandFile, ...args];

  return new Promise((resolve) => {
    execFile(
      '/bin/sh',
      ['-c', 'umask 000; exec "$@"', 'sh', ...command],
      { cwd: root, env: { PATH: process.env['PATH'], ...environment }, timeout: 60_000 },
      (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
      },
    );
  });
}
