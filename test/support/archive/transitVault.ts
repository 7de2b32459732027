import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';

export type TransitVault = { readonly port: number; readonly requests: string[]; close(): Promise<void> };

/**
 * What a real S3 server asks Vault's transit engine for when it encrypts by itself. Vault is in no package of Debian; here it
 * only has to make keys and give them back, the encryption is the server's.
 */
export async function startTransitVault(): Promise<TransitVault> {
  const requests: string[] = [];
  const dataKeys = new Map<string, string>();
  const server = createServer((incoming, answer) => {
    const path = incoming.url ?? '';
    requests.push(`${incoming.method ?? ''} ${path}`);
    const reply = (data: unknown): void => {
      answer.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify({ data }));
    };
    json(incoming).then(
      (body) => {
        if (path.includes('/datakey/')) {
          const ciphertext = `vault:v1:${randomBytes(32).toString('base64')}`;
          const plaintext = randomBytes(32).toString('base64');
          dataKeys.set(ciphertext, plaintext);
          reply({ ciphertext, plaintext });
        } else if (path.includes('/decrypt/')) {
          reply({ plaintext: dataKeys.get((body as { ciphertext: string }).ciphertext) });
        } else reply({});
      },
      () => {
        reply({});
      },
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  return {
    port: (server.address() as AddressInfo).port,
    requests,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
