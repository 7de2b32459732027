/**
 * Receives the RTP that Asterisk sends to a telephone, and presses digits (RFC 4733). `voice.ts` sends the telephone's sound. The SDP names
 * the port of this receiver. Asterisk sends there because rtp_symmetric is off.
 */
import { createSocket, type RemoteInfo } from 'node:dgram';
import { setTimeout as sleep } from 'node:timers/promises';
import wavefile from 'wavefile';
import { bounds, noteKeyDelay } from '../machine/lateness.ts';
import type { Voice } from './voice.ts';

/** The payload type of telephone-event in our SDP. */
export const digitPayload = 101;

const alawPayload = 8;
const samplesPerMs = 8;
/** 20 ms. */
const packetBytes = 160;
const reportEveryMs = 500;
/** Less is no leap: packets that came while this process stood still lie where they belong, as long as that is not late. */
const leapMs = bounds.loop + 100;

// In a test run it takes long to reach a global, and here they are reached for each packet.
const { abs, max } = Math;

export type RtpReceiver = {
  readonly port: number;
  /** How many audio packets came. */
  packets(): number;
  /** How many audio packets came in this time, Unix ms, `until` excluded. */
  packetsBetween(from: number, until: number): number;
  /** Node's clock at the first audio packet. */
  firstPacketAt(): number | undefined;
  /**
   * What was heard, from the first packet on; every packet lies where its RTP timestamp says. For reading only: until more is heard it is
   * the same array, so that what was found out about it can be kept.
   */
  samples(): Int16Array;
  /** What was heard in the last `ms`; for polling, where all of a long call would take too long. */
  latest(ms: number): Int16Array;
  /**
   * From now on keys are pressed by this voice, which speaks to the same call: they are of the same source as its sound (RFC 4733). Without
   * one they are of a source of their own, as some gateways send them.
   */
  speaksBy(voice: Pick<Voice, 'press'> | undefined): void;
  /** Gives Asterisk's port as soon as something was heard, and each other one that follows it, until the returned function is called. */
  whenHeard(take: (port: number) => void): () => void;
  /** Presses a key for `durationMs`. Rejects while nothing was heard: only then Asterisk's port is known. */
  pressDigit(digit: string, durationMs?: number): Promise<void>;
  /** Sends sound of this payload type, a-law unless another is given, for a caller who has no other. Rejects while nothing was heard. */
  speak(sound: Uint8Array, payloadType?: number): Promise<void>;
  /** From now on what comes is kept, and heard once the returned function gets what decrypts it: undefined for what it cannot. */
  lock(): (decrypt: Decrypt) => void;
  /**
   * Reports by RTCP what was heard, twice a second from the first sound on, as a telephone does that is muted and sends no silence;
   * until the returned function is called.
   */
  reportOnly(): () => void;
  close(): void;
};

type Decrypt = (packet: Buffer) => Buffer | undefined;

type Packet = { at: number; ssrc: number; timestamp: number; payload: Uint8Array };

