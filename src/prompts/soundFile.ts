/**
 * The sound files of prompts: which formats there are, how each is read, and how the WAVs are written. Strict on purpose:
 * Asterisk refuses or mangles what deviates (another rate, stereo, chunks around the audio), and does so in the middle of
 * a call.
 */
import { endianness } from 'node:os';
import { counted } from '../core/text/counted.ts';

/** File extensions in which every prompt is shipped, so that Asterisk finds one that it need not transcode. */
export const promptFormats = ['wav', 'wav16', 'ulaw', 'alaw', 'g722'] as const;
export type PromptFormat = (typeof promptFormats)[number];

/** Mono audio; samples are signed 16-bit values, `rate` is in Hz. */
export type Sound = { rate: number; samples: Int16Array };

const headerBytes = 44;
const bytesPerSample = 2;

/** Sample rate, in Hz, that Asterisk demands of each extension. G.722 is read here as its lower band, at 8000 Hz. */
const rateOf: Record<PromptFormat, 8000 | 16000> = { wav: 8000, wav16: 16000, ulaw: 8000, alaw: 8000, g722: 8000 };

/** Length in ms, rounded. */
export function soundLengthMs(sound: Sound): number {
  return Math.round((sound.samples.length * 1000) / sound.rate);
}

/**
 * Reads one sound file. Returns the sound, or a sentence that says what is wrong with the file.
 * For G.722 only the lower band (below 4 kHz) is decoded: enough to measure it and to compare it with the WAV.
 */
export function readPromptSound(format: PromptFormat, bytes: Buffer): Sound | string {
  const rate = rateOf[format];
  switch (format) {
    case 'wav':
    case 'wav16':
      return readPlainWav(bytes, rate);
    case 'ulaw':
      return bytes.length === 0 ? 'is empty' : { rate, samples: decodeG711(bytes, ulawTable) };
    case 'alaw':
      return bytes.length === 0 ? 'is empty' : { rate, samples: decodeG711(bytes, alawTable) };
    case 'g722':
      return bytes.length === 0 ? 'is empty' : { rate, samples: decodeG722LowerBand(bytes) };
  }
}

/** `sampleRate` in Hz. */
type PlainForm = { sampleRate: number; channels: number; bitsPerSample: number };

/** The plain 44-byte header of a WAV file: PCM, no other chunk. */
export function wavHeader({ sampleRate, channels, bitsPerSample }: PlainForm, dataBytes: number): Buffer {
  const frameBytes = (channels * bitsPerSample) / 8;
  const header = Buffer.alloc(headerBytes);
  header.write('RIFF', 0, 'latin1');
  header.writeUInt32LE(headerBytes - 8 + dataBytes, 4);
  header.write('WAVEfmt ', 8, 'latin1');
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(channels, 22);
  header.writeUInt32LE(sampleRate, 24);
  header.writeUInt32LE(sampleRate * frameBytes, 28);
  header.writeUInt16LE(frameBytes, 32);
  header.writeUInt16LE(bitsPerSample, 34);
  header.write('data', 36, 'latin1');
  header.writeUInt32LE(dataBytes, 40);

  return header;
}

/** A WAV file with that header, mono. */
export function plainWav(sound: Sound): Buffer {
  const dataBytes = sound.samples.length * bytesPerSample;
  const bytes = Buffer.alloc(headerBytes + dataBytes);
  wavHeader({ sampleRate: sound.rate, channels: 1, bitsPerSample: 16 }, dataBytes).copy(bytes);
  const { buffer, byteOffset, byteLength } = sound.samples;
  Buffer.from(buffer, byteOffset, byteLength).copy(bytes, headerBytes);
  if (endianness() === 'BE') bytes.subarray(headerBytes).swap16();
  return bytes;
}

function readPlainWav(bytes: Buffer, rate: number): Sound | string {
  if (bytes.length < headerBytes) return 'is too short to be a WAV file';
  const text = (from: number): string => bytes.toString('latin1', from, from + 4);
  if (text(0) !== 'RIFF' || text(8) !== 'WAVE') return 'is not a WAV file';
  if (text(12) !== 'fmt ' || bytes.readUInt32LE(16) !== 16 || bytes.readUInt16LE(20) !== 1)
    return 'is not plain PCM (another encoding, or an extended header)';
  const channels = bytes.readUInt16LE(22);
  if (channels !== 1) return `has ${counted(channels, 'channel')}, must be mono`;
  const fileRate = bytes.readUInt32LE(24);
  if (fileRate !== rate) return `has ${fileRate} Hz, must be ${rate} Hz`;
  const bits = bytes.readUInt16LE(34);
  if (bits !== 16) return `has ${counted(bits, 'bit')} a sample, must be 16`;
  if (text(36) !== 'data')
    return `has a ${JSON.stringify(text(36))} chunk before the audio; only a plain header is allowed`;
  const dataBytes = bytes.readUInt32LE(40);
  const present = bytes.length - headerBytes;
  if (dataBytes !== present) return `announces ${dataBytes} bytes of audio but has ${present} after the header`;
  if (dataBytes === 0) return 'holds no audio';
  if (dataBytes % bytesPerSample !== 0) return 'ends in the middle of a sample';
  const samples = new Int16Array(dataBytes / bytesPerSample);
  const raw = Buffer.from(samples.buffer);
  bytes.copy(raw, 0, headerBytes);
  if (endianness() === 'BE') raw.swap16();
  return { rate, samples };
}

