/**
 * Whether the machine kept the lab's time while a call was made. Measured are the lab's own processes only: the packets that
 * telephones really sent, timers, and time that the host took away. What Préavis does is not looked at: a slow Préavis on a
 * machine that keeps time is a fault, and a test must find it.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { createSocket } from 'node:dgram';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CaptureReader, type SentPacket } from './capture.ts';
import { wantsOfSpace } from './space.mjs';

/**
 * `packet`: a telephone's sound; `timer`: watch.mjs; `loop`: this process; `proxy`: what of this process stands between Préavis and a server;
 * `key`: a key of a receiver; `stolen`: by the host, of a second of one processor.
 */
export type LateKind = 'packet' | 'timer' | 'loop' | 'proxy' | 'key' | 'stolen';
export type Late = { readonly kind: LateKind; /** Unix time, ms. */ readonly at: number; readonly lateMs: number };

/**
 * More than this is late, ms. Sound comes each 20 ms, and the least that a test asks of it is 100 ms. Asterisk ends a key by itself when
 * nothing more of it comes for 375 ms (`dtmftimeout` of rtp.conf). Keys are pressed in sentences that last seconds. Until a party is
 * heard again Préavis has some 1.2 s more than it needs (changedSource.test.ts), and asks twice by a proxy.
 */
export const bounds: Readonly<Record<LateKind, number>> = {
  packet: 60,
  timer: 100,
  key: 250,
  loop: 1500,
  proxy: 500,
  stolen: 200,
};

/** The environment variable with the folder of watch.mjs; without it nothing but this process is watched. */
export const watchVariable = 'PREAVIS_LAB_WATCH';

const packetMs = 20;
const loopEveryMs = 20;
/** Nobody listens there; watch.mjs captures it. */
const markerPort = 10_099;
/** tcpdump gives packets away once a second. */
const captureWithinMs = 10_000;
/** What has come is read meanwhile, so that little is left to be read at the end. */
const readEveryMs = 1_000;

type PortRange = { readonly first: number; readonly last: number };

type Attempt = {
  senders: Set<PortRange>;
  own: Late[];
  /** When the loop is to be looked at next, by the monotonic clock, ms. */
  dueAt: number;
  /** How long this process stood still before the last look, ms; until what had waited for it was read. */
  stoodStillMs?: number | undefined;
};
const attempts = new AsyncLocalStorage<Attempt>();
/** Those whose loop is watched: who carries for all calls knows of no attempt. */
const running = new Set<Attempt>();
/** Telephones that were not started for one call: agents. */
const shared = new Set<PortRange>();
/** All telephones of this process, those that have stopped as well: their packets may not be read yet. */
const senders: PortRange[] = [];
/** Of this process, in whatever call. */
const ownDelays: Late[] = [];

let reader: CaptureReader | undefined;

/** Begins with the first telephone, so that all of its packets are read. */
function captureReader(): CaptureReader | undefined {
  const file = join(process.env[watchVariable] ?? '', 'packets.pcap');
  if (process.env[watchVariable] === undefined || !existsSync(file)) return undefined;
  reader ??= new CaptureReader(file, (port) => senders.some(({ first, last }) => port >= first && port <= last));

  return reader;
}

/** Every telephone names the ports that it sends from; the returned function takes them back. */
export function noteSender(ports: PortRange): () => void {
  senders.push(ports);
  captureReader();
  const attempt = attempts.getStore();
  if (attempt !== undefined) {
    attempt.senders.add(ports);
    return () => undefined;
  }
  shared.add(ports);
  return () => {
    shared.delete(ports);
  };
}

/** How much later than due this process sent a piece of a key or of speech. */
export function noteKeyDelay(lateMs: number): void {
  const attempt = attempts.getStore();
  if (attempt !== undefined) noteDelay(attempt, 'key', lateMs);
}

/**
 * To be called by a proxy between Préavis and a server for each piece that it carries. What came while this process stood still has waited for
 * that long: to each of them the other one was late.
 */
export function noteCarried(): void {
  const now = performance.now();
  for (const attempt of running) {
    const { stoodStillMs, dueAt } = attempt;
    attempt.stoodStillMs = undefined;
    noteDelay(attempt, 'proxy', stoodStillMs ?? now - dueAt);
  }
}

function noteDelay(attempt: Attempt, kind: 'key' | 'loop' | 'proxy', lateMs: number): void {
  if (lateMs <= bounds[kind]) return;
  const late: Late = { kind, at: Date.now(), lateMs: Math.round(lateMs) };
  attempt.own.push(late);
  ownDelays.push(late);
}

/** All that was late in the lab since then, beyond the bounds; and whether packets were watched. For what explains a failure. */
export function lateSince(from: number): { late: Late[]; packets: 'watched' | 'unwatched' } {
  const folder = process.env[watchVariable];
  const lines = folder === undefined ? '' : readLines(folder);
  const capture = captureReader();
  capture?.readOn();
  const packets = capture === undefined ? [] : latePackets(capture.since(from), Date.now());
  const late = [...packets, ...lateTimers(lines, from, Date.now()), ...ownDelays.filter(({ at }) => at >= from)];
  const isWatched = capture !== undefined && !/^(noCapture|captureEnded)/m.test(lines);

  return { late: late.toSorted((one, other) => one.at - other.at), packets: isWatched ? 'watched' : 'unwatched' };
}

