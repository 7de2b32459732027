/**
 * Sound on its way encrypted (RFC 3711): AES in counter mode with 128 bits, HMAC-SHA1 with 80 bits, keys from the SDP (RFC 4568). Without
 * SRTCP, key identifiers and replay lists, which no telephone of the lab needs. Written apart from Asterisk's libsrtp, so that both must agree.
 */
import { createCipheriv, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

const keyBytes = 16;
const saltBytes = 14;
const tagBytes = 10;
const headerBytes = 12;

/** A master key with its salt, as `inline:` of a crypto line has them. */
export function makeSrtpKey() {
  return randomBytes(keyBytes + saltBytes).toString('base64');
}

function keystream(key, start, bytes) {
  return createCipheriv('aes-128-ctr', key, start).update(Buffer.alloc(bytes));
}

/** RFC 3711, 4.3: of a key derivation rate of 0. */
function derive(masterKey, masterSalt, label, bytes) {
  const start = Buffer.concat([masterSalt, Buffer.alloc(2)]);
  start[7] ^= label;

  return keystream(masterKey, start, bytes);
}

/** The session keys for encryption, authentication and salting. */
export function sessionKeys(inline) {
  const master = Buffer.from(inline, 'base64');
  if (master.length !== keyBytes + saltBytes) throw new Error('No key of AES_CM_128_HMAC_SHA1_80.');
  const [key, salt] = [master.subarray(0, keyBytes), master.subarray(keyBytes)];

  return {
    cipher: derive(key, salt, 0, keyBytes),
    authentication: derive(key, salt, 1, 20),
    salt: derive(key, salt, 2, saltBytes),
  };
}

/** RFC 3711, 4.1.1: encryption and decryption are the same. */
function crypt({ cipher, salt }, packet, rollover) {
  const start = Buffer.concat([salt, Buffer.alloc(2)]);
  const place = Buffer.alloc(16);
  packet.copy(place, 4, 8, 12);
  place.writeUInt32BE(rollover, 8);
  packet.copy(place, 12, 2, 4);
  for (let index = 0; index < 16; index += 1) start[index] ^= place[index];

  return createCipheriv('aes-128-ctr', cipher, start).update(packet.subarray(headerBytes));
}

function tagOf({ authentication }, packet, rollover) {
  const counter = Buffer.alloc(4);
  counter.writeUInt32BE(rollover);

  return createHmac('sha1', authentication).update(packet).update(counter).digest().subarray(0, tagBytes);
}

/** How often the numbers of each source have begun anew: the last number seen, and the count. */
class Rollovers {
  #seen = new Map();

  /** Of this number; one that is a little lower is late, and not a new beginning. */
  of(ssrc, sequence) {
    const { last, count } = this.#seen.get(ssrc) ?? { last: sequence, count: 0 };
    const isAhead = ((sequence - last) & 0xffff) < 0x8000;
    if (!isAhead) return sequence > last ? Math.max(0, count - 1) : count;
    const now = sequence < last ? count + 1 : count;
    this.#seen.set(ssrc, { last: sequence, count: now });

    return now;
  }
}

const rolloverOf = (rollovers, packet) => rollovers.of(packet.readUInt32BE(8), packet.readUInt16BE(2));

/** A function that protects RTP packets without further sources; to be given every packet, in order. */
export function makeSrtpSender(inline) {
  const keys = sessionKeys(inline);
  const rollovers = new Rollovers();

  return (packet) => {
    const rollover = rolloverOf(rollovers, packet);
    const protectedPart = Buffer.concat([packet.subarray(0, headerBytes), crypt(keys, packet, rollover)]);

    return Buffer.concat([protectedPart, tagOf(keys, protectedPart, rollover)]);
  };
}

/** A function that gives the RTP packet again, and undefined for one that is not of this key. */
export function makeSrtpReceiver(inline) {
  const keys = sessionKeys(inline);
  const rollovers = new Rollovers();

  return (packet) => {
    if (packet.length < headerBytes + tagBytes) return undefined;
    const protectedPart = packet.subarray(0, -tagBytes);
    const rollover = rolloverOf(rollovers, protectedPart);
    if (!timingSafeEqual(tagOf(keys, protectedPart, rollover), packet.subarray(-tagBytes))) return undefined;

    return Buffer.concat([protectedPart.subarray(0, headerBytes), crypt(keys, protectedPart, rollover)]);
  };
}
