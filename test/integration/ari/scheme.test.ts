import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer as createHttp } from 'node:http';
import { createServer as createHttps } from 'node:https';
import { createServer as createTcp, type AddressInfo, type Server } from 'node:net';
import { parseConfig } from '../../../src/config/load.ts';
import { identify, makeAri } from '../../../src/services/ari.ts';
import { configTree } from '../../support/call/calls.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

// Servers of Node: the lab's Asterisk has no certificate.
const folder = temporaryFolder();
const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function portOf(server: Server): Promise<number> {
  servers.push(server);
  server.on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  return (server.address() as AddressInfo).port;
}

/** What a start says that finds this at ari.url. */
async function refusal(url: string): Promise<unknown> {
  const config = parseConfig({ ...configTree(), ari: { url, password: 'secret', requestTimeoutMs: 10_000 } });
  const ari = makeAri(config);
  try {
    return await identify(ari, config);
  } catch (thrown) {
    return thrown;
  } finally {
    ari.close();
  }
}

test('https towards an Asterisk without TLS says what ari.url must be', async () => {
  const port = await portOf(createHttp((_, response) => response.end('{}')));
  expect(await refusal(`https://127.0.0.1:${port}`)).toMatchObject({
    code: 'ari_unreachable',
    message: `Asterisk speaks HTTP without TLS at 127.0.0.1:${port}, and ari.url begins with https://`,
    hint: expect.stringContaining(`Set ari.url: http://127.0.0.1:${port}`) as string,
  });
});

test('http towards an Asterisk with TLS says what ari.url must be', async () => {
  const [key, cert] = [folder.path('key.pem'), folder.path('cert.pem')];
  const made = ['-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=asterisk', '-days', '2', '-keyout', key, '-out', cert];
  execFileSync('openssl', ['req', '-x509', ...made], { stdio: 'ignore' });
  const port = await portOf(createHttps({ key: readFileSync(key), cert: readFileSync(cert) }));
  expect(await refusal(`http://127.0.0.1:${port}`)).toMatchObject({
    code: 'ari_unreachable',
    message: `Asterisk speaks TLS at 127.0.0.1:${port}, and ari.url begins with http://`,
    hint: expect.stringContaining(`Set ari.url: https://127.0.0.1:${port}`) as string,
  });
});

test('of one that speaks neither nothing is guessed', async () => {
  const port = await portOf(createTcp((socket) => socket.destroy()));
  expect(await refusal(`http://127.0.0.1:${port}`)).toMatchObject({
    code: 'ari_unreachable',
    message: expect.stringContaining('the connection broke off') as string,
  });
});
