import { spawn } from 'node:child_process';
import { errnoOf, PreavisError } from '../../core/errors.ts';
import { timeLimit } from '../../core/timeLimit.ts';
import { dataKeyBytes, type WrappingKey } from './keyWrapping.ts';
import { within } from '../stoppable.ts';

/**
 * A key that a KMS has. A command speaks with it: it gets `wrap` or `unwrap` and the key's id as last arguments, base64 on its
 * standard input, and answers in base64 in one line. Its standard error is thrown away, and no message repeats what
 * it printed: either may hold a key.
 */
export type KmsCommandOptions = {
  /** Program and first arguments; no shell sees them. */
  command: readonly string[];
  keyId: string;
  timeLimitMs: number;
  environment: NodeJS.ProcessEnv;
};

/** A wrapped key is at most a few hundred bytes. */
const mostAnswerBytes = 16 * 1024;
const base64 = /^[A-Za-z0-9+/]+={0,2}$/;

type Task = 'wrap' | 'unwrap';

export function makeKmsKey(options: KmsCommandOptions): WrappingKey {
  return {
    id: options.keyId,
    wrap: (dataKey, signal) => ask(options, 'wrap', dataKey.toString('base64'), signal),
    unwrap: async (wrapped, signal) => {
      const dataKey = Buffer.from(await ask(options, 'unwrap', wrapped, signal), 'base64');
      if (dataKey.length !== dataKeyBytes) throw unusable(options, 'unwrap', 'its answer is not a key of 32 bytes');

      return dataKey;
    },
  };
}

function unusable({ keyId }: KmsCommandOptions, task: Task, why: string, cause?: unknown): PreavisError {
  return new PreavisError('encryption_key_unusable', `archive.encryption.kmsCommand, ${task} with ${keyId}: ${why}`, {
    cause,
  });
}

function ask(options: KmsCommandOptions, task: Task, input: string, signal: AbortSignal): Promise<string> {
  const { command, keyId, timeLimitMs, environment } = options;
  const [program = '', ...first] = command;
  const limit = timeLimit(timeLimitMs);

  const run = new Promise<string>((resolve, reject) => {
    const child = spawn(program, [...first, task, keyId], {
      stdio: ['pipe', 'pipe', 'ignore'],
      env: environment,
      signal: AbortSignal.any([signal, limit]),
      killSignal: 'SIGKILL',
    });
    let answer = '';
    child.on('error', (cause) => {
      const why = limit.aborted ? `no answer within ${timeLimitMs} ms` : (errnoOf(cause) ?? 'it cannot be started');
      reject(unusable(options, task, why, cause));
    });
    // One that ends before it has read says why by its exit code.
    child.stdin.on('error', () => undefined);
    child.stdin.end(`${input}\n`);
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      answer += text;
      if (answer.length > mostAnswerBytes) child.kill('SIGKILL');
    });
    child.on('close', (code, killedBy) => {
      const line = answer.trim();
      if (answer.length > mostAnswerBytes) reject(unusable(options, task, 'its answer is too long'));
      else if (code !== 0) reject(unusable(options, task, killedBy ?? `exit code ${code ?? 'unknown'}`));
      else if (!base64.test(line)) reject(unusable(options, task, 'its answer is not one line of base64'));
      else resolve(line);
    });
  });
  // A child of it may hold its output open after it has ended or was killed.
  return within(AbortSignal.any([signal, limit]), () => run).catch((thrown: unknown) => {
    if (thrown instanceof PreavisError && thrown.code === 'encryption_key_unusable') throw thrown;
    throw unusable(options, task, limit.aborted ? `no answer within ${timeLimitMs} ms` : 'it was stopped', thrown);
  });
}
