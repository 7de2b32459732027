/** Sound for callers and agents: raw 8 kHz a-law, as SIPp's rtp_stream reads it. Made by sox, kept in the cache folder. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { ulid } from 'ulid';
import { cacheFolder } from '../machine/folders.mjs';

const run = promisify(execFile);

/** A raw a-law file that is played again and again. */
export type ToneFile = { readonly path: string; readonly lengthMs: number };

/** A continuous tone. */
export function continuousTone(hz: number): Promise<ToneFile> {
  return make(`tone-${hz}.al`, 2000, ['synth', '2.0', 'sine', String(hz), 'vol', '0.3']);
}

/** A tone for `onMs`, silence for `offMs`, and so on; it starts with the tone. Both are multiples of 20 ms. */
export function burstTone(
  hz: number,
  { onMs = 500, offMs = 500 }: { onMs?: number; offMs?: number } = {},
): Promise<ToneFile> {
  if (onMs % 20 !== 0 || offMs % 20 !== 0) throw new Error('Bursts are made of packets of 20 ms.');
  const effects = ['synth', seconds(onMs), 'sine', String(hz), 'vol', '0.3', 'pad', '0', seconds(offMs)];
  return make(`burst-${hz}-${onMs}-${offMs}.al`, onMs + offMs, effects);
}

const digitRows = [697, 770, 852, 941];
const digitColumns = [1209, 1336, 1477, 1633];

/** The two tones of a key (ITU-T Q.23), for callers who send keys as sound: raw a-law. */
export async function digitTone(digit: string, { onMs = 160, offMs = 160 } = {}): Promise<Buffer> {
  const place = '123A456B789C*0#D'.indexOf(digit);
  if (place < 0 || digit.length !== 1) throw new Error(`No key ${digit} on a telephone.`);
  const tones = [digitRows[place >> 2] ?? 0, digitColumns[place & 3] ?? 0];
  const synthesis = tones.flatMap((hz) => ['sine', String(hz)]);
  const name = `digit-${place}-${onMs}-${offMs}.al`;
  const effects = ['synth', seconds(onMs), ...synthesis, 'remix', '1v0.25,2v0.25', 'pad', '0', seconds(offMs)];

  return readFileSync((await make(name, onMs + offMs, effects, 2)).path);
}

/** A sentence, by a voice of espeak-ng, so many ms from the beginning. */
export type Spoken = { atMs: number; text: string };

/**
 * Somebody who says this, and is silent between it.
 * @param voice of espeak-ng, such as `fr-be` or `en-gb`
 * @param lengthMs a multiple of 20 ms; what would last longer is cut off
 */
export async function speech(voice: string, spoken: readonly Spoken[], lengthMs: number): Promise<ToneFile> {
  const digest = createHash('sha256').update(JSON.stringify({ voice, spoken, lengthMs })).digest('hex').slice(0, 16);
  const path = join(tonesFolder(), `speech-${digest}.al`);
  if (existsSync(path)) return { path, lengthMs };
  const partial = `${path}.${ulid()}`;
  const said = spoken.map(({ atMs, text }, at) => ({ atMs, text, wav: `${partial}.${at}.wav` }));
  for (const { text, wav } of said) await run('espeak-ng', ['-v', voice, '-w', wav, text]);
  const whole = [
    '-r',
    '8000',
    '-c',
    '1',
    '-t',
    'al',
    partial,
    'pad',
    '0',
    seconds(lengthMs),
    'trim',
    '0',
    seconds(lengthMs),
  ];
  const each = said.map(({ atMs, wav }) => `|sox ${wav} -p pad ${seconds(atMs)} 0`);
  // One voice: where it says several things, they do not overlap, so none is to be made quieter.
  await run('sox', [
    '-D',
    ...(each.length > 1 ? ['-m'] : []),
    ...each.flatMap((part) => ['-v', '0.7', part]),
    ...whole,
  ]);
  for (const { wav } of said) rmSync(wav, { force: true });
  renameSync(partial, path);

  return { path, lengthMs };
}

/** Any sound file that sox reads, as speech for a caller or an agent. */
export async function toneFromFile(path: string): Promise<ToneFile> {
  const target = join(tonesFolder(), `${basename(path)}-${ulid()}.al`);
  await run('sox', [path, '-t', 'al', '-r', '8000', '-c', '1', target]);
  return { path: target, lengthMs: statSync(target).size / 8 };
}

async function make(name: string, lengthMs: number, effects: readonly string[], channels = 1): Promise<ToneFile> {
  const path = join(tonesFolder(), name);
  if (!existsSync(path)) {
    const partial = `${path}.${ulid()}`;
    await run('sox', ['-D', '-r', '8000', '-c', String(channels), '-n', '-t', 'al', '-c', '1', partial, ...effects]);
    renameSync(partial, path);
  }
  return { path, lengthMs };
}

function tonesFolder(): string {
  const folder = join(cacheFolder(), 'tones');
  mkdirSync(folder, { recursive: true });
  return folder;
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(3);
}
