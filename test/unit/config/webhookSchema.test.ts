import { chmod, writeFile } from 'node:fs/promises';
import { loadConfig, parseConfig } from '../../../src/config/load.ts';
import { webhookEvents, webhookKey } from '../../../src/config/webhookSchema.ts';
import { configTree } from '../../support/call/calls.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';
import { webhookSecret as secret } from '../../support/webhookReceiver.ts';

const folder = temporaryFolder();
const parse = (crm: Record<string, unknown>): unknown => parseConfig({ ...configTree(), webhooks: { crm } }).webhooks;

test('there is none unless it is configured', () => {
  expect(parseConfig(configTree()).webhooks).toEqual({});
});

test('one with url and secret is told of everything', () => {
  const url = 'https://crm.example/preavis';
  expect(parse({ url, secret })).toEqual({ crm: { url, secret, allowHttp: false, events: webhookEvents } });
});

test('the companies of a webhook are those of the configuration, or own', () => {
  const url = 'https://crm.example/preavis';
  const tree = (controllers: string[]) => ({
    ...configTree(),
    controllers: { acme: {} },
    webhooks: { crm: { url, secret, controllers } },
  });
  expect(parseConfig(tree(['acme', 'own'])).webhooks['crm']?.controllers).toEqual(['acme', 'own']);
  // A slip of the pen would tell nobody of anything.
  expect(() => parseConfig(tree(['acmee']))).toThrow(
    'webhooks.crm.controllers: acmee: is neither a name of controllers',
  );
});

test.each([
  'http://127.0.0.1:8080/x',
  'http://127.9.9.9/x',
  'http://localhost/x',
  'http://[::1]:80/x',
  'https://10.0.0.1/x',
])('%s is an address that nobody else can read', (url) => {
  expect(() => parse({ url, secret })).not.toThrow();
});

test.each(['http://10.0.0.1/x', 'http://crm.example/x', 'http://127.0.0.1.example/x', 'http://localhost.example/x'])(
  '%s is refused, but where allowHttp says that it will do',
  (url) => {
    expect(() => parse({ url, secret })).toThrow('webhooks.crm.url: must be https');
    expect(() => parse({ url, secret, allowHttp: true })).not.toThrow();
  },
);

test.each<[string, Record<string, unknown>]>([
  ['webhooks.crm.url: is not an address', { url: 'ftp://crm.example/', secret }],
  ['webhooks.crm.url: must not hold a user or password', { url: 'https://me:word@crm.example/', secret }],
  ['webhooks.crm.secret: is missing', { url: 'https://crm.example/' }],
  ['webhooks.crm.secret: is not whsec_', { url: 'https://crm.example/', secret: 'x'.repeat(40) }],
  ['webhooks.crm.events.0: ', { url: 'https://crm.example/', secret, events: ['recording.begun'] }],
  ['webhooks.crm.events: ', { url: 'https://crm.example/', secret, events: [] }],
])('%s', (fault, crm) => {
  expect(() => parse(crm)).toThrow(fault);
  // No secret is told back.
  expect(() => parse(crm)).not.toThrow(/thirty|x{40}|me:word/);
});

test('a secret has 24 to 64 bytes', () => {
  const of = (bytes: number): string => `whsec_${Buffer.alloc(bytes, 7).toString('base64')}`;
  for (const bytes of [24, 32, 64]) expect(webhookKey(of(bytes))).toHaveLength(bytes);
  for (const bytes of [0, 23, 65]) expect(webhookKey(of(bytes))).toBeUndefined();
  for (const text of ['', 'whsec_', `${of(32)}!`, of(32).slice(0, -1), of(32).slice(6)]) {
    expect(webhookKey(text)).toBeUndefined();
  }
});

describe('a secret file', () => {
  async function load(text: string, mode: number): Promise<string | undefined> {
    const secretFile = folder.path('secret');
    await writeFile(secretFile, text);
    await chmod(secretFile, mode);
    const config = folder.path('preavis.yaml');
    await writeFile(
      config,
      JSON.stringify({ ...configTree(), webhooks: { crm: { url: 'https://crm.example/', secretFile } } }),
    );

    return (await loadConfig(config, {})).webhooks['crm']?.secret;
  }

  test('gives the secret in its first line', async () => {
    expect(await load(`${secret}\nmore\n`, 0o640)).toBe(secret);
  });

  test('that every user can open is refused', async () => {
    await expect(load(secret, 0o644)).rejects.toMatchObject({
      code: 'config_invalid',
      message: expect.stringMatching(/^webhooks\.crm\.secretFile: every user can open/) as string,
    });
  });

  test('that holds something else is refused, and not told back', async () => {
    await expect(load('zebra-crossing-of-the-secret-street', 0o600)).rejects.toMatchObject({
      code: 'config_invalid',
      message: expect.not.stringContaining('zebra') as string,
    });
  });

  test('of a secret in the configuration itself: that file is one, under whatever name', async () => {
    const config = folder.path('open.yaml');
    await writeFile(
      config,
      JSON.stringify({ ...configTree(), webhooks: { crm: { url: 'https://crm.example/', secret } } }),
    );
    await chmod(config, 0o644);
    await expect(loadConfig(config, {})).rejects.toMatchObject({
      message: expect.stringMatching(/^webhooks\.crm\.secret: every user can open/) as string,
    });
  });
});
