import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { World } from './world.ts';

/**
 * Sees for itself, without Préavis: every WAV that Asterisk ever began in its recording folder, with its greatest length, and what
 * the process of serve holds.
 */
export type Sample = {
  pid: number;
  at: number;
  residentMiB: number;
  heapMiB: number;
  /** What each open file descriptor is. */
  handles: readonly string[];
  /** By kind, of Node: timers, sockets, ... */
  resources: number;
};

/** `seenAt`: when it was seen first, Unix time in ms. */
export type SpooledFile = { name: string; bytes: number; seenAt: number };

export class Observer {
  /** By id of the recording: the WAV, and the parts that it is made of. */
  readonly #files = new Map<string, Map<string, SpooledFile>>();
  readonly samples: Sample[] = [];
  readonly #world: Pick<World, 'rig'>;
  readonly #timers: NodeJS.Timeout[];

  constructor(world: Pick<World, 'rig'>) {
    this.#world = world;
    this.#timers = [
      setInterval(() => {
        this.#look();
      }, 100),
      setInterval(() => {
        this.sample().catch(() => undefined);
      }, 5_000),
    ];
  }

  /** By id of the recording, what lay in the spool of it at any time. */
  get spooled(): Map<string, readonly SpooledFile[]> {
    return new Map([...this.#files].map(([id, files]) => [id, [...files.values()]]));
  }

  stop(): void {
    for (const timer of this.#timers) clearInterval(timer);
  }

  #look(): void {
    const folder = this.#world.rig.asterisk.spoolFolder;
    for (const name of readdirSync(folder)) {
      const id = recordingOf({ name });
      if (id === '') continue;
      try {
        const { size } = statSync(join(folder, name));
        const files = this.#files.get(id) ?? new Map<string, SpooledFile>();
        const { bytes, seenAt } = files.get(name) ?? { bytes: 0, seenAt: Date.now() };
        this.#files.set(id, files.set(name, { name, bytes: Math.max(bytes, size), seenAt }));
      } catch {
        // Just removed.
      }
    }
  }

  /** Undefined while serve is away. */
  async sample(): Promise<Sample | undefined> {
    const { rig } = this.#world;
    const pid = rig.servePid();
    if (pid === undefined) return undefined;
    const answer = await fetch(`http://127.0.0.1:${rig.healthPort}/metrics`, { signal: AbortSignal.timeout(2_000) });
    const text = await answer.text();
    const metric = (pattern: RegExp): number =>
      [...text.matchAll(pattern)].reduce((sum, [, value]) => sum + Number(value), 0);
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const sample = {
      pid,
      at: Date.now(),
      residentMiB: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024,
      heapMiB: metric(/^preavis_nodejs_heap_size_used_bytes (\S+)$/gm) / 1_048_576,
      handles: handlesOf(pid),
      resources: metric(/^preavis_nodejs_active_resources\{.*\} (\S+)$/gm),
    };
    this.samples.push(sample);

    return sample;
  }
}

/** A WAV without a sample. */
const headerBytes = 44;

/** The id of the recording that this file is of, or a part of; empty for another file. */
export const recordingOf = ({ name }: Pick<SpooledFile, 'name'>): string =>
  /^preavis-(\w{26})(?:-\d+)?\.wav$/.exec(name)?.[1] ?? '';

/** A part of a recording, as those of followed calls are made of. */
export const isPart = ({ name }: Pick<SpooledFile, 'name'>): boolean => /-\d+\.wav$/.test(name);

/** The length of the one WAV that is made of its parts, or that was there from the beginning, bytes. */
export function wholeOf(files: readonly SpooledFile[]): number {
  const parts = files.filter(isPart);
  const sound = parts.reduce((sum, { bytes }) => sum + Math.max(0, bytes - headerBytes), 0);
  const whole = files.filter((each) => !isPart(each)).map(({ bytes }) => bytes);

  return Math.max(headerBytes + sound, ...whole);
}

/** A socket by the port at its other end: 5038 is another than 9000. Port 0 has one that listens. */
function handlesOf(pid: number): string[] {
  const ports = new Map<string, string>();
  for (const line of readFileSync(`/proc/${pid}/net/tcp`, 'utf8').trim().split('\n').slice(1)) {
    const [, , remote, , , , , , , inode] = line.trim().split(/\s+/);
    const port = remote?.split(':')[1];
    if (inode !== undefined && port !== undefined) ports.set(inode, String(Number.parseInt(port, 16)));
  }

  return readdirSync(`/proc/${pid}/fd`).flatMap((descriptor) => {
    try {
      const target = readlinkSync(`/proc/${pid}/fd/${descriptor}`);
      const socket = /^socket:\[(\d+)\]$/.exec(target)?.[1];

      return socket === undefined ? target.replace(/:\[\d+\]$/, '') : `socket to ${ports.get(socket) ?? 'no port'}`;
    } catch {
      // Closed meanwhile.
      return [];
    }
  });
}
