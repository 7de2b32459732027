import { createSocket } from 'node:dgram';
import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { claimPorts } from '../../../lab/machine/ports.ts';
import { liveCount, makeLabFolder } from '../../../lab/machine/processes.ts';
import { giveVoice, type Voice } from '../../../lab/telephones/voice.ts';
import { eventually } from '../../support/poll.ts';

/** The RTP that a telephone of the lab sends, as it arrives. */

type Packet = { type: number; sequence: number; timestamp: number; ssrc: number; payload: Buffer };

const alaw = 8;
const keys = 101;

const parse = (message: Buffer): Packet => ({
  type: message.readUInt8(1) & 0x7f,
  sequence: message.readUInt16BE(2),
  timestamp: message.readUInt32BE(4),
  ssrc: message.readUInt32BE(8),
  payload: message.subarray(12),
});

type Telephone = { voice: Voice; folder: string; sent: Packet[]; sound: () => Packet[]; stop(): Promise<void> };

/** A telephone in a call, and what it sends. */
async function telephone(): Promise<Telephone> {
  const [folder, ports, socket] = [makeLabFolder(), await claimPorts(1), createSocket('udp4')];
  const sent: Packet[] = [];
  socket.on('message', (message) => sent.push(parse(message)));
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const file = join(folder.path, 'sound.al');
  writeFileSync(file, Buffer.from(Array.from({ length: 480 }, (_, index) => index / 160)));
  const voice = await giveVoice(folder.path, ports.first);
  appendFileSync(join(folder.path, 'events.log'), `SPEAK|a-call|${socket.address().port}|${file}\n`);
  await eventually(() => sent.length > 5);

  return {
    voice,
    folder: folder.path,
    sent,
    sound: () => sent.filter(({ type }) => type === alaw),
    stop: async () => {
      await voice.stop();
      socket.close();
      ports.release();
      folder.remove();
    },
  };
}

const kept: { stop(): Promise<void> }[] = [];
const one = async () => {
  const made = await telephone();
  kept.push(made);

  return made;
};

afterEach(async () => {
  for (const made of kept.splice(0)) await made.stop();
  expect(liveCount()).toBe(0);
});

test('begins at numbers of its own, and goes on packet by packet with the file, again and again', async () => {
  const telephones = await Promise.all([one(), one(), one()]);
  for (const number of ['ssrc', 'sequence', 'timestamp'] as const) {
    expect(new Set(telephones.map(({ sent }) => sent[0]?.[number])).size).toBeGreaterThan(1);
  }
  const [{ sent }] = telephones;
  for (const [index, packet] of sent.slice(1, 6).entries()) {
    const before = sent[index];
    expect(packet).toMatchObject({ type: alaw, ssrc: before?.ssrc });
    expect((packet.sequence - (before?.sequence ?? 0)) & 0xffff).toBe(1);
    expect((packet.timestamp - (before?.timestamp ?? 0)) >>> 0).toBe(160);
    expect(packet.payload).toEqual(Buffer.alloc(160, (index + 1) % 3));
  }
});

test.each([
  ['another source', false],
  ['the same source', true],
])('goes on as %s from the number that is asked for', async (_, sameSource) => {
  const { voice, sound } = await one();
  const [first] = sound();
  voice.change({ leap: -20_000, sameSource });
  const leap = await eventually(() => {
    const at = sound().findIndex(({ sequence }, index) => {
      const before = sound()[index - 1];
      return before !== undefined && ((sequence - before.sequence) & 0xffff) === ((1 - 20_000) & 0xffff);
    });
    return sound()[at] ?? false;
  });
  expect(leap.ssrc === first?.ssrc).toBe(sameSource);
});

test('says something once, and goes on with its sound where it was', async () => {
  const { voice, folder, sound } = await one();
  const file = join(folder, 'once.al');
  writeFileSync(file, Buffer.concat([Buffer.alloc(160, 7), Buffer.alloc(160, 8)]));
  voice.once(file);
  const said = await eventually(() => {
    const all = sound().map(({ payload }) => payload[0] ?? -1);
    const begins = all.indexOf(7);
    return begins > 0 && all.length > begins + 3 && all.slice(begins - 1, begins + 4);
  });
  const [before = 0] = said;
  expect(said).toEqual([before, 7, 8, (before + 1) % 3, (before + 2) % 3]);
});

test('presses a key beside the sound, from the same source', async () => {
  const { voice, sent, sound } = await one();
  voice.press(9, 120);
  const events = await eventually(() => {
    const all = sent.filter(({ type }) => type === keys);
    return all.length >= 6 && all;
  });
  expect(events.map(({ payload }) => [payload[0], (payload[1] ?? 0) >> 7, payload.readUInt16BE(2)])).toEqual(
    [160, 320, 480, 640, 800, 960].map((duration) => [9, duration === 960 ? 1 : 0, duration]),
  );
  expect(new Set([...events, ...sound()].map(({ ssrc }) => ssrc)).size).toBe(1);
  expect(new Set(events.map(({ timestamp }) => timestamp)).size).toBe(1);
});

test('sends nothing while it is mute, and goes on with the next number at the time of the clock', async () => {
  const { voice, sound } = await one();
  voice.mute(true);
  let count = -1;
  await eventually(
    () => {
      const isQuiet = sound().length === count;
      count = sound().length;
      return isQuiet;
    },
    { everyMs: 200 },
  );
  voice.mute(false);
  await eventually(() => sound().length > count + 2);
  const steps = sound().flatMap(({ sequence, timestamp }, index, all) => {
    const before = all[index - 1];

    return before === undefined
      ? []
      : [{ numbers: (sequence - before.sequence) & 0xffff, time: (timestamp - before.timestamp) >>> 0 }];
  });
  expect(new Set(steps.map(({ numbers }) => numbers))).toEqual(new Set([1]));
  // Once; before which packet, this process may have seen too late to say.
  const gaps = steps.map(({ time }) => time).filter((time) => time !== 160);
  expect(gaps).toHaveLength(1);
  expect(gaps[0]).toBeGreaterThan(5 * 160);
});