/** ITU-T G.711, mu-law. */
function decodeUlaw(code: number): number {
  const bits = ~code & 0xff;
  const magnitude = ((((bits & 0x0f) << 3) + 0x84) << ((bits & 0x70) >> 4)) - 0x84;
  return (bits & 0x80) === 0 ? magnitude : -magnitude;
}

/** ITU-T G.711, A-law. */
function decodeAlaw(code: number): number {
  const bits = code ^ 0x55;
  const segment = (bits & 0x70) >> 4;
  const step = ((bits & 0x0f) << 4) + 8;
  const magnitude = segment === 0 ? step : (step + 0x100) << (segment - 1);
  return (bits & 0x80) === 0 ? -magnitude : magnitude;
}

const everyCode = Uint8Array.from({ length: 256 }, (_, code) => code);
const ulawTable = Int16Array.from(everyCode, decodeUlaw);
const alawTable = Int16Array.from(everyCode, decodeAlaw);

function decodeG711(bytes: Buffer, decoded: Int16Array): Int16Array {
  const samples = new Int16Array(bytes.length);
  for (let index = 0; index < bytes.length; index += 1) samples[index] = decoded[bytes[index] ?? 0] ?? 0;
  return samples;
}

// Tables of ITU-T G.722 for the lower band: step-size adaptation and the 4-bit inverse quantiser.
const logStep = Int32Array.of(-60, -30, 58, 172, 334, 538, 1198, 3042);
const logStepIndex = Int32Array.of(0, 7, 6, 5, 4, 3, 2, 1, 7, 6, 5, 4, 3, 2, 1, 0);
const inverseLog = Int32Array.from([
  2048, 2093, 2139, 2186, 2233, 2282, 2332, 2383, 2435, 2489, 2543, 2599, 2656, 2714, 2774, 2834, 2896, 2960, 3025,
  3091, 3158, 3228, 3298, 3371, 3444, 3520, 3597, 3676, 3756, 3838, 3922, 4008,
]);
const quantiser4 = Int32Array.from([
  0, -20456, -12896, -8968, -6288, -4240, -2584, -1200, 20456, 12896, 8968, 6288, 4240, 2584, 1200, 0,
]);

const between = (value: number, from: number, to: number): number => (value < from ? from : value > to ? to : value);
const clamp16 = (value: number): number => between(value, -32768, 32767);
const at = (list: Int32Array, index: number): number => list[index] ?? 0;

/** ITU-T G.722, lower band from the four bits that drive its predictor: speech below 4 kHz at 8000 Hz. */
function decodeG722LowerBand(bytes: Buffer): Int16Array {
  const zeros = new Int32Array(6);
  const differences = new Int32Array(6);
  let predicted = 0;
  let predictedByZeros = 0;
  let step = 32;
  let logStepNow = 0;
  let pole1 = 0;
  let pole2 = 0;
  let output1 = 0;
  let partial1 = 0;
  let partial2 = 0;
  const samples = new Int16Array(bytes.length);
  for (let index = 0; index < bytes.length; index += 1) {
    const low = ((bytes[index] ?? 0) & 0x3f) >> 2;
    const difference = (step * at(quantiser4, low)) >> 15;
    const output = clamp16(predicted + difference);
    const partial = clamp16(predictedByZeros + difference);

    logStepNow = between(((logStepNow * 127) >> 7) + at(logStep, at(logStepIndex, low)), 0, 18432);
    const shift = 8 - (logStepNow >> 11);
    const mantissa = at(inverseLog, (logStepNow >> 6) & 31);
    step = (shift < 0 ? mantissa << -shift : mantissa >> shift) << 2;

    const sameAsLast = partial >> 15 === partial1 >> 15;
    const sameAsSecond = partial >> 15 === partial2 >> 15;
    const first = clamp16(pole1 << 2);
    const second = (between(sameAsLast ? -first : first, -32768, 32767) >> 7) + (sameAsSecond ? 128 : -128);
    pole2 = between(second + ((pole2 * 32512) >> 15), -12288, 12288);
    pole1 = between((sameAsLast ? 192 : -192) + ((pole1 * 32640) >> 15), pole2 - 15360, 15360 - pole2);

    const gain = difference === 0 ? 0 : 128;
    predictedByZeros = 0;
    // From the oldest on, so that each difference moves on where it was just used; copyWithin costs more than the rest.
    for (let tap = 5; tap >= 0; tap -= 1) {
      const sameSign = at(differences, tap) >> 15 === difference >> 15;
      const zero = clamp16((sameSign ? gain : -gain) + ((at(zeros, tap) * 32640) >> 15));
      const newer = tap === 0 ? difference : at(differences, tap - 1);
      zeros[tap] = zero;
      differences[tap] = newer;
      predictedByZeros += (zero * clamp16(2 * newer)) >> 15;
    }
    predictedByZeros = clamp16(predictedByZeros);
    const byPoles = ((pole1 * clamp16(2 * output)) >> 15) + ((pole2 * clamp16(2 * output1)) >> 15);
    predicted = clamp16(byPoles + predictedByZeros);
    output1 = output;
    partial2 = partial1;
    partial1 = partial;
    samples[index] = between(output, -16384, 16383) * 2;
  }
  return samples;
}
