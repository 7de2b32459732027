/** Another test of the run that interruption.test.ts ends in its middle: an S3 server of its own and that of the run, in another worker. */
import { startStore } from '../../../lab/store/store.ts';
import { useS3Server } from '../archive/s3Server.ts';
import { untilInterrupted } from './untilInterrupted.ts';

useS3Server({ recordings: {} });

it('is interrupted while both servers serve', async () => {
  const store = await startStore();
  try {
    await store.makeBucket('recordings');
    await untilInterrupted('store');
  } finally {
    await store.stop();
  }
});
