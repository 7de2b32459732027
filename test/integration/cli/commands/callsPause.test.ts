import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { writeFile } from 'node:fs/promises';
import { openCatalogue, type Catalogue } from '../../../../src/catalogue/catalogue.ts';
import type { Change } from '../../../../src/call/watch/timeline.ts';
import { callsPause, callsResume } from '../../../../src/cli/commands/callsPause.ts';
import type { CommandContext } from '../../../../src/cli/context.ts';
import { callStart, configTree } from '../../../support/call/calls.ts';
import { clockAt, saveCall, type SavedCall } from '../../../support/catalogue/catalogues.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const clock = clockAt(callStart);
const printed: string[] = [];
const context: CommandContext = { configFile: '', environment: {}, clock, print: (text) => printed.push(text) };
let asterisk: Server;
let catalogue: Catalogue;
let talking: SavedCall;
let ended: SavedCall;
/** What came to Asterisk, and what it answers. */
const asked: string[] = [];
let status = 204;
/** What serve does with it. */
let done: Change | undefined;

beforeAll(async () => {
  asterisk = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      asked.push(`${request.method ?? ''} ${request.url ?? ''} ${body}`);
      const change = done;
      if (change !== undefined) {
        void catalogue.journal.addToTimeline(talking.facts.id, { kind: 'change', change, at: callStart + 9_000 });
      }
      response.writeHead(status).end();
    });
  });
  await new Promise<void>((resolve) => asterisk.listen(0, '127.0.0.1', resolve));
  const { port } = asterisk.address() as AddressInfo;
  const file = folder.path('catalogue.db');
  context.configFile = folder.path('preavis.yaml');
  const ari = { url: `http://127.0.0.1:${port}`, username: 'preavis', password: 'not-a-secret' };
  await writeFile(context.configFile, JSON.stringify({ ...configTree(), ari, catalogue: { file } }), {
    mode: 0o600,
  });
  catalogue = openCatalogue(file, clock);
  talking = await saveCall(catalogue, { until: 'talking' });
  ended = await saveCall(catalogue, {});
});
afterAll(async () => {
  catalogue.close();
  await new Promise((resolve) => asterisk.close(resolve));
});
beforeEach(() => {
  printed.length = 0;
  asked.length = 0;
  status = 204;
  done = undefined;
});

test('a pause is asked of serve through Asterisk, and is told once the catalogue has it', async () => {
  done = 'pauseBegan';
  expect(await callsPause(context, talking.facts.id, { json: false })).toBe(0);
  expect(asked).toEqual([
    `POST /ari/events/user/preavisPause?application=preavis {"variables":{"call":"${talking.facts.id}"}}`,
  ]);
  expect(printed).toEqual(['the recording is paused']);
});

test('so is its end', async () => {
  done = 'pauseEnded';
  expect(await callsResume(context, talking.facts.id, { json: true })).toBe(0);
  expect(JSON.parse(printed.join(''))).toEqual({ call: talking.facts.id, paused: false });
  expect(asked[0]).toMatch(/^POST \/ari\/events\/user\/preavisResume/);
});

test('without a serve that has the application nothing is paused, and it says so', async () => {
  status = 404;
  await expect(callsPause(context, talking.facts.id, { json: false })).rejects.toMatchObject({
    code: 'pause_not_done',
    message: 'no serve is connected to Asterisk',
  });
});

test('a call that is over is asked for nothing', async () => {
  await expect(callsPause(context, ended.facts.id, { json: false })).rejects.toMatchObject({ code: 'pause_not_done' });
  await expect(callsPause(context, 'nobody', { json: false })).rejects.toMatchObject({ code: 'call_unknown' });
  expect(asked).toEqual([]);
});

test('a serve that does not do it is waited for, and then it is an error', async () => {
  await expect(callsPause(context, talking.facts.id, { json: false })).rejects.toMatchObject({
    code: 'pause_not_done',
    message: 'serve did not pause it in time',
  });
}, 30_000);

test('what was begun before a process died is written down once, however often it is told', async () => {
  const before = (await catalogue.timeline.changes(talking.facts.id)).length;
  for (let each = 0; each < 3; each += 1) {
    await catalogue.journal.addToTimeline(talking.facts.id, { kind: 'change', change: 'pauseBegan', at: callStart });
  }
  expect((await catalogue.timeline.changes(talking.facts.id)).length - before).toBe(1);
});
