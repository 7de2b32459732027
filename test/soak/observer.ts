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

export class Observer {
  /** Bytes by id of the recording; what was written of it in several parts, together in one file. */
  get spooled(): Map<string, number> {
    return new Map([...this.#files].map(([id, files]) => [id, wholeOf(files)]));
  }
  /** Bytes by id of the recording and by file: the WAV, or one of the parts that it is made of. */
  readonly #files = new Map<string, Map<string, number>>();
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

  stop(): void {
    for (const timer of this.#timers) clearInterval(timer);
  }

  #look(): void {
    const folder = this.#world.rig.asterisk.spoolFolder;
    for (const name of readdirSync(folder)) {
      const id = /^preavis-(\w{26})(?:-\d+)?\.wav$/.exec(name)?.[1];
      if (id === undefined) continue;
      try {
        const { size } = statSync(join(folder, name));
        const files = this.#files.get(id) ?? new Map<string, number>();
        this.#files.set(id, files.set(name, Math.max(files.get(name) ?? 0, size)));
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

/** The length of the one WAV that is made of its parts, or that was there from the beginning. */
function wholeOf(files: ReadonlyMap<string, number>): number {
  const isPart = (name: string): boolean => /-\d+\.wav$/.test(name);
  const sound = [...files].reduce(
    (sum, [name, bytes]) => sum + (isPart(name) ? Math.max(0, bytes - headerBytes) : 0),
    0,
  );
  const whole = [...files].flatMap(([name, bytes]) => (isPart(name) ? [] : [bytes]));

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
