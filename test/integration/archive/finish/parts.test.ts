import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ulid } from 'ulid';
import {
  joinParts,
  lastWritten,
  removeSpooled,
  spooledRecordings,
  spoolFile,
} from '../../../../src/archive/finish/spool.ts';
import { recorderName } from '../../../../src/call/decide/order.ts';
import type { RecordingId } from '../../../../src/core/ids.ts';
import { presentMs, readChannels, readWav, writeWav } from '../../../support/audio/audio.ts';
import { tones } from '../../../support/audio/soundMaking.ts';
import { eventually } from '../../../support/poll.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';

const temporary = temporaryFolder();
const nothingLacks = (lacks: ReadonlySet<string>): Promise<void> => {
  expect([...lacks]).toEqual([]);

  return Promise.resolve();
};
let folders = 0;

/** A recording folder in which these talks of one recording lie, by the number of the talk. */
function spoolWith(talks: Readonly<Record<number, number>>) {
  const folder = temporary.path(`${(folders += 1)}`);
  mkdirSync(folder);
  const id = ulid() as RecordingId;
  for (const [part, hz] of Object.entries(talks)) {
    writeWav(join(folder, `${recorderName(id, Number(part))}.wav`), tones(500, [hz], 8_000));
  }

  return { folder, id };
}

describe('the talks of a recording', () => {
  test('become one file in their order, also where a number is missing or has two digits', async () => {
    const { folder, id } = spoolWith({ 1: 440, 3: 700, 10: 1_000 });
    await joinParts(folder, id, nothingLacks);
    expect(readdirSync(folder)).toEqual([`${recorderName(id)}.wav`]);
    const samples = readWav(spoolFile(folder, id));
    expect(samples.length / 8).toBe(1_500);
    const halves = [0, 4_000, 8_000].map((from) => samples.subarray(from, from + 4_000));
    expect(halves.map((half, index) => presentMs(half, [440, 700, 1_000][index] ?? 0) > 400)).toEqual([
      true,
      true,
      true,
    ]);
  });

  test('are one recording that lies in the folder, written to when the last of them was', async () => {
    const { folder, id } = spoolWith({ 1: 440, 2: 700 });
    expect(await spooledRecordings(folder)).toEqual([id]);
    expect(await lastWritten(folder, id)).toBeGreaterThan(0);
    expect(await lastWritten(folder, ulid() as RecordingId)).toBeUndefined();
  });

  test('are removed with it, joined or not', async () => {
    const { folder, id } = spoolWith({ 1: 440, 2: 700 });
    expect(await removeSpooled(folder, id)).toBe(true);
    expect(readdirSync(folder)).toEqual([]);
    expect(await removeSpooled(folder, id)).toBe(false);
  });

  test('are removed, and found, also where they lie in a file that was being made of them', async () => {
    const { folder, id } = spoolWith({ 1: 440, 2: 700 });
    const down = new Error('the catalogue is down');
    await expect(joinParts(folder, id, () => Promise.reject(down))).rejects.toBe(down);
    expect(existsSync(`${spoolFile(folder, id)}.joining`)).toBe(true);
    expect(await removeSpooled(folder, id)).toBe(true);
    expect(readdirSync(folder)).toEqual([]);
    writeFileSync(`${spoolFile(folder, id)}.joining`, 'half of it');
    expect(await spooledRecordings(folder)).toEqual([id]);
  });

  test('are joined again where a process died while it joined them, and not twice where it died after', async () => {
    const { folder, id } = spoolWith({ 1: 440, 2: 700 });
    writeFileSync(`${spoolFile(folder, id)}.joining`, 'half of it');
    await joinParts(folder, id, nothingLacks);
    expect(existsSync(`${spoolFile(folder, id)}.joining`)).toBe(false);
    const whole = readWav(spoolFile(folder, id));
    expect(whole.length / 8).toBe(1_000);
    // It died before it removed the last of them.
    writeWav(join(folder, `${recorderName(id, 2)}.wav`), tones(500, [700], 8_000));
    await joinParts(folder, id, nothingLacks);
    expect(readdirSync(folder)).toEqual([`${recorderName(id)}.wav`]);
    expect(readWav(spoolFile(folder, id)).length / 8).toBe(1_000);
  });

  test('are not copied where there was one, unless its header is unfinished', async () => {
    const { folder, id } = spoolWith({ 1: 440 });
    const { ino } = statSync(join(folder, `${recorderName(id, 1)}.wav`));
    await joinParts(folder, id, nothingLacks);
    expect(readdirSync(folder)).toEqual([`${recorderName(id)}.wav`]);
    expect(statSync(spoolFile(folder, id)).ino).toBe(ino);

    const broken = spoolWith({ 1: 440 });
    const part = join(broken.folder, `${recorderName(broken.id, 1)}.wav`);
    const bytes = readFileSync(part);
    // As a killed Asterisk leaves it.
    bytes.writeUInt32LE(0, 4);
    bytes.writeUInt32LE(0, 40);
    writeFileSync(part, bytes);
    await joinParts(broken.folder, broken.id, nothingLacks);
    expect(readdirSync(broken.folder)).toEqual([`${recorderName(broken.id)}.wav`]);
    expect(readWav(spoolFile(broken.folder, broken.id)).length / 8).toBe(500);
  });

  test('of which each side was recorded begin together where the times of their files are those of copies', async () => {
    const lengths = [];
    for (const timesOfFiles of ['asterisk', 'copies'] as const) {
      const { folder, id } = spoolWith({});
      for (const side of ['in', 'out'] as const) {
        const before = Date.now();
        await eventually(() => Date.now() - before >= 100);
        writeWav(join(folder, `${recorderName(id, 1, side)}.wav`), tones(500, [440], 8_000));
      }
      await joinParts(folder, id, nothingLacks, { timesOfFiles });
      lengths.push((readChannels(spoolFile(folder, id)).channels[0]?.length ?? 0) / 8);
    }
    expect(lengths[0]).toBeGreaterThanOrEqual(580);
    expect(lengths[1]).toBe(500);
  });

  test('of another recording are left alone', async () => {
    const { folder, id } = spoolWith({ 1: 440 });
    const other = ulid() as RecordingId;
    writeWav(join(folder, `${recorderName(other, 1)}.wav`), tones(500, [700], 8_000));
    await joinParts(folder, id, nothingLacks);
    expect(readdirSync(folder).sort()).toEqual([`${recorderName(id)}.wav`, `${recorderName(other, 1)}.wav`].sort());
  });
});

