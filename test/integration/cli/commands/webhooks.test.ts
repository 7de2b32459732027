import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openCatalogue } from '../../../../src/catalogue/catalogue.ts';
import { webhookEvents } from '../../../../src/config/webhookSchema.ts';
import { archiveStage } from '../../../support/archive/archiving.ts';
import { callStart, configTree } from '../../../support/call/calls.ts';
import { catalogues, clockAt, saveCall } from '../../../support/catalogue/catalogues.ts';
import { runCommand } from '../../../support/command.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';
import { isSigned, receivers, typesOf, webhookSecret } from '../../../support/webhookReceiver.ts';

const folder = temporaryFolder();
const start = receivers();
const open = catalogues();
const note = { event: 'test', actor: 'test' };
let places = 0;

/** A configuration with one webhook, and a catalogue with one archived recording. */
async function place(url: string) {
  const at = folder.path(`${(places += 1)}`);
  await mkdir(at);
  const config = join(at, 'preavis.yaml');
  const file = join(at, 'catalogue.db');
  const tree = {
    ...configTree(),
    catalogue: { file },
    archive: { directory: { folder: join(at, 'archive') } },
    recording: { spoolFolder: at, minimumFreeMib: 0 },
    webhooks: { crm: { url, secret: webhookSecret } },
  };
  await writeFile(config, JSON.stringify(tree), { mode: 0o600 });
  const webhooks = [{ name: 'crm', events: webhookEvents }];
  const catalogue = openCatalogue(file, clockAt(callStart + 200_000), { webhooks });
  const { id } = await saveCall(catalogue);
  await catalogue.recordings.move(id, 'recording', 'recorded', {}, note);
  await catalogue.recordings.move(id, 'recorded', 'archived', {}, note);
  const close = (): void => {
    catalogue.close();
  };
  const run = (...args: string[]): ReturnType<typeof runCommand> =>
    runCommand(['webhooks', ...args, '--config', config]);

  return { run, id, catalogue, close };
}

describe('webhooks list', () => {
  test('shows what waits, and ends with 3 when something was given up', async () => {
    const { run, id, catalogue, close } = await place('https://crm.example/token-of-theirs');
    const waiting = await run('list', '--json');
    expect(waiting).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(waiting.stdout)).toMatchObject({
      webhooks: [
        { name: 'crm', address: 'crm.example:443', events: webhookEvents, waiting: 1, failed: 0, gone: false },
      ],
      messages: [{ webhook: 'crm', event: 'recording.archived', recording: id, status: 'waiting', attempts: 0 }],
    });
    await catalogue.deliveries.giveUpEndpoint('crm', 'webhook_gone');
    close();
    const given = await run('list');
    expect(given.code).toBe(3);
    expect(given.stdout).toMatch(/crm +crm\.example:443 +used +0 +1 +recording\.archived/);
    expect(given.stdout).toMatch(
      new RegExp(
        `msg_[0-9a-f]{32} +crm +recording\\.archived +given up +0\n {2}recording ${id}, last failure webhook_gone`,
      ),
    );
    // The path may be a secret of the receiver's.
    expect(given.stdout + waiting.stdout).not.toContain('token-of-theirs');
  });
});

describe('a command that moves recordings', () => {
  test('writes what is to be told, as serve does', async () => {
    const at = folder.path('moving');
    await mkdir(at);
    const set = await archiveStage(at, open);
    const { id } = await set.finished(undefined, { keepDays: 3_000 });
    const config = join(at, 'preavis.yaml');
    const tree = {
      ...configTree(),
      catalogue: { file: join(at, 'catalogue.db') },
      archive: { directory: { folder: join(at, 'archive') } },
      recording: { spoolFolder: set.spoolFolder, minimumFreeMib: 0 },
      webhooks: { crm: { url: 'https://crm.example/', secret: webhookSecret } },
    };
    await writeFile(config, JSON.stringify(tree), { mode: 0o600 });
    expect(await runCommand(['upload', '--config', config])).toMatchObject({ code: 0 });
    expect(await set.catalogue.deliveries.list(10)).toMatchObject([
      { endpoint: 'crm', event: 'recording.archived', recording: id, status: 'waiting' },
    ]);
  });
});

describe('webhooks test', () => {
  test('sends a signed message and tells the answer', async () => {
    const receiver = await start();
    const { run, close } = await place(receiver.url);
    close();
    const done = await run('test', 'crm', '--json');
    expect(done).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(done.stdout)).toMatchObject({ webhook: 'crm', answer: 204 });
    // What waits is not sent by it.
    expect(typesOf(receiver)).toEqual(['webhook.test']);
    const [message] = receiver.received;
    expect(message !== undefined && isSigned(message, webhookSecret, Date.now())).toBe(true);
  });

  test('tells what is wrong', async () => {
    const receiver = await start();
    receiver.answer = (_, response) => response.writeHead(401).end();
    const { run, close } = await place(receiver.url);
    close();
    const refused = await run('test', 'crm', '--json');
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(JSON.parse(refused.stderr)).toMatchObject({
      error: { code: 'webhook_refused', message: `crm: HTTP 401 (127.0.0.1:${receiver.port})` },
    });
    await receiver.close();
    expect(await run('test', 'crm')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`webhook_unreachable: crm: ECONNREFUSED`) as string,
    });
    expect(await run('test', 'another')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('webhook_unknown') as string,
    });
  });
});

describe('webhooks retry', () => {
  test('makes what was given up due again', async () => {
    const { run, catalogue, close } = await place('https://crm.example/');
    await catalogue.deliveries.giveUpEndpoint('crm', 'webhook_gone');
    expect(await run('retry', 'another')).toMatchObject({ code: 2 });
    expect(await run('retry', 'crm')).toMatchObject({
      code: 0,
      stdout: '1 message is due now; a running serve sends it\n',
    });
    expect(await catalogue.deliveries.list(10)).toMatchObject([{ status: 'waiting', attempts: 0 }]);
    close();
  });
});
