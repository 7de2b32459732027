/**
 * The voices of the telephones of one process: sends their sound as RTP. Every source begins at an SSRC, a sequence number and a
 * timestamp of its own, at random, as real telephones do (RFC 3550, 5.1); SIPp's all begin alike. It may go on as another source
 * in the middle of a talk.
 *
 *   node lab/telephones/voice.mjs FOLDER
 *
 * voice.ts writes orders into FOLDER/orders.txt, one a line: `add|ID|PORT|PATH|NUMBER`, `remove|ID`, `change|ID|LEAP|SSRC`,
 * `mute|ID|BOOLEAN`, `once|ID|FILE` and `press|ID|EVENT|PACKETS`. PATH is a folder. Its events.log says who speaks
 * when: a SIPp writes it by its scenario (sipScenario.ts), or a test does. NUMBER, if there is one, is the first sequence number of each source.
 */
import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { closeSync, fstatSync, openSync, readFileSync, readSync, watch } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { makeSrtpSender } from './srtp.mjs';

const packetMs = 20;
/** Of a-law, one packet. */
const packetBytes = 160;
const alawPayload = 8;
const digitPayload = 101;

/** Calls `take` with each line of a file that grows, from its beginning on; the returned function ends that. */
function follow(file, take) {
  let place = 0;
  let rest = '';
  const readOn = () => {
    let descriptor;
    try {
      descriptor = openSync(file, 'r');
    } catch {
      return;
    }
    const bytes = Buffer.alloc(Math.max(0, fstatSync(descriptor).size - place));
    place += readSync(descriptor, bytes, 0, bytes.length, place);
    closeSync(descriptor);
    const lines = (rest + bytes.toString('latin1')).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) take(line);
  };
  const watcher = watch(dirname(file), (_, name) => {
    if (name === basename(file)) readOn();
  });
  watcher.on('error', () => undefined);
  readOn();

  return () => watcher.close();
}

/** One source of sound to one port of Asterisk. */
class Source {
  #sound;
  #place = 0;
  /** Said before the sound goes on. */
  #ahead = Buffer.alloc(0);
  #payloadType = alawPayload;
  #due = 0;
  #timer;
  #isNew = true;
  #isMute = false;
  #ssrc = randomInt(1, 2 ** 32);
  #sequence = randomInt(2 ** 16);
  #timestamp = randomInt(2 ** 32);
  /** Until when keys are pressed, and where their time ends. */
  #keysUntil = 0;
  #keyTime = this.#timestamp;
  #send;

  constructor(send, first) {
    this.#send = send;
    if (first !== '') this.#sequence = Number(first);
  }