describe('the two sides of a talk', () => {
  test('become the channels of one file; what is missing is told before they are removed', async () => {
    const { folder, id } = spoolWith({});
    for (const [side, hz] of [
      ['in', 440],
      ['out', 1_000],
    ] as const)
      writeWav(join(folder, `${recorderName(id, 1, side)}.wav`), tones(500, [hz], 8_000));
    writeWav(join(folder, `${recorderName(id, 2, 'in')}.wav`), tones(500, [440], 8_000));
    expect(await spooledRecordings(folder)).toEqual([id]);
    const told: string[] = [];
    await joinParts(folder, id, (lacks) => {
      told.push(...lacks, `with ${readdirSync(folder).length} files`);
      return Promise.resolve();
    });
    expect(told).toEqual(['others', 'with 4 files']);
    expect(readdirSync(folder)).toEqual([`${recorderName(id)}.wav`]);
    const { channels } = readChannels(spoolFile(folder, id));
    const [left = new Int16Array(), right = new Int16Array()] = channels;
    expect([presentMs(left, 440) > 800, presentMs(right, 1_000) > 400, presentMs(right, 440)]).toEqual([true, true, 0]);
  });

  test('are removed with the recording', async () => {
    const { folder, id } = spoolWith({});
    writeWav(join(folder, `${recorderName(id, 1, 'in')}.wav`), tones(500, [440], 8_000));
    writeWav(join(folder, `${recorderName(id, 1, 'out')}.wav`), tones(500, [440], 8_000));
    expect(await removeSpooled(folder, id)).toBe(true);
    expect(readdirSync(folder)).toEqual([]);
  });
});
