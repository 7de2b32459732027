import { writeFile } from 'node:fs/promises';
import { join as joinPath } from 'node:path';
import { type AudioFinding, type SelfCheck, checkRecording, oneSided } from '../../../src/audio/selfCheck.ts';
import { SelfCheckThread } from '../../../src/audio/selfCheckThread.ts';
import { plainWav } from '../../../src/prompts/soundFile.ts';
import { readWav } from '../../support/audio/audio.ts';
import {
  aLaw,
  cut,
  drift,
  join,
  levelled,
  makeRandom,
  mix,
  music,
  noise,
  scale,
  silence,
  tones,
} from '../../support/audio/soundMaking.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const sounds = joinPath(import.meta.dirname, '../../../sounds');
const read = new Map<string, Int16Array>();
function prompt(name: string): { id: string; samples: Int16Array } {
  const samples = read.get(name) ?? readWav(joinPath(sounds, `${name}.wav`));
  read.set(name, samples);

  return { id: name, samples };
}

const purpose = prompt('fr/notice-training');
const storage = prompt('fr/no-answer');
const played = [purpose, storage];

/** Two parties who talk in turn and at once, for `ms`: the prompts of other languages. */
function conversation(ms: number): Int16Array {
  const one = ['nl/turned-away', 'en/notice-both', 'nl/notice-agreement', 'en/opt-in', 'de/notice-both'];
  const other = ['de/notice-mifid', 'en/turned-away', 'de/opt-in-ack', 'nl/notice-both'];
  const turns = (names: string[]): Int16Array => {
    const all = join(...names.map((name) => prompt(name).samples));
    return cut(join(...Array.from({ length: Math.ceil(ms / 10_000) }, () => all)), 0, ms);
  };
  return mix(turns(one), scale(turns(other), -6), 700);
}

let files = 0;
async function check(
  samples: Int16Array,
  options: { prompts?: typeof played; expectedMs?: number; signal?: AbortSignal } = {},
): Promise<SelfCheck> {
  const file = folder.path(`${(files += 1)}.wav`);
  await writeFile(file, plainWav({ rate: 8000, samples }));
  const { prompts = played, expectedMs, signal } = options;
  return checkRecording(file, { prompts, expectedMs, ...(signal && { signal }) });
}

type Inside = Extract<AudioFinding, { kind: 'notice_inside' }>;
const inside = ({ findings }: SelfCheck): Inside[] => findings.filter((finding) => finding.kind === 'notice_inside');

