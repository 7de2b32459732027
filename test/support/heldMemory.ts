import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Bytes that this process holds on to. When garbage is collected is V8's affair, so that what was let go of does not count. */
export function heldBytes(): number {
  collectGarbage();
  // Some of it is let go of by what the first collection found.
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();

  return heapUsed + external;
}