export async function startRtpReceiver(): Promise<RtpReceiver> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 1 << 20 });
  const heard: Packet[] = [];
  let assembled: { packets: number; samples: Int16Array } = { packets: 0, samples: new Int16Array() };
  let peer: RemoteInfo | undefined;
  /** undefined: what decrypts is not known yet. */
  let decrypt: Decrypt | undefined = (message) => message;
  const listeners = new Set<(port: number) => void>();
  const heardFrom = (from: RemoteInfo): void => {
    const isNew = peer?.port !== from.port;
    peer = from;
    if (isNew) for (const listener of listeners) listener(from.port);
  };
  const locked: { message: Buffer; from: RemoteInfo; at: number }[] = [];
  const take = (message: Buffer, from: RemoteInfo, at: number): void => {
    if (decrypt === undefined) {
      locked.push({ message, from, at });
      return;
    }
    const plain = decrypt(message);
    if (plain === undefined) return;
    if (isOtherSound(plain)) heardFrom(from);
    const packet = parse(plain, at);
    if (!packet) return;
    heardFrom(from);
    heard.push(packet);
  };
  socket.on('message', (message, from) => {
    take(message, from, Date.now());
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(0, '127.0.0.1', resolve);
  });
  // A test that fails must not be kept alive by its receiver.
  socket.unref();
  let sequence = 1;
  let spoken = 0;
  const timers = new Set<NodeJS.Timeout>();
  let isClosed = false;
  let voice: Pick<Voice, 'press'> | undefined;
  return {
    port: socket.address().port,
    packets: () => heard.length,
    packetsBetween: (from, until) => heard.filter(({ at }) => at >= from && at < until).length,
    firstPacketAt: () => heard[0]?.at,
    samples: () => {
      if (assembled.packets !== heard.length) assembled = { packets: heard.length, samples: assemble(heard) };
      return assembled.samples;
    },
    latest: (ms) => {
      const from = Date.now() - ms;
      return assemble(heard.slice(heard.findLastIndex(({ at }) => at < from) + 1));
    },
    speaksBy: (speaker) => {
      voice = speaker;
    },
    whenHeard: (listener) => {
      listeners.add(listener);
      if (peer !== undefined) listener(peer.port);
      return () => {
        listeners.delete(listener);
      };
    },
    pressDigit: async (digit, durationMs = 120) => {
      if (!peer) throw new Error('Nothing was heard yet, so Asterisk’s port is not known.');
      if (voice !== undefined) {
        voice.press(digitEvent(digit), durationMs);
        await sleepOnTime(durationMs);
        return;
      }
      const { port, address } = peer;
      const timestamp = Math.round(performance.now() * samplesPerMs) >>> 0;
      const steps = Math.max(2, Math.round(durationMs / 20));
      for (let step = 1; step <= steps; step += 1) {
        // The end is sent once and not three times (RFC 4733, 2.5.1.4): nothing is lost here.
        const end = step === steps;
        const duration = step * 20 * samplesPerMs;
        socket.send(digitPacket({ digit, sequence, timestamp, duration, end, marker: step === 1 }), port, address);
        sequence += 1;
        if (!end) await sleepOnTime(20);
      }
    },
    speak: async (sound, payloadType = alawPayload) => {
      if (!peer) throw new Error('Nothing was heard yet, so Asterisk’s port is not known.');
      const { port, address } = peer;
      const startedAt = performance.now();
      const packets = Math.ceil(sound.length / packetBytes);
      for (let index = 0; index < packets; index += 1) {
        // By the clock: a timer that is late must not stretch the sound.
        await sleepOnTime(Math.max(0, startedAt + index * 20 - performance.now()));
        const payload = sound.subarray(index * packetBytes, (index + 1) * packetBytes);
        socket.send(
          soundPacket({ payload, payloadType, sequence, timestamp: spoken, marker: index === 0 }),
          port,
          address,
        );
        sequence += 1;
        spoken += packetBytes;
      }
    },
    lock: () => {
      decrypt = undefined;
      return (by) => {
        decrypt = by;
        for (const { message, from, at } of locked.splice(0)) take(message, from, at);
      };
    },
    reportOnly: () => {
      if (isClosed) return () => undefined;
      const timer = setInterval(() => {
        const last = heard.at(-1);
        if (peer !== undefined && last !== undefined)
          // One that is lost is sent again.
          socket.send(receiverReport(last.ssrc, heard.length), peer.port + 1, peer.address, () => undefined);
      }, reportEveryMs);
      timers.add(timer);
      return () => {
        clearInterval(timer);
        timers.delete(timer);
      };
    },
    close: () => {
      isClosed = true;
      for (const timer of timers) clearInterval(timer);
      socket.close();
    },
  };
}

/** RFC 3550, 6.4.2: nothing lost, a jitter of 10 samples, no sender report seen; and 6.5: a name. */
function receiverReport(ssrc: number, packets: number): Buffer {
  const own = 0x1ab0_0001;
  const report = Buffer.alloc(44);
  report.writeUInt32BE(0x81c9_0007, 0);
  report.writeUInt32BE(own, 4);
  report.writeUInt32BE(ssrc, 8);
  report.writeUInt32BE(packets, 16);
  report.writeUInt32BE(10, 20);
  report.writeUInt32BE(0x81ca_0002, 32);
  report.writeUInt32BE(own, 36);
  report.write('\u0001\u0001e', 40, 'latin1');

  return report;
}

/** Tells lateness.ts when it took longer. */
async function sleepOnTime(ms: number): Promise<void> {
  const began = performance.now();
  await sleep(ms);
  noteKeyDelay(performance.now() - began - ms);
}

