import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { readWav, rms, sampleRate, similarity, tonePresence, toneShare } from '../../support/audio/audio.ts';
import { makePrivateFolder } from '../../support/temporaryFolder.ts';

// The sounds are made before the first test, to be compared by all.
const temporary = makePrivateFolder();
afterAll(() => {
  temporary.remove();
});

function speech(name: string, text: string): Int16Array {
  const [spoken, file] = [join(temporary.path, `${name}-22.wav`), join(temporary.path, `${name}.wav`)];
  execFileSync('espeak-ng', ['-v', 'fr', '-w', spoken, text]);
  execFileSync('sox', ['-D', spoken, '-r', '8000', '-b', '16', '-c', '1', file]);
  return readWav(file);
}

function tone(hz: number, ms: number, amplitude = 8000): Int16Array {
  return Int16Array.from({ length: (ms * sampleRate) / 1000 }, (_, index) =>
    Math.round(amplitude * Math.sin((2 * Math.PI * hz * index) / sampleRate)),
  );
}

function noise(length: number, amplitude: number): Int16Array {
  let seed = 1;
  return Int16Array.from({ length }, () => {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    return Math.round(amplitude * (2 * (seed / 2147483648) - 1));
  });
}

/** Puts the second sound into the first, from `atMs` on. */
function mix(under: Int16Array, over: Int16Array, { atMs = 0, gain = 1 } = {}): Int16Array {
  const result = Int16Array.from(under);
  const start = (atMs * sampleRate) / 1000;
  over.forEach((sample, index) => {
    const at = start + index;
    if (at < result.length)
      result[at] = Math.max(-32768, Math.min(32767, (result[at] ?? 0) + Math.round(sample * gain)));
  });
  return result;
}

describe('tonePresence', () => {
  it('finds a tone where it is, and not before or after', () => {
    const samples = mix(new Int16Array(2 * sampleRate), tone(440, 500), { atMs: 700 });
    const spans = tonePresence(samples, 440);
    expect(spans).toHaveLength(1);
    expect(Math.abs((spans[0]?.startMs ?? 0) - 700)).toBeLessThanOrEqual(40);
    expect(Math.abs((spans[0]?.endMs ?? 0) - 1200)).toBeLessThanOrEqual(40);
  });

  it('finds both of two tones that sound together, and no third one', () => {
    const samples = mix(tone(440, 1000), tone(880, 1000));
    expect(tonePresence(samples, 440)).toEqual([{ startMs: 0, endMs: 1000 }]);
    expect(tonePresence(samples, 880)).toEqual([{ startMs: 0, endMs: 1000 }]);
    expect(tonePresence(samples, 650)).toEqual([]);
  });

  it('finds a tone that is 6 dB weaker than the one over it', () => {
    const samples = mix(tone(440, 1000, 8000), tone(880, 1000, 4000));
    expect(tonePresence(samples, 880)).toEqual([{ startMs: 0, endMs: 1000 }]);
  });

  it('tells bursts apart', () => {
    let samples: Int16Array = new Int16Array(3 * sampleRate);
    for (const atMs of [0, 1000, 2000]) samples = mix(samples, tone(880, 500), { atMs });
    expect(tonePresence(samples, 880)).toHaveLength(3);
  });

  it('hears no tone in silence, noise or speech', () => {
    expect(tonePresence(new Int16Array(sampleRate), 440)).toEqual([]);
    expect(tonePresence(noise(sampleRate, 8000), 440)).toEqual([]);
    // Vowels pass through any frequency for a moment, so a span of speech may be found, but never a long one.
    const longest = Math.max(
      0,
      ...tonePresence(speech('vowels', 'Bonjour à tous'), 880).map((s) => s.endMs - s.startMs),
    );
    expect(longest).toBeLessThan(250);
  });

  it('gives a pure tone nearly the whole energy of its window', () => {
    expect(toneShare(tone(440, 1000), 440)).toBeGreaterThan(0.99);
    expect(rms(tone(440, 1000, 8000))).toBeCloseTo(8000 / Math.SQRT2, -1);
  });

  it('finds none in a rest of other sound that was cut off, but in 3 ms of its own', () => {
    const seen = { share: 0.02, windowMs: 40 };
    // Eight samples of 440 and 1000 Hz, as a recording had them before its silence.
    const rest = Int16Array.from([-9464, -768, 4736, 4928, 1256, -2560, -2688, 1920]);
    const cut = mix(new Int16Array(sampleRate), rest, { atMs: 180 });
    expect(tonePresence(cut, 1_600, seen)).toEqual([]);
    // Sixteen of 440 Hz, as a telephone heard them behind the silence of a-law, which is none of 0.
    const begun = Int16Array.from([
      -9472, -7808, -5248, -2112, 1248, 4480, 7296, 8960, 9984, 9472, 8064, 5504, 2496, -912, -4224, -7040,
    ]);
    const window = new Int16Array(320).fill(8);
    window.set(begun, 304);
    expect(tonePresence(window, 700, seen)).toEqual([]);
    expect(tonePresence(mix(cut, tone(1_600, 3), { atMs: 500 }), 1_600, seen)).not.toEqual([]);
  });
});

describe('similarity', () => {
  const prompt = speech('prompt', 'Cet appel peut être enregistré à des fins de formation.');
  const other = speech('other', 'Votre appel est important pour nous, veuillez patienter.');

  it('is 1 for the prompt itself at another volume, and says where it is', () => {
    const samples = mix(new Int16Array(prompt.length + 2 * sampleRate), prompt, { atMs: 1234, gain: 0.4 });
    const found = similarity(samples, prompt);
    expect(found.value).toBeGreaterThan(0.98);
    expect(Math.abs(found.atMs - 1234)).toBeLessThan(1);
  });

  it('finds the prompt under louder tones', () => {
    const level = rms(prompt);
    let samples = mix(new Int16Array(prompt.length + 2 * sampleRate), prompt, { atMs: 500 });
    const lengthMs = (samples.length / sampleRate) * 1000;
    samples = mix(samples, tone(440, lengthMs, 1.4 * level));
    samples = mix(samples, tone(880, lengthMs, 1.4 * level));
    const found = similarity(samples, prompt);
    // Measured: 0.58. Two tones with the prompt's own energy each leave 1/sqrt(3).
    expect(found.value).toBeGreaterThan(0.3);
    expect(Math.abs(found.atMs - 500)).toBeLessThan(1);
  });

  it('stays low where the prompt is absent: silence, tones, noise, another sentence of the same voice', () => {
    const length = prompt.length + 2 * sampleRate;
    const tones = mix(tone(440, (length / sampleRate) * 1000), tone(880, (length / sampleRate) * 1000));
    const values = {
      silence: similarity(new Int16Array(length), prompt).value,
      tones: similarity(tones, prompt).value,
      noise: similarity(noise(length, 6000), prompt).value,
      sentence: similarity(mix(new Int16Array(length), other, { atMs: 300 }), prompt).value,
      under: similarity(mix(tones, other, { atMs: 300 }), prompt).value,
    };
    // Measured: silence 0, tones 0.03, noise 0.03, another sentence 0.08, the same under tones 0.04.
    for (const value of Object.values(values)) expect(value).toBeLessThan(0.15);
  });

  it('is 0 for samples shorter than the prompt', () => {
    expect(similarity(prompt.subarray(0, 100), prompt)).toEqual({ value: 0, atMs: 0 });
  });
});
