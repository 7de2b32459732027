import { parseConfig } from '../../../src/config/load.ts';
import { asWorker, workersOf } from '../../../src/config/workers.ts';
import { PreavisError } from '../../../src/core/errors.ts';
import { configTree } from '../../support/call/calls.ts';

/** The configuration of one of two workers. */
const configOf = (worker: string | undefined, tree: Readonly<Record<string, unknown>> = {}) =>
  parseConfig({ ...configTree(), ...tree }, worker === undefined ? {} : { PREAVIS_ARI_WORKER: worker });

function refusal(tree: Readonly<Record<string, unknown>>): string {
  try {
    asWorker(configOf('a', tree));
  } catch (thrown) {
    if (thrown instanceof PreavisError && thrown.code === 'config_invalid') return thrown.message;
    throw thrown;
  }
  throw new Error('nothing was refused');
}

test('a worker has an application of its own and knows that of the other; the second one has the next port', () => {
  const [a, b] = [configOf('a'), configOf('b')];
  expect(workersOf(a)).toEqual({ own: 'preavis-a', peer: 'preavis-b' });
  expect(workersOf(b)).toEqual({ own: 'preavis-b', peer: 'preavis-a' });
  expect(asWorker(a)).toMatchObject({ ari: { application: 'preavis-a' }, health: { port: 8090 } });
  expect(asWorker(b)).toMatchObject({ ari: { application: 'preavis-b' }, health: { port: 8091 } });
  expect(asWorker(configOf('b', { health: { port: 0 } }))).toMatchObject({ health: { port: 0 } });
});

test('without a name all is as it was written', () => {
  const config = configOf(undefined);
  expect(workersOf(config)).toBeUndefined();
  expect(asWorker(config)).toBe(config);
});

test('a name that is neither is refused', () => {
  expect(() => configOf('c')).toThrow(/ari\.worker/);
});

test('what would end the recorders of both before calls can be taken up is refused, and so is a recording folder that is not shared', () => {
  expect(refusal({ recording: { unwatchedSeconds: 24 } })).toMatch(/^recording\.unwatchedSeconds: is less than 25/);
  expect(refusal({ recording: { spool: 'collected' } })).toMatch(/^ari\.worker: .*collected/);
});
