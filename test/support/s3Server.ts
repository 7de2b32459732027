import { Client } from 'minio';
import { startStore, type LabStore } from '../../lab/store.ts';

type Buckets = Readonly<Record<string, Parameters<LabStore['makeBucket']>[1]>>;

/** A real S3 server for the tests of a file, with these buckets, and a client of it that is not ours. */
export function useS3Server(buckets: Buckets): { readonly server: LabStore; readonly client: Client } {
  let running: { server: LabStore; client: Client } | undefined;
  const now = (): { server: LabStore; client: Client } => {
    if (running === undefined) throw new Error('the S3 server runs in the tests of a file, not before them');

    return running;
  };

  beforeAll(async () => {
    const server = await startStore();
    running = { server, client: new Client({ ...server, useSSL: false }) };
    for (const [name, options] of Object.entries(buckets)) await server.makeBucket(name, options);
  });
  afterAll(async () => {
    await running?.server.stop();
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