describe('a prompt in a recording', () => {
  const talk = conversation(30_000);

  it('is found where it begins, unchanged, and the other prompt is not', async () => {
    const found = inside(await check(join(talk, storage.samples, talk)));
    expect(found.map((finding) => finding.prompt)).toEqual([storage.id]);
    expect(found[0]?.likeness).toBeGreaterThan(0.95);
    // The first window of 250 ms begins with the silence before the words.
    expect(Math.abs((found[0]?.atMs ?? 0) - (found[0]?.promptFromMs ?? 0) - 30_000)).toBeLessThan(5);
  });

  it('is found twice when two prompts follow each other, in the order in which they are heard', async () => {
    const found = inside(await check(join(silence(500), purpose.samples, storage.samples, talk)));
    expect(found.map((finding) => finding.prompt)).toEqual([purpose.id, storage.id]);
  });

  it.each([-6, -10])(
    'is found %d dB below two people who talk, after A-law and with a drifting clock',
    async (level) => {
      for (const ppm of [-100, 100]) {
        for (const { id, samples } of played) {
          const changed = drift(levelled(samples, talk, level), ppm, 0.5);
          const [found] = inside(await check(aLaw(scale(mix(talk, changed, 12_345), -6))));
          expect(found?.prompt).toBe(id);
          expect(Math.abs((found?.atMs ?? 0) - (found?.promptFromMs ?? 0) - 12_345)).toBeLessThan(5);
        }
      }
    },
  );

  it('is followed to its end by a drifting clock, and between the samples', async () => {
    const long = prompt('nl/turned-away');
    // But for the silence at its ends, and the step in which it is followed.
    const wholeMs = long.samples.length / 8 - 700;
    for (const [ppm, least] of [
      [0, 0.68],
      [100, 0.78],
      [-100, 0.78],
    ] as const) {
      const [found] = inside(await check(join(silence(3_000), drift(long.samples, ppm, 0.5)), { prompts: [long] }));
      expect(found?.lengthMs).toBeGreaterThan(wholeMs);
      expect(found?.likeness).toBeGreaterThan(least);
    }
  });

  it('is found under a ringing tone 6 dB louder and under music 10 dB louder', async () => {
    for (const [base, level] of [
      [tones(20_000, [425], 3_000), -6],
      [music(20_000, 12_000), -10],
    ] as const) {
      const [found] = inside(await check(mix(base, levelled(purpose.samples, base, level), 9_000)));
      expect(found?.prompt).toBe(purpose.id);
    }
  });

  it('is found when only its last 1.3 s are there, at the very beginning', async () => {
    const from = purpose.samples.length / 8 - 1_550;
    const tail = cut(purpose.samples, from, 60_000);
    const [found] = inside(await check(join(tail, silence(2_000), talk)));
    expect(found).toMatchObject({ prompt: purpose.id });
    expect(found?.atMs).toBeLessThan(250);
    // In whole windows of 250 ms.
    expect(found?.promptFromMs).toBeGreaterThan(from - 250);
  });

  it('is found when only a part of it is there, anywhere, very quietly', async () => {
    for (const from of [200, 800, 1_400]) {
      const part = scale(cut(purpose.samples, from, from + 1_400), -30);
      const found = inside(await check(join(talk, silence(1_000), part, silence(1_000), talk)));
      expect(found.map((finding) => finding.prompt)).toEqual([purpose.id]);
      expect(Math.abs((found[0]?.atMs ?? 0) - 31_000)).toBeLessThan(400);
    }
  });

  it('is found at the very end', async () => {
    const found = inside(await check(join(talk, cut(purpose.samples, 0, 2_000))));
    expect(found.map((finding) => finding.prompt)).toEqual([purpose.id]);
  });

  it('is found wherever it lies in the blocks in which the recording is searched', async () => {
    for (let at = 3_000; at < 10_000; at += 1_111) {
      const found = inside(await check(mix(talk, scale(storage.samples, -8), at)));
      expect(found.map((finding) => finding.prompt)).toEqual([storage.id]);
    }
  });

  it('is not found in other sentences of the same voice', async () => {
    const others = ['fr/notice-agreement', 'fr/notice-both', 'fr/opt-in'].map((name) => prompt(name).samples);
    const checked = await check(join(talk, ...others, talk, ...others.map((samples) => drift(samples, 20_000))), {
      prompts: [storage],
    });
    expect(checked.findings).toEqual([]);
    expect(checked.measured.promptsSought).toBe(1);
  });

  it('is not found in tones, noise, music and clicks', async () => {
    const random = makeRandom(5);
    const clicks = silence(20_000).map(() => (random() < 0.001 ? 20_000 : 0));
    const busy = join(...Array.from({ length: 20 }, () => join(tones(500, [425], 8_000), silence(500))));
    const sweep = silence(20_000).map((_, index) => 8_000 * Math.sin(index * index * 2e-6));
    const everything = join(
      tones(10_000, [425], 8_000),
      tones(5_000, [770, 1_336], 6_000),
      busy,
      noise(10_000, 10_000),
      noise(10_000, 3),
      music(30_000, 12_000),
      clicks,
      sweep,
    );
    expect((await check(everything)).findings).toEqual([]);
  });

  it('of less than a second of sound is not looked for', async () => {
    const short = { id: 'short', samples: cut(purpose.samples, 0, 1_000) };
    const { findings, measured } = await check(join(talk, short.samples), { prompts: [short] });
    expect(findings).toEqual([]);
    expect(measured.promptsSought).toBe(0);
  });
});

describe('silence', () => {
  const kinds = async (samples: Int16Array): Promise<string[]> =>
    (await check(samples)).findings.map((finding) => finding.kind);

  it('of the whole recording is found, digital or only the idle noise of a line', async () => {
    expect((await check(silence(5_000))).findings).toEqual([{ kind: 'silent', loudestDbfs: null }]);
    const idle = await check(noise(5_000, 20));
    expect(idle.findings).toEqual([{ kind: 'silent', loudestDbfs: expect.closeTo(-69.1, 0) as number }]);
    expect(await kinds(silence(30))).toEqual(['silent']);
    expect(await kinds(tones(30, [425], 8_000))).toEqual([]);
  });

  it('is not claimed where one word was said, quietly', async () => {
    expect(await kinds(join(silence(20_000), scale(cut(storage.samples, 300, 700), -25), silence(20_000)))).toEqual([]);
  });

  it('of a minute is found with its place, of less it is not', async () => {
    const word = conversation(3_000);
    expect((await check(join(word, silence(61_000), word))).findings).toEqual([
      {
        kind: 'long_silence',
        atMs: expect.closeTo(3_000, -3) as number,
        ms: expect.closeTo(61_000, -3) as number,
      },
    ]);
    expect(await kinds(join(word, silence(55_000), word))).toEqual([]);
  });
});

