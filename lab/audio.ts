/** Sound for callers and agents: raw 8 kHz a-law, as SIPp's rtp_stream reads it. Made by sox, kept in the cache folder. */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { ulid } from 'ulid';
import { cacheFolder } from './places.mjs';

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

/** Any sound file that sox reads, as speech for a caller or an agent. */
export async function toneFromFile(path: string): Promise<ToneFile> {
  const target = join(tonesFolder(), `${basename(path)}-${ulid()}.al`);
  await run('sox', [path, '-t', 'al', '-r', '8000', '-c', '1', target]);
  return { path: target, lengthMs: statSync(target).size / 8 };
}

async function make(name: string, lengthMs: number, effects: readonly string[]): Promise<ToneFile> {
  const path = join(tonesFolder(), name);
  if (!existsSync(path)) {
    const partial = `${path}.${ulid()}`;
    await run('sox', ['-D', '-n', '-t', 'al', '-r', '8000', '-c', '1', partial, ...effects]);
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
