/** Object Locks that end while a test waits, on a real server, whose clock cannot be set. */
import type { Client } from 'minio';
import { eventually } from '../poll.ts';

/**
 * Does what counts on a lock that ends at `until`, in some seconds. Where the lock was over before that was done, it is done again, under another key,
 * with a lock that lasts for twice as long.
 */
export async function whileLocked<T>(act: (until: number, key: string) => Promise<T>): Promise<T> {
  for (let lastsFor = 2; ; lastsFor *= 2) {
    const until = Math.ceil(Date.now() / 1_000 + lastsFor) * 1_000;
    try {
      return await act(until, `lock/${lastsFor}`);
    } catch (error) {
      if (Date.now() < until || lastsFor > 20) throw error;
    }
  }
}

/** Has the lock of this object end in a second or so. The server refuses a time that has passed when the request comes to it: then it is asked again. */
export async function endLockSoon(client: Client, bucket: string, name: string): Promise<void> {
  await eventually(async () => {
    const retainUntilDate = new Date(Date.now() + 1_000).toISOString();
    // The types of the client know no retention but none.
    await client.putObjectRetention(bucket, name, {
      governanceBypass: true,
      mode: 'GOVERNANCE',
      retainUntilDate,
    } as never);
  });
}
