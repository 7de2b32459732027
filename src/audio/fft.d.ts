declare module 'fft.js' {
  class FFT {
    /** `size` is a power of two, at least 2. */
    constructor(size: number);
    /** Complex numbers, real, imaginary, real, ...: `size` of them. */
    realTransform(output: Float64Array, input: ArrayLike<number>): void;
    /** Fills the half of the spectrum that realTransform leaves out. */
    completeSpectrum(spectrum: Float64Array): void;
    inverseTransform(output: Float64Array, input: Float64Array): void;
  }
  export = FFT;
}
