/**
 * How much of one sound lies at each place in another. The longer one is cut into blocks and the sought one into parts, which keeps
 * every transform small. It stays in the processor's cache, and its tables, which each test file makes anew, are soon made.
 */
import FFT from 'fft.js';

/** Points of a transform. */
const blockLength = 16_384;

/** The product transforms real numbers only, so its declaration leaves out the one for complex ones. */
type ComplexFFT = FFT & { transform(output: Float64Array, input: Float64Array): void };
const fft = new FFT(blockLength) as ComplexFFT;

/** Real, imaginary, real, ... */
const complexBlock = (): Float64Array => new Float64Array(2 * blockLength);

/** For what is done without a pause: of a transform what goes in, and what comes out. */
const [real, input, output] = [new Float64Array(blockLength), complexBlock(), complexBlock()];

/**
 * A sound that is searched from its beginning and from `middle` at once: each sample has for its imaginary part the one `middle` later. Its
 * blocks begin a `hop` after each other; their spectra are made when they are first needed.
 */
type Searched = {
  readonly samples: Int16Array;
  readonly hop: number;
  readonly middle: number;
  readonly spectra: Float64Array[];
};

/** The last search of each sound: one is searched for many prompts, one after the other. */
const searches = new WeakMap<Int16Array, Searched>();

/** At each offset at which all of `sought` lies inside `samples`: the sum of the products of the samples over each other. */
export function crossCorrelation(samples: Int16Array, sought: Int16Array): Float64Array {
  // A part fits into a block at as many offsets as a hop is long. Where there are several, they lie a hop apart as the blocks do.
  const partLength = Math.min(sought.length, blockLength / 2);
  const sound = searchedBy(blockLength - partLength, samples);
  const parts = spectraOfParts(sought, partLength);
  const result = new Float64Array(samples.length - sought.length + 1);
  for (let start = 0; start < sound.middle; start += sound.hop) {
    input.fill(0);
    parts.forEach((part, index) => {
      addProduct(spectrumOfBlock(sound, start / sound.hop + index), part);
    });
    // Of conjugates it is the inverse transform, conjugated and not yet divided.
    fft.transform(output, input);
    takeEverySecond(output, 1 / blockLength, result.subarray(start, start + sound.hop));
    takeEverySecond(output.subarray(1), -1 / blockLength, result.subarray(sound.middle + start).subarray(0, sound.hop));
  }

  return result;
}

function searchedBy(hop: number, samples: Int16Array): Searched {
  const known = searches.get(samples);
  if (known?.hop === hop) return known;
  const search = { samples, hop, middle: hop * Math.ceil(samples.length / 2 / hop), spectra: [] };
  searches.set(samples, search);

  return search;
}

function spectrumOfBlock({ samples, hop, middle, spectra }: Searched, block: number): Float64Array {
  const known = spectra[block];
  if (known !== undefined) return known;
  const spectrum = complexBlock();
  // The input may hold a sum that is not yet complete.
  output.fill(0);
  putIntoEverySecond(output, samples.subarray(block * hop).subarray(0, blockLength));
  putIntoEverySecond(output.subarray(1), samples.subarray(middle + block * hop).subarray(0, blockLength));
  fft.transform(spectrum, output);
  spectra[block] = spectrum;

  return spectrum;
}

function spectraOfParts(sought: Int16Array, partLength: number): Float64Array[] {
  const spectra: Float64Array[] = [];
  for (let start = 0; start < sought.length; start += partLength) {
    real.fill(0);
    real.set(sought.subarray(start, start + partLength));
    const spectrum = complexBlock();
    fft.realTransform(spectrum, real);
    fft.completeSpectrum(spectrum);
    spectra.push(spectrum);
  }

  return spectra;
}

/** To the input: a part times the conjugate of a block. */
function addProduct(block: Float64Array, part: Float64Array): void {
  for (let index = 0; index < input.length; index += 2) {
    const a = block[index] ?? 0;
    const b = block[index + 1] ?? 0;
    const c = part[index] ?? 0;
    const d = part[index + 1] ?? 0;
    input[index] = (input[index] ?? 0) + a * c + b * d;
    input[index + 1] = (input[index + 1] ?? 0) + a * d - b * c;
  }
}

// Neither goes beyond the end of an array, which takes many times as long as a number inside.

function takeEverySecond(from: Float64Array, factor: number, to: Float64Array): void {
  for (let index = 0; index < to.length; index += 1) to[index] = factor * (from[2 * index] ?? 0);
}

function putIntoEverySecond(to: Float64Array, from: Int16Array): void {
  for (let index = 0; index < from.length; index += 1) to[2 * index] = from[index] ?? 0;
}