export type Watched<T> = { outcome: { value: T } | { error: unknown }; late: Late[] };

/** Does it, and says what of the lab was late meanwhile. Telephones that are started in it are watched, and those from before. */
export async function watched<T>(act: () => Promise<T>): Promise<Watched<T>> {
  const folder = process.env[watchVariable];
  const attempt: Attempt = { senders: new Set(shared), own: [], dueAt: performance.now() + loopEveryMs };
  const from = Date.now();
  const outcome = await attempts.run(attempt, async (): Promise<Watched<T>['outcome']> => {
    const stop = watchLoop(attempt);
    try {
      return { value: await act() };
    } catch (error) {
      return { error };
    } finally {
      stop();
    }
  });
  const until = Date.now();
  // What came of it may be why.
  const unseen = (why: string): Error => new Error(why, 'error' in outcome ? { cause: outcome.error } : {});
  const late = [...attempt.own];
  const capture = captureReader();
  const captureLines = readLines(folder ?? '');
  const isWatched = folder !== undefined && !captureLines.includes('noCapture');
  // No placing could be shown to be on time any more.
  if (captureLines.includes('captureEnded')) {
    throw unseen('tcpdump has ended in the middle of the run: whether telephones were late cannot be seen any more');
  }
  if (capture === undefined && isWatched) late.push({ kind: 'packet', at: until, lateMs: captureWithinMs });
  if (capture !== undefined && isWatched) {
    const isComplete = await captured(capture, until);
    const own = [...attempt.senders];
    const isOwn = (port: number): boolean => own.some(({ first, last }) => port >= first && port <= last);
    late.push(
      ...latePackets(
        capture.since(from).filter(({ fromPort }) => isOwn(fromPort)),
        until,
      ),
    );
    const [wanted] = isComplete
      ? []
      : wantsOfSpace([{ folder, mib: 1, what: 'the packets of telephones', choose: 'TMPDIR' }]);
    if (wanted !== undefined) throw unseen(`whether telephones were late cannot be seen: ${wanted}`);
    // What cannot be seen is not on time, unless nothing can be captured here at all.
    if (!isComplete) late.push({ kind: 'packet', at: until, lateMs: captureWithinMs });
  }
  // Stolen time is written down once a second: what was stolen at the very end may be missed.
  if (folder !== undefined) late.push(...lateTimers(readLines(folder), from, until));

  return { outcome, late: late.toSorted((one, other) => one.at - other.at) };
}

function watchLoop(attempt: Attempt): () => void {
  let readAt = attempt.dueAt;
  const timer = setInterval(() => {
    const now = performance.now();
    const lateMs = now - attempt.dueAt;
    noteDelay(attempt, 'loop', lateMs);
    // Node reads what has come between two looks. So what comes behind the next one has not waited, however slowly the process goes on.
    attempt.stoodStillMs = lateMs > bounds.proxy ? lateMs : undefined;
    attempt.dueAt = now + loopEveryMs;
    if (now - readAt < readEveryMs) return;
    captureReader()?.readOn();
    readAt = now;
  }, loopEveryMs);
  running.add(attempt);

  return () => {
    running.delete(attempt);
    clearInterval(timer);
  };
}

const readLines = (folder: string): string => {
  const file = join(folder, 'late.txt');
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
};

/** What watch.mjs wrote down for this time, beyond the bounds. */
export function lateTimers(text: string, from: number, until: number): Late[] {
  return text.split('\n').flatMap((line): Late[] => {
    const [kind, at, lateMs] = line.split(' ');
    if (kind !== 'timer' && kind !== 'stolen') return [];
    const late = { kind, at: Number(at), lateMs: Number(lateMs) } as const;
    // Time was stolen somewhere in the second before.
    const began = late.at - (kind === 'stolen' ? 1000 : late.lateMs);
    return late.lateMs > bounds[kind] && late.at >= from && began <= until ? [late] : [];
  });
}

/** Gaps between the packets of one source; those that come later than `until` are of another call. */
export function latePackets(packets: readonly SentPacket[], until: number): Late[] {
  const last = new Map<string, number>();
  const late: Late[] = [];
  for (const { stream, at, begins } of packets) {
    const before = last.get(stream);
    last.set(stream, at);
    const lateMs = before === undefined || begins ? 0 : at - before - packetMs;
    if (lateMs > bounds.packet && (before ?? at) <= until)
      late.push({ kind: 'packet', at, lateMs: Math.round(lateMs) });
  }

  return late;
}

/**
 * Waits until all is read that was sent until then; false when that takes too long. tcpdump is behind, and a packet of our own shows
 * how far it has come.
 */
async function captured(capture: CaptureReader, until: number): Promise<boolean> {
  const socket = createSocket('udp4');
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.bind(0, '127.0.0.1', resolve);
    });
    const giveUp = Date.now() + captureWithinMs;
    for (;;) {
      await new Promise<void>((resolve) => {
        socket.send('until', markerPort, '127.0.0.1', () => {
          resolve();
        });
      });
      await sleep(50);
      if (capture.readOn() >= until) return true;
      if (Date.now() > giveUp) return false;
    }
  } finally {
    socket.close();
  }
}
