/**
 * A speech synthesiser that the operator names by a command. It gets the text on its standard input and writes a WAV file; what
 * it must know besides stands in its arguments. No shell sees any of it.
 */
import { spawn } from 'node:child_process';
import { rm, stat } from 'node:fs/promises';
import { errnoOf, PreavisError } from '../core/errors.ts';
import { timeLimit } from '../core/timeLimit.ts';

export type Synthesiser = {
  program: string;
  /** As written, with names in braces. */
  args: readonly string[];
  /** For one sentence. */
  timeLimitMs: number;
};

/** What the braces in an argument may name. voice: as prompts.yaml has it for the language. */
const places = ['file', 'language', 'voice'] as const;
type Place = (typeof places)[number];

/** A minute of 24-bit stereo at 96 kHz: no sentence is longer. */
const mostBytes = 2 ** 25;
const mostErrorText = 2 ** 16;
const lastWordsMs = 500;
/** An argument has single quotes, double quotes, or neither; quotes within one are joined, as a shell does. */
const argument = /(?:[^\s'"]|'[^']*'|"[^"]*")+/g;

/**
 * Reads a command as it was given on the command line: words between blanks, which quotes keep together. Nothing else of what a
 * shell knows is known here.
 *
 * @throws PreavisError `usage`: no program, a quote without its end, no {file}, a name in braces that is not known.
 */
export function readSynthesiser(command: string, timeLimitMs: number): Synthesiser {
  if (command.replaceAll(argument, '').trim() !== '') throw unusable('a quote has no end');
  const [program, ...args] = (command.match(argument) ?? []).map((word) =>
    word.replaceAll(/'([^']*)'|"([^"]*)"/g, (_, single?: string, double?: string) => single ?? double ?? ''),
  );
  if (program === undefined || program === '') throw unusable('there is no program in it');
  const named = args.flatMap((each) => [...each.matchAll(/\{([a-z]+)\}/g)].map(([, name = '']) => name));
  const unknown = named.find((name) => !places.some((place) => place === name));
  if (unknown !== undefined) throw unusable(`{${unknown}} is not known`);
  if (!named.includes('file')) throw unusable('it lacks {file}, where the WAV is put');

  return { program, args, timeLimitMs };
}

function unusable(why: string): PreavisError {
  return new PreavisError('usage', `--command: ${why}`, {
    hint: 'Write for example --command "piper --model /opt/voices/{language}.onnx --output_file {file}"; {voice} is that of prompts.yaml.',
  });
}

export type Words = { text: string } & Readonly<Record<Exclude<Place, 'file'>, string>>;

/**
 * Lets the program speak into `file`, which is a WAV of any kind afterwards, as far as can be told without reading it.
 *
 * @throws PreavisError `program_missing`, or `prompts_build_failed`: it cannot be started, fails, does not end, or writes nothing.
 */
export async function speakBy(synthesiser: Synthesiser, { text, ...words }: Words, file: string): Promise<void> {
  const { program } = synthesiser;
  // What an earlier sentence left must not be taken for this one.
  await rm(file, { force: true, recursive: true });
  const filled: Readonly<Record<Place, string>> = { ...words, file };
  const args = synthesiser.args.map((each) =>
    each.replaceAll(/\{(file|language|voice)\}/g, (_, place: Place) => filled[place]),
  );
  await run(synthesiser, args, text);
  const written = await stat(file).catch((thrown: unknown) => {
    if (errnoOf(thrown) !== 'ENOENT') throw thrown;
    return undefined;
  });
  if (written?.isFile() !== true) throw failed(program, 'ended well and wrote no file where {file} stands');
  if (written.size === 0) throw failed(program, 'wrote an empty file');
  if (written.size > mostBytes) throw failed(program, `wrote ${written.size} bytes, more than any sentence takes`);
}

/** Names the program in what is wrong with its file. */
export async function asWrittenBy<T>(program: string, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (thrown) {
    if (!(thrown instanceof PreavisError) || thrown.code !== 'prompts_build_failed') throw thrown;
    throw failed(program, `what it wrote is unusable: ${thrown.message}`, thrown);
  }
}

function failed(program: string, why: string, cause?: unknown): PreavisError {
  return new PreavisError('prompts_build_failed', `${program}: ${why}`, { cause });
}

function run({ program, timeLimitMs }: Synthesiser, args: readonly string[], text: string): Promise<void> {
  const limit = timeLimit(timeLimitMs);

  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['pipe', 'ignore', 'pipe'], signal: limit, killSignal: 'SIGKILL' });
    let said = '';
    child.on('error', (cause) => {
      child.stderr.destroy();
      if (limit.aborted) reject(failed(program, `has not ended after ${timeLimitMs / 1_000} s`, cause));
      else if (errnoOf(cause) === 'ENOENT') reject(missing(program, cause));
      else reject(failed(program, `cannot be started (${errnoOf(cause) ?? 'unknown error'})`, cause));
    });
    // One that ends before it has read says why by its exit code.
    child.stdin.on('error', () => undefined);
    child.stdin.end(`${text}\n`);
    child.stderr.setEncoding('utf8').on('data', (part: string) => {
      said = (said + part).slice(-mostErrorText);
    });
    const settle = (code: number | null, killedBy: string | null): void => {
      child.stderr.destroy();
      const lastLine = said.trim().split('\n').at(-1) ?? '';
      const how = killedBy === null ? `ended with exit code ${code ?? 'unknown'}` : `was ended by ${killedBy}`;
      if (code === 0) resolve();
      else reject(failed(program, lastLine === '' ? how : `${how}: ${lastLine}`));
    };
    child.on('close', settle);
    // A child of it may hold the pipe open for ever: what it said until then will do.
    child.on('exit', (...how) => setTimeout(settle, lastWordsMs, ...how).unref());
  });
}

function missing(program: string, cause: unknown): PreavisError {
  return new PreavisError('program_missing', `${program}, the program of --command, is not found`, {
    cause,
    hint: 'Install it, or give its whole path.',
  });
}
