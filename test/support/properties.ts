/**
 * How often the properties of hostile input are tried. By default with one seed, so that a test that passed passes again; to
 * explore, PREAVIS_TEST_RUNS=50 tries fifty times as many, from a seed that is new each time. A failure prints its seed, and
 * PREAVIS_TEST_SEED takes it.
 */
const times = Number(process.env['PREAVIS_TEST_RUNS'] ?? '1');
const given = process.env['PREAVIS_TEST_SEED'];
const usualSeed = 20_261_124;

/** Parameters of `fc.assert`. */
export function tried(runs: number): { numRuns: number; seed?: number } {
  const seed = given === undefined ? (times === 1 ? usualSeed : undefined) : Number(given);

  return { numRuns: Math.ceil(runs * times), ...(seed === undefined ? {} : { seed }) };
}
