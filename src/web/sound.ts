import { Readable } from 'node:stream';
import type { Actor } from '../access/actor.ts';
import { partSourceOf, sourceOf } from '../archive/fetch.ts';
import { PreavisError } from '../core/errors.ts';
import { settleInTime } from '../core/timeLimit.ts';
import { recordedDigest } from '../store/digest.ts';
import { stoppedBy } from '../store/stoppable.ts';
import { exactly } from '../store/verifiedSource.ts';
import type { ListeningLog, Playing } from './listening.ts';
import type { HeldKeys } from '../store/heldKeys.ts';
import type { SessionKeys } from './sessionKeys.ts';
import type { Credentials, WebPorts } from './ports.ts';
import type { ByteRange } from './ranges.ts';
import { decided, knownRecording, type Allowed, type KnownRecording } from './subjects.ts';

/** How often it is asked again whether they may still hear it, ms: so long a purpose that ends, or a session, can go on at most. */
const askAgainMs = 1_000;
/** For the first byte, and between two of them, ms: an archive that hangs keeps nobody waiting. */
const firstByteMs = 10_000;
const nextByteMs = 20_000;
/** At a time, of all and of one actor. */
const mostPlaying = 256;
const mostPlayingOfActor = 6;

export type SoundOrder = {
  actor: Actor;
  credentials: Credentials;
  act: 'listen' | 'download';
  known: Allowed<KnownRecording>;
  /** undefined: the whole. */
  range: ByteRange | undefined;
  signal: AbortSignal;
};

export type Sound = {
  body: Readable;
  /** sha256: the whole is compared with what was recorded, and its end is given only when it is that. */
  proved: 'sha256' | 'segments' | 'length';
};

/**
 * The sound of a recording, or a part of it, for as long as the actor may hear it. Its first bytes have come when this returns.
 *
 * @throws PreavisError `too_busy`; what the archive throws, and `archive_unreachable` where it hangs
 */
export async function openSound(
  order: SoundOrder,
  ports: WebPorts,
  { listening, keys }: { listening: ListeningLog; keys: SessionKeys },
): Promise<Sound> {
  const { actor, act, known, range } = order;
  const { recording, by } = known;
  if (listening.playing >= mostPlaying || listening.playingOf(actor) >= mostPlayingOfActor) {
    throw new PreavisError('too_busy', 'too many recordings are being played');
  }
  const { bytes: of } = recordedDigest(recording);
  const about = { id: recording.id, msPerByte: (recording.durationMs ?? 0) / Math.max(1, of) };
  const purposes = by.map(({ purpose }) => purpose);
  const playing = await listening.begin(actor, act, about, { from: range?.from ?? 0, purposes });
  const isAllowed = (): Promise<boolean> => isAllowedStill(order, ports);
  const until = Math.max(...by.map((each) => each.until));
  const held = keys.of(`${actor.name} ${act} ${recording.id}`, { until, isAllowed });
  const stop = new AbortController();
  const signal = AbortSignal.any([order.signal, stop.signal]);
  const decidedAt = performance.now();
  try {
    const { chunks, proved, leave } = await settleInTime(firstByteMs, chunksOf(order, ports, held, signal), () => {
      throw hangs(firstByteMs);
    });
    stop.signal.addEventListener('abort', leave, { once: true });
    const source = chunks[Symbol.asyncIterator]();
    const first = await inTime(source, firstByteMs, signal);
    // An archive that answers late must not hand out what they might no longer hear.
    if (performance.now() - decidedAt > askAgainMs && !(await isAllowedStill(order, ports))) throw hasEnded();

    return { body: whileAllowed(order, ports, { source, first, stop, playing }), proved };
  } catch (thrown) {
    stop.abort();
    playing.end(0);
    throw thrown;
  }
}

/** `leave` closes what lies below, also while it hangs. */
type Chunks = { chunks: AsyncIterable<Buffer>; proved: Sound['proved']; leave: () => void };

async function chunksOf(
  { known: { recording }, range }: SoundOrder,
  ports: WebPorts,
  held: HeldKeys,
  signal: AbortSignal,
): Promise<Chunks> {
  const expected = recordedDigest(recording);
  const opened =
    range === undefined
      ? { ...(await sourceOf(recording, ports, signal)), proved: 'sha256' as const }
      : await partSourceOf(recording, range, ports, signal, held);
  const { bytes, proved } = opened;
  const leave = (): void => {
    if (bytes instanceof Readable) bytes.destroy();
    else void bytes[Symbol.asyncIterator]().return?.(undefined);
  };
  // Who asked has left, or it took too long: nobody takes what was opened.
  if (signal.aborted) leave();

  return { chunks: range === undefined ? exactly(bytes, expected, altered) : allOf(bytes, range.bytes), proved, leave };
}

const altered = (): PreavisError =>
  new PreavisError('recording_altered', 'what is kept of it is not what was recorded');