/** Of mu-law or G.722 it is known only where it comes from: it is not heard. */
function isOtherSound(message: Buffer): boolean {
  return message.length >= 12 && [0, 9].includes(message.readUInt8(1) & 0x7f);
}

function parse(message: Buffer, at: number): Packet | undefined {
  if (message.length < 12 || message.readUInt8(0) >> 6 !== 2) return undefined;
  if ((message.readUInt8(1) & 0x7f) !== alawPayload) return undefined;
  const header = 12 + 4 * (message.readUInt8(0) & 0x0f);
  return {
    at,
    ssrc: message.readUInt32BE(8),
    timestamp: message.readUInt32BE(4),
    payload: new Uint8Array(message.subarray(header)),
  };
}

/** Where the packets lie, in samples from the first one. A new source or a leap in its timestamps is placed by arrival. */
function assemble(packets: readonly Packet[]): Int16Array {
  const [first] = packets;
  if (!first) return new Int16Array();
  let base = { ssrc: first.ssrc, timestamp: first.timestamp, position: 0 };
  const placed: { position: number; payload: Uint8Array }[] = [];
  let length = 0;
  for (const packet of packets) {
    const byArrival = (packet.at - first.at) * samplesPerMs;
    let position = base.position + ((packet.timestamp - base.timestamp) | 0);
    if (packet.ssrc !== base.ssrc || abs(position - byArrival) > leapMs * samplesPerMs) {
      position = max(byArrival, length);
      base = { ssrc: packet.ssrc, timestamp: packet.timestamp, position };
    }
    if (position < 0) continue;
    placed.push({ position, payload: packet.payload });
    length = max(length, position + packet.payload.length);
  }
  const bytes = new Uint8Array(length).fill(0xd5);
  for (const { position, payload } of placed) bytes.set(payload, position);
  return decodeALaw(bytes);
}

/** The sample of each a-law byte, by the library; decoding each sound by it takes a hundred times as long. */
const alawSamples: Int16Array = (() => {
  const wav = new wavefile.WaveFile();
  wav.fromScratch(
    1,
    8000,
    '8a',
    Uint8Array.from({ length: 256 }, (_, byte) => byte),
  );
  wav.fromALaw();
  return Int16Array.from(wav.getSamples());
})();

function decodeALaw(bytes: Uint8Array): Int16Array {
  const samples = new Int16Array(bytes.length);
  for (let index = 0; index < bytes.length; index += 1) samples[index] = alawSamples[bytes[index] ?? 0] ?? 0;
  return samples;
}

type SoundPacket = {
  payload: Uint8Array;
  payloadType: number;
  sequence: number;
  timestamp: number;
  marker: boolean;
};

function soundPacket({ payload, payloadType, sequence, timestamp, marker }: SoundPacket): Buffer {
  const header = Buffer.alloc(12);
  header.writeUInt8(0x80, 0);
  header.writeUInt8((marker ? 0x80 : 0) | payloadType, 1);
  header.writeUInt16BE(sequence & 0xffff, 2);
  header.writeUInt32BE(timestamp >>> 0, 4);
  header.writeUInt32BE(0x1ab, 8);

  return Buffer.concat([header, payload]);
}

/** The number of a key by RFC 4733. */
function digitEvent(digit: string): number {
  const event = '0123456789*#ABCD'.indexOf(digit);
  if (event < 0 || digit.length !== 1) throw new Error(`No key ${digit} on a telephone.`);

  return event;
}

type DigitEvent = {
  digit: string;
  sequence: number;
  timestamp: number;
  duration: number;
  end: boolean;
  marker: boolean;
};

function digitPacket({ digit, sequence, timestamp, duration, end, marker }: DigitEvent): Buffer {
  const packet = Buffer.alloc(16);
  packet.writeUInt8(0x80, 0);
  packet.writeUInt8((marker ? 0x80 : 0) | digitPayload, 1);
  packet.writeUInt16BE(sequence & 0xffff, 2);
  packet.writeUInt32BE(timestamp, 4);
  packet.writeUInt32BE(0x1ab, 8);
  packet.writeUInt8(digitEvent(digit), 12);
  packet.writeUInt8((end ? 0x80 : 0) | 10, 13);
  packet.writeUInt16BE(duration, 14);
  return packet;
}
