/** Another test of the run that interruption.test.ts ends in its middle: an S3 server, in a worker of its own. */
import { startStore } from '../../../lab/store.ts';
import { untilInterrupted } from './untilInterrupted.ts';

it('is interrupted while the store serves', async () => {
  const store = await startStore();
  try {
    await store.makeBucket('recordings');
    await untilInterrupted('store');
  } finally {
    await store.stop();
  }
});