/** An archive that ends too soon must not pass for the end of the part. */
async function* allOf(chunks: AsyncIterable<Buffer>, bytes: number): AsyncGenerator<Buffer> {
  let given = 0;
  for await (const chunk of chunks) {
    given += chunk.length;
    yield chunk;
  }
  if (given !== bytes) throw altered();
}

const hangs = (ms: number): PreavisError =>
  new PreavisError('archive_unreachable', `the archive sent nothing for ${ms / 1_000} s`);

type Step = IteratorResult<Buffer>;

/** @param stop ends the wait: an archive that hangs must not keep what is over from being cut */
async function inTime(source: AsyncIterator<Buffer>, ms: number, stop: AbortSignal): Promise<Step> {
  let leave = (): void => undefined;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(hangs(ms));
    }, ms);
    leave = () => {
      reject(stoppedBy(stop));
    };
    if (stop.aborted) leave();
    else stop.addEventListener('abort', leave, { once: true });
  });
  try {
    return await Promise.race([source.next(), late]);
  } finally {
    clearTimeout(timer);
    stop.removeEventListener('abort', leave);
  }
}

const hasEnded = (): PreavisError => new PreavisError('access_refused', 'access to the recording has ended');

/** Whether they may still have it: their session, the purpose, the approval, and the recording itself. */
async function isAllowedStill(
  { actor, credentials, act, known }: Pick<SoundOrder, 'actor' | 'credentials' | 'act'> & { known: KnownRecording },
  ports: WebPorts,
): Promise<boolean> {
  const now = await ports.access.actorOf(credentials);
  const recording = await knownRecording(ports, known.recording.id);
  if (now?.name !== actor.name || recording === undefined) return false;

  return (await decided(ports, now, act, recording)).allowed;
}

/** Ends the stream with an error as soon as they may not have it any more. */
function cutWhenOver(
  body: Readable,
  order: Parameters<typeof isAllowedStill>[0],
  ports: WebPorts,
  stop: AbortController,
): void {
  let isAsked = false;
  const again = setInterval(() => {
    if (isAsked) return;
    isAsked = true;
    isAllowedStill(order, ports)
      .catch(() => false)
      .then((is) => {
        isAsked = false;
        if (is) return;
        body.destroy(hasEnded());
        stop.abort();
      })
      .catch(() => undefined);
  }, askAgainMs).unref();
  body.once('close', () => {
    clearInterval(again);
  });
}

/**
 * The whole of a recording for a file of several, compared with its digest while it is read, and for as long as they may have it.
 *
 * @throws PreavisError what the archive throws, and `archive_unreachable` where it hangs
 */
export async function openForCopy(
  order: Pick<SoundOrder, 'actor' | 'credentials' | 'signal'> & { known: KnownRecording },
  ports: WebPorts,
): Promise<Readable> {
  const { known } = order;
  const stop = new AbortController();
  const signal = AbortSignal.any([order.signal, stop.signal]);
  try {
    const { bytes } = await settleInTime(firstByteMs, sourceOf(known.recording, ports, signal), () => {
      throw hangs(firstByteMs);
    });
    const source = exactly(bytes, recordedDigest(known.recording), altered)[Symbol.asyncIterator]();
    const body = Readable.from(timely(source, stop.signal), { objectMode: false });
    body.once('close', () => {
      stop.abort();
    });
    cutWhenOver(body, { ...order, act: 'download' }, ports, stop);

    return body;
  } catch (thrown) {
    stop.abort();
    throw thrown;
  }
}

async function* timely(source: AsyncIterator<Buffer>, stop: AbortSignal): AsyncGenerator<Buffer> {
  try {
    for (
      let step = await inTime(source, firstByteMs, stop);
      step.done !== true;
      step = await inTime(source, nextByteMs, stop)
    ) {
      yield step.value;
    }
  } finally {
    // Closes what lies below. Nobody waits for it: it may hang.
    void source.return?.();
  }
}

/** Sends no more as soon as access has ended. */
function whileAllowed(
  order: SoundOrder,
  ports: WebPorts,
  {
    source,
    first,
    stop,
    playing,
  }: { source: AsyncIterator<Buffer>; first: Step; stop: AbortController; playing: Playing },
): Readable {
  let sent = 0;
  const all = async function* (): AsyncGenerator<Buffer> {
    for (let step = first; step.done !== true; step = await inTime(source, nextByteMs, stop.signal)) {
      sent += step.value.length;
      yield step.value;
    }
  };
  const body = Readable.from(all(), { objectMode: false, highWaterMark: 64 * 1024 });
  cutWhenOver(body, order, ports, stop);
  const { signal } = order;
  const leave = (): void => {
    body.destroy(stoppedBy(signal));
    stop.abort();
  };
  if (signal.aborted) leave();
  else signal.addEventListener('abort', leave, { once: true });
  body.once('close', () => {
    signal.removeEventListener('abort', leave);
    stop.abort();
    playing.end(sent);
  });

  return body;
}
