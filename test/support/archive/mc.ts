import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { StoreAddress } from '../../../lab/store/storeAccounts.ts';

const run = promisify(execFile);

export type OperatorRun = { ok: boolean; output: string };

/** MinIO's own client, as an operator uses it: the store is named `store`, and this account owns its buckets. */
export function operatorClient(
  server: () => StoreAddress,
  configFolder: () => string,
): (...args: string[]) => Promise<OperatorRun> {
  return async (...args) => {
    const { accessKey, secretKey, port } = server();
    const env = { ...process.env, MC_HOST_store: `http://${accessKey}:${secretKey}@127.0.0.1:${port}` };
    try {
      const { stdout } = await run('minio-client', ['--config-dir', configFolder(), ...args], { env });

      return { ok: true, output: stdout };
    } catch (error) {
      return { ok: false, output: JSON.stringify(error) };
    }
  };
}
