declare module 'fft.js' {
  class FFT {
    /** `size` is a power of two, at least 2. */
    constructor(size: number);
    /** An array of `size` complex numbers: real, imaginary, real, ... */
    createComplexArray(): number[];
    realTransform(output: number[], input: ArrayLike<number>): void;
    /** Fills the half of the spectrum that realTransform leaves out. */
    completeSpectrum(spectrum: number[]): void;
    inverseTransform(output: number[], input: number[]): void;
  }
  export = FFT;
}