describe("the length beside Asterisk's own times", () => {
  const talk = conversation(10_000);
  const kinds = async (expectedMs?: number): Promise<string[]> =>
    (await check(talk, expectedMs === undefined ? {} : { expectedMs })).findings.map((finding) => finding.kind);

  it('may be half a second and a thousandth less', async () => {
    expect(await kinds(10_500)).toEqual([]);
    expect(await kinds(9_000)).toEqual([]);
    expect(await kinds()).toEqual([]);
  });

  it('is found when it is less than that', async () => {
    const { findings, wav } = await check(talk, { expectedMs: 10_600 });
    expect(wav.durationMs).toBe(10_000);
    expect(findings).toEqual([{ kind: 'shorter_than_expected', durationMs: 10_000, expectedMs: 10_600 }]);
  });
});

describe('clipping', () => {
  it('is found in sound driven into full scale, also through A-law, and not in loud sound', async () => {
    const loud = scale(conversation(10_000), -3);
    expect((await check(loud)).findings).toEqual([]);
    for (const driven of [scale(loud, 20), aLaw(scale(loud, 20))]) {
      expect((await check(driven)).findings).toEqual([{ kind: 'clipped', share: expect.any(Number) as number }]);
    }
  });
});

describe('a recording that cannot be checked', () => {
  it('is refused when it has another format', async () => {
    const file = folder.path('wide.wav');
    await writeFile(file, plainWav({ rate: 44_100, samples: silence(100) }));
    await expect(checkRecording(file, { prompts: [], expectedMs: undefined })).rejects.toMatchObject({
      code: 'wav_invalid',
    });
  });

  it('is refused when it is empty or missing', async () => {
    await expect(check(new Int16Array(0))).rejects.toMatchObject({ code: 'wav_empty' });
    const missing = checkRecording(folder.path('none.wav'), { prompts: [], expectedMs: undefined });
    await expect(missing).rejects.toMatchObject({ code: 'spool_unusable' });
  });

  it('is left when the signal says so, with its reason', async () => {
    const reason = new Error('stopping');
    await expect(check(silence(60_000), { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const file = folder.path('long.wav');
    await writeFile(file, plainWav({ rate: 8000, samples: silence(600_000) }));
    const controller = new AbortController();
    const checking = checkRecording(file, { prompts: [], expectedMs: undefined, signal: controller.signal });
    setImmediate(() => {
      controller.abort(reason);
    });
    await expect(checking).rejects.toBe(reason);
  });
});

test('the thread runs the program of the build, which finds what is found here', async () => {
  const file = folder.path('threaded.wav');
  await writeFile(file, plainWav({ rate: 8000, samples: silence(20_000) }));
  const options = { prompts: [], expectedMs: 30_000 };
  const here = await checkRecording(file, options);
  expect(here.findings).not.toEqual([]);
  const thread = new SelfCheckThread();
  try {
    expect(await thread.check(file, options)).toEqual(here);
  } finally {
    await thread.stop();
  }
});

describe('one side', () => {
  const minute = 60_000;

  it('is silent when nothing arrives from it', () => {
    const legs = { caller: { packets: 3_000 }, destination: { packets: 4 } };
    expect(oneSided(legs, minute)).toEqual({ kind: 'one_sided', silent: 'destination', by: 'packets' });
  });

  it('is silent when it sends and is never heard to talk', () => {
    const legs = { caller: { packets: 3_000, talkMs: 200 }, destination: { packets: 3_000, talkMs: 30_000 } };
    expect(oneSided(legs, minute)).toEqual({ kind: 'one_sided', silent: 'caller', by: 'talk' });
  });

  it('is not silent when both talk, however unequally, or send with silence suppression', () => {
    const unequal = { caller: { packets: 3_000, talkMs: 1_000 }, destination: { packets: 3_000, talkMs: 55_000 } };
    expect(oneSided(unequal, minute)).toBeUndefined();
    expect(oneSided({ caller: { packets: 90 }, destination: { packets: 2_900 } }, minute)).toBeUndefined();
  });

  it('is not judged when both are silent, when a number is missing, or in a short recording', () => {
    const none = { packets: 0, talkMs: 0 };
    const full = { packets: 3_000, talkMs: 30_000 };
    expect(oneSided({ caller: none, destination: none }, minute)).toBeUndefined();
    expect(oneSided({ caller: undefined, destination: full }, minute)).toBeUndefined();
    expect(oneSided({ caller: { talkMs: 0 }, destination: { packets: 3_000 } }, minute)).toBeUndefined();
    expect(oneSided({ caller: none, destination: full }, 9_000)).toBeUndefined();
  });
});
