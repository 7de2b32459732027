import { spawn, type ChildProcess } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { stringify } from 'yaml';
import { openCatalogue } from '../../../../src/catalogue/catalogue.ts';
import { systemClock } from '../../../../src/core/clock.ts';
import { sha256Of } from '../../../../src/core/crypto/sha256.ts';
import { commandFile, runCommand } from '../../../support/command.ts';
import { configTree } from '../../../support/call/calls.ts';
import { eventually } from '../../../support/poll.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';

const folder = temporaryFolder();
let files = 0;

async function configured(web: Record<string, unknown>): Promise<string> {
  const file = folder.path(`${(files += 1)}.yaml`);
  const catalogue = folder.path(`${files}.db`);
  openCatalogue(catalogue, systemClock).close();
  const tree = {
    ...configTree(),
    web,
    catalogue: { file: catalogue },
    archive: { store: 'directory', directory: { folder: folder.path('archive') } },
    access: { tokens: { crm: { role: 'officer', sha256: sha256Of('prv_token'), expires: '2099-01-01' } } },
  };
  await writeFile(file, stringify(tree));

  return file;
}

/** Its lines of log, until a test ends it. */
function start(config: string): {
  process: ChildProcess;
  lines: Record<string, unknown>[];
  ended: Promise<number | null>;
} {
  const child = spawn(process.execPath, [commandFile, '--config', config, 'web'], {
    env: { PATH: process.env['PATH'] },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines: Record<string, unknown>[] = [];
  let rest = '';
  child.stdout.on('data', (data: Buffer) => {
    const parts = `${rest}${data.toString()}`.split('\n');
    rest = parts.pop() ?? '';
    lines.push(...parts.map((line) => JSON.parse(line) as Record<string, unknown>));
  });

  return { process: child, lines, ended: new Promise((resolve) => child.once('exit', resolve)) };
}

test('the API listens where it is configured, lets a token of the configuration in, and ends by SIGTERM', async () => {
  const { process: child, lines, ended } = start(await configured({ listen: '127.0.0.1:0' }));
  const { url } = await eventually(() => lines.find(({ msg }) => msg === 'listening') ?? false);
  const ask = (token: string): Promise<Response> =>
    fetch(`${String(url)}/api/v1/calls`, { headers: { authorization: `Bearer ${token}` } });
  expect(await (await ask('prv_token')).json()).toEqual({ calls: [], next: null });
  expect((await ask('prv_other')).status).toBe(401);
  child.kill('SIGTERM');
  expect(await ended).toBe(0);
  expect(lines.at(-1)).toMatchObject({ msg: 'stopped' });
});

test.each([
  ['without web.listen', {}, /web\.listen: is missing/],
  ['with a name for an address', { listen: 'localhost:8080' }, /web\.listen/],
  ['where others reach it and no public address is given', { listen: '0.0.0.0:8080' }, /web\.publicUrl: is missing/],
  [
    'where passwords could be read on their way',
    { listen: '127.0.0.1:0', publicUrl: 'http://calls.example.com' },
    /https/,
  ],
])('nothing listens %s', async (_, web, message) => {
  const config = await configured(web);
  const { code, stderr } = await runCommand(['--config', config, 'web']);
  expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(message) as string });
});