  /** G.722 has as many bytes a packet as A-law, and its time is counted as if it had as many samples (RFC 3551, 4.5.2). */
  say(sound, payloadType) {
    this.#sound = sound;
    this.#payloadType = payloadType;
    this.#place = 0;
    if (this.#timer !== undefined) return;
    this.#due = performance.now();
    this.#step();
  }

  once(sound) {
    this.#ahead = Buffer.concat([this.#ahead, sound]);
  }

  change(leap, ssrc) {
    this.#sequence = (this.#sequence + leap) & 0xffff;
    if (ssrc === 'same') return;
    this.#ssrc = randomInt(1, 2 ** 32);
    this.#timestamp = randomInt(2 ** 32);
    this.#keyTime = this.#timestamp;
    this.#isNew = true;
  }

  /** Nothing is sent meanwhile, as by a telephone that suppresses silence: time goes on, numbers do not. */
  mute(isMute) {
    this.#isMute = isMute;
    this.#isNew = true;
  }

  /** One key after the other, however fast they are asked for. */
  press(event, packets) {
    const waitMs = Math.max(0, this.#keysUntil - performance.now());
    this.#keysUntil = performance.now() + waitMs + packets * packetMs;
    setTimeout(() => this.#key(event, packets), waitMs);
  }

  /** RFC 4733; the sound goes on beside it. The end is sent once and not three times: nothing is lost here. */
  #key(event, packets) {
    // Its time is its beginning: two keys never have the same.
    const isBehind = ((this.#timestamp - this.#keyTime) | 0) < 0;
    const timestamp = isBehind ? this.#keyTime : this.#timestamp;
    this.#keyTime = (timestamp + packets * packetBytes) >>> 0;
    for (let step = 1; step <= packets; step += 1) {
      setTimeout(
        () => {
          const payload = Buffer.from([event, (step === packets ? 0x80 : 0) | 10, 0, 0]);
          payload.writeUInt16BE(step * packetBytes, 2);
          this.#packet(digitPayload, step === 1, timestamp, payload);
        },
        (step - 1) * packetMs,
      );
    }
  }

  end() {
    clearTimeout(this.#timer);
    this.#send = () => undefined;
  }

  #step() {
    // By the clock: what is late does not stretch the sound.
    for (; this.#due <= performance.now(); this.#due += packetMs) {
      const payload = this.#next();
      if (!this.#isMute) {
        this.#packet(this.#payloadType, this.#isNew, this.#timestamp, payload);
        this.#isNew = false;
      }
      this.#timestamp = (this.#timestamp + packetBytes) >>> 0;
    }
    this.#timer = setTimeout(() => this.#step(), this.#due - performance.now());
  }

  /** The file again and again. */
  #next() {
    if (this.#ahead.length >= packetBytes) {
      const payload = this.#ahead.subarray(0, packetBytes);
      this.#ahead = this.#ahead.subarray(packetBytes);
      return payload;
    }
    const payload = Buffer.alloc(packetBytes);
    for (let index = 0; index < packetBytes; index += 1) {
      payload[index] = this.#sound[this.#place];
      this.#place = (this.#place + 1) % this.#sound.length;
    }

    return payload;
  }

  #packet(payloadType, marker, timestamp, payload) {
    const header = Buffer.alloc(12);
    header.writeUInt8(0x80, 0);
    header.writeUInt8((marker ? 0x80 : 0) | payloadType, 1);
    header.writeUInt16BE(this.#sequence, 2);
    header.writeUInt32BE(timestamp, 4);
    header.writeUInt32BE(this.#ssrc, 8);
    this.#sequence = (this.#sequence + 1) & 0xffff;
    this.#send(Buffer.concat([header, payload]));
  }
}

/** One SIPp; it may have several calls at the same time. */
class Telephone {
  #sources = new Map();
  /** Where each of its calls wants sound. */
  #ports = new Map();
  #socket = createSocket('udp4');
  #first;
  #unfollow;
  /** Keys that were pressed before it spoke, and what was to be said once. */
  #keys = [];
  #ahead = [];

  constructor(port, folder, first) {
    this.#first = first;
    this.#socket.on('error', () => undefined);
    this.#socket.bind(port, '127.0.0.1');
    this.#unfollow = follow(join(folder, 'events.log'), (line) => this.#take(line));
  }

  #take(line) {
    const [word, call, port, file, payloadType, key] = line.split('|');
    if (word === 'HUSH') {
      this.#sources.get(call)?.end();
      this.#sources.delete(call);
      this.#ports.delete(call);
    }
    if (word === 'SPEAK' || word === 'AIM') this.#ports.set(call, Number(port));
    if (word !== 'SPEAK') return;
    if (!this.#sources.has(call)) {
      const encrypt = (key ?? '') === '' ? (packet) => packet : makeSrtpSender(key);
      const send = (packet) => this.#socket.send(encrypt(packet), this.#ports.get(call), '127.0.0.1');
      this.#sources.set(call, new Source(send, this.#first));
    }
    const source = this.#sources.get(call);
    source.say(readFileSync(file), Number(payloadType ?? alawPayload));
    for (const key of this.#keys.splice(0)) source.press(...key);
    for (const sound of this.#ahead.splice(0)) source.once(sound);
  }

  press(...key) {
    if (this.#sources.size === 0) this.#keys.push(key);
    this.each((source) => source.press(...key));
  }

  once(sound) {
    if (this.#sources.size === 0) this.#ahead.push(sound);
    this.each((source) => source.once(sound));
  }

  each(act) {
    for (const source of this.#sources.values()) act(source);
  }

  end() {
    this.#unfollow();
    this.each((source) => source.end());
    this.#socket.close();
  }
}

const telephones = new Map();
const orders = {
  add: (id, port, path, first) => telephones.set(id, new Telephone(Number(port), path, first)),
  remove: (id) => {
    telephones.get(id)?.end();
    telephones.delete(id);
  },
  change: (id, leap, ssrc) => telephones.get(id)?.each((source) => source.change(Number(leap), ssrc)),
  mute: (id, isMute) => telephones.get(id)?.each((source) => source.mute(isMute === 'true')),
  once: (id, file) => telephones.get(id)?.once(readFileSync(file)),
  press: (id, event, packets) => telephones.get(id)?.press(Number(event), Number(packets)),
};
follow(join(process.argv[2] ?? '', 'orders.txt'), (line) => {
  const [word, ...values] = line.split('|');
  orders[word]?.(...values);
});
