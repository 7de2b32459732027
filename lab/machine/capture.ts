/** The packets that `watch.mjs` has captured: when each was really sent, by the kernel's clock. */
import { closeSync, openSync, readSync, statSync } from 'node:fs';

/** A packet of sound: RTP with mu-law, A-law or G.722 (RFC 3551, 6), from one source to one destination. */
export type SentPacket = {
  /** Source port, destination port and SSRC: one source of sound. */
  readonly stream: string;
  readonly fromPort: number;
  /** Unix time, ms. */
  readonly at: number;
  /** The first after a silence that the telephone chose: it has the marker (RFC 3551, 4.1). */
  readonly begins: boolean;
};

const fileHeaderBytes = 24;
const recordHeaderBytes = 16;
const ethernetBytes = 14;
const udpHeaderBytes = 8;
const rtpHeaderBytes = 12;
const soundPayloads = [0, 8, 9];

/**
 * Reads on where it stopped, from the packets that come after it was made. One is enough for all calls of a process: the file holds
 * the packets of a whole run.
 */
export class CaptureReader {
  readonly #file: string;
  readonly #isWanted: (fromPort: number) => boolean;
  readonly #packets: SentPacket[] = [];
  #offset: number;
  #until = 0;

  /** `isWanted`: whether a packet from this port is kept, asked when it is read. */
  constructor(file: string, isWanted: (fromPort: number) => boolean) {
    this.#file = file;
    this.#isWanted = isWanted;
    this.#offset = Math.max(fileHeaderBytes, statSync(file, { throwIfNoEntry: false })?.size ?? 0);
  }

  /** Reads what has come; the time of the last packet of any kind, Unix time in ms, 0 where there was none. */
  readOn(): number {
    const bytes = readFrom(this.#file, this.#offset);
    let place = 0;
    // tcpdump writes each packet whole (-U); one that is half written is read the next time.
    while (place + recordHeaderBytes <= bytes.length) {
      const start = place + recordHeaderBytes;
      const end = start + bytes.readUInt32LE(place + 8);
      if (end > bytes.length) break;
      this.#until = bytes.readUInt32LE(place) * 1000 + bytes.readUInt32LE(place + 4) / 1000;
      const packet = parseSound(bytes.subarray(start, end), this.#until);
      if (packet !== undefined && this.#isWanted(packet.fromPort)) this.#packets.push(packet);
      place = end;
    }
    this.#offset += place;

    return this.#until;
  }

  /** What was kept from that time on. */
  since(from: number): SentPacket[] {
    const first = this.#packets.findIndex(({ at }) => at >= from);

    return first < 0 ? [] : this.#packets.slice(first);
  }
}

function readFrom(file: string, offset: number): Buffer {
  const descriptor = openSync(file, 'r');
  try {
    const bytes = Buffer.alloc(Math.max(0, statSync(file).size - offset));
    return bytes.subarray(0, readSync(descriptor, bytes, 0, bytes.length, offset));
  } finally {
    closeSync(descriptor);
  }
}

/** An Ethernet frame with IPv4 and UDP; undefined where it holds no a-law sound. */
function parseSound(frame: Buffer, at: number): SentPacket | undefined {
  const ip = frame.subarray(ethernetBytes);
  if (ip.length < 20 || ip.readUInt8(0) >> 4 !== 4) return undefined;
  const udp = ip.subarray((ip.readUInt8(0) & 0x0f) * 4);
  if (udp.length < udpHeaderBytes + rtpHeaderBytes) return undefined;
  const rtp = udp.subarray(udpHeaderBytes);
  if (rtp.readUInt8(0) >> 6 !== 2 || !soundPayloads.includes(rtp.readUInt8(1) & 0x7f)) return undefined;
  const [fromPort, toPort] = [udp.readUInt16BE(0), udp.readUInt16BE(2)];

  return { stream: `${fromPort}-${toPort}-${rtp.readUInt32BE(8)}`, fromPort, at, begins: rtp.readUInt8(1) >> 7 === 1 };
}
