import { spawn } from 'node:child_process';
import { chmod, writeFile } from 'node:fs/promises';
import { Agent, request, type IncomingHttpHeaders } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { stringify } from 'yaml';
import { commandFile } from '../command.ts';
import { eventually } from '../poll.ts';

/** The real `preavis web`, in a process of its own. */

export type Asking = {
  method?: string;
  headers?: Record<string, string | string[]>;
  body?: string | Buffer;
};
/** `code` of a problem; '' of anything else. */
export type Answered = { status: number; code: string; headers: IncomingHttpHeaders; body: Buffer };

export type WebProcess = {
  url: string;
  pid: number;
  /** All that it has written. */
  log: () => string;
  /** `path` as it is written on the wire, below /api/v1. */
  ask: (path: string, how?: Asking) => Promise<Answered>;
  /** By SIGTERM; the code of its end. */
  stop: () => Promise<number | null>;
  kill: () => Promise<number | null>;
};

const codeOf = (type: string | undefined, body: Buffer): string =>
  type?.startsWith('application/problem+json') === true && body.length > 0
    ? (JSON.parse(body.toString('utf8')) as { code: string }).code
    : '';

/** Whoever waits for longer has no answer, ms: every limit of the server is shorter. */
const answeredWithin = 60_000;

/** One request; waits for the whole answer. */
function asking(url: string, agent: Agent): WebProcess['ask'] {
  return (path, { method = 'GET', headers = {}, body } = {}) =>
    new Promise((resolve, reject) => {
      // Of methods that usually have no body Node would not say how long it is.
      const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
      const how = { agent, method, headers: { ...length, ...headers }, path: `/api/v1${path}` };
      const sent = request(`${url}/api/v1`, how, (answer) => {
        const whole = async (): Promise<Answered> => {
          const { statusCode: status = 0, headers: given } = answer;
          const bytes = await buffer(answer);

          return { status, code: codeOf(given['content-type'], bytes), headers: given, body: bytes };
        };
        whole().then(resolve, reject);
      });
      sent.setTimeout(answeredWithin, () => sent.destroy(new Error(`${method} was not answered`)));
      sent.once('error', reject);
      sent.end(body);
    });
}

/**
 * Starts it with this configuration, and waits until it listens.
 * @param program default: what was built here
 */
export async function startWebProcess(
  file: string,
  tree: Readonly<Record<string, unknown>>,
  program: string = commandFile,
): Promise<WebProcess> {
  await writeFile(file, stringify(tree));
  await chmod(file, 0o600);

  return startWebAgain(file, {}, program);
}

/** The same, by the configuration that is there. */
export async function startWebAgain(
  file: string,
  environment: NodeJS.ProcessEnv = {},
  program: string = commandFile,
): Promise<WebProcess> {
  const child = spawn(process.execPath, [program, '--config', file, 'web'], {
    env: { PATH: process.env['PATH'], ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data: Buffer) => (text += data.toString()));
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const url = await eventually(() => {
    if (child.exitCode !== null) throw new Error(`preavis web has ended: ${text}`);

    return /"url":"([^"]+)"/.exec(text)?.[1] ?? false;
  });
  const agent = new Agent({ keepAlive: true, maxSockets: 16 });
  const end = (signal: NodeJS.Signals) => (): Promise<number | null> => {
    agent.destroy();
    child.kill(signal);

    return ended;
  };

  return {
    url,
    pid: child.pid ?? 0,
    log: () => text,
    ask: asking(url, agent),
    stop: end('SIGTERM'),
    kill: end('SIGKILL'),
  };
}
