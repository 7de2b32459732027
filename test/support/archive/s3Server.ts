import { Client } from 'minio';
import { sharedStore } from '../../../lab/store/sharedStore.mjs';
import { openAccount, type BucketOptions, type StoreAccount } from '../../../lab/store/storeAccounts.ts';

type Buckets = Readonly<Record<string, BucketOptions>>;

/**
 * The S3 server that the files of a run share, with an account for the tests of this file that has these buckets and sees no
 * other, and a client of it that is not ours. Who stops, freezes or configures a server, or fills it, starts one (lab/store/store.ts).
 */
export function useS3Server(buckets: Buckets): { readonly server: StoreAccount; readonly client: Client } {
  let opened: { server: StoreAccount; client: Client } | undefined;
  const now = (): { server: StoreAccount; client: Client } => {
    if (opened === undefined) throw new Error('the S3 server runs in the tests of a file, not before them');

    return opened;
  };

  beforeAll(async () => {
    const server = await openAccount(await sharedStore());
    opened = { server, client: new Client({ ...server, useSSL: false }) };
    for (const [name, options] of Object.entries(buckets)) await server.makeBucket(name, options);
  });

  return {
    get server() {
      return now().server;
    },
    get client() {
      return now().client;
    },
  };
}
