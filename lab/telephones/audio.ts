/** Sound for callers and agents: raw 8 kHz a-law, as SIPp's rtp_stream reads it. Made by sox, kept in the cache folder. */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, statSync } from 'node:fs';
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
