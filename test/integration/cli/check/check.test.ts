import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { check } from '../../../../src/cli/check/check.ts';
import { archiveStage } from '../../../support/archive/archiving.ts';
import { catalogues, recorderEnd } from '../../../support/catalogue/catalogues.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';

const folder = temporaryFolder();
type Found = { check: string; ok: boolean; warning?: string; code?: string; unchecked?: string[] };
let asterisk: Server;
let asked: string[] = [];
let showsRecordings = false;
const open = catalogues();

/** An Asterisk whose user is read-only, by its answers: the lab's has no such user. */
beforeAll(async () => {
  asterisk = createServer((request, response) => {
    const path = new URL(request.url ?? '', 'http://x').pathname;
    asked.push(`${request.method ?? ''} ${path}`);
    if (showsRecordings && path.endsWith('/recordings/stored')) {
      response.end('[]');
      return;
    }
    const refusal = showsRecordings && path.includes('/recordings/stored/') ? 404 : 403;
    if (request.method !== 'GET' || !path.endsWith('/asterisk/info')) response.writeHead(refusal);
    response.end(JSON.stringify({ system: { version: '22.10.1', entity_id: 'x' }, message: 'Forbidden' }));
  });
  asterisk.listen(0, '127.0.0.1');
  await once(asterisk, 'listening');
  await mkdir(folder.path('spool'));
  await writeFile(
    folder.path('no-catalogue'),
    'not SQLite, but a text that is long enough to be looked at as one\n'.repeat(20),
  );
});
afterAll(() => {
  asterisk.close();
});
beforeEach(() => {
  asked = [];
  showsRecordings = false;
});

type Changes = {
  now?: number;
  spool?: string;
  kind?: 'collected';
  worker?: 'a';
  catalogue?: string;
  asterisk?: number;
  archive?: object;
  languages?: string[];
};

/** What check says, as JSON and as text. */
async function checked(changes: Changes): Promise<{ checks: Found[]; wrong: Found[]; names: string[]; text: string }> {
  const configFile = folder.path('preavis.yaml');
  const tree = {
    purposeFiles: ['be'],
    purposes: { training: { justification: 'Written for a test, because nobody else can say why.' } },
    lines: { default: { purposes: ['training'], defaultLanguages: changes.languages ?? ['fr'] } },
    catalogue: { file: folder.path(changes.catalogue ?? 'catalogue.db') },
    archive: changes.archive ?? { directory: { folder: folder.path('archive') } },
    recording: {
      spoolFolder: folder.path(changes.spool ?? 'spool'),
      minimumFreeMib: 0,
      ...(changes.kind === undefined ? {} : { spool: changes.kind }),
    },
    evidence: { ledgerFile: folder.path('ledger'), signingKeyFile: folder.path('key.pem') },
    ari: {
      url: `http://127.0.0.1:${changes.asterisk ?? 1}`,
      password: 'none',
      ...(changes.worker && { worker: changes.worker }),
    },
  };
  await writeFile(configFile, JSON.stringify(tree), { mode: 0o600 });
  const printed: string[] = [];
  const context = {
    configFile,
    environment: {},
    clock: { now: () => changes.now ?? 0 },
    print: (text: string) => printed.push(text),
  };
  await check(context, { json: true });
  const { checks } = JSON.parse(printed.splice(0).join('\n')) as { checks: Found[] };
  await check(context, { json: false });

  return {
    checks,
    wrong: checks.filter(({ ok }) => !ok),
    names: checks.map((each) => each.check),
    text: printed.join('\n'),
  };
}

const ofAsterisk = ['recorders end when nobody watches', 'recorders of other applications', 'questions about packets'];

test('check refuses what one of two workers refuses', async () => {
  const { wrong } = await checked({ worker: 'a', kind: 'collected' });
  expect(wrong).toContainEqual(expect.objectContaining({ check: 'two workers', code: 'config_invalid' }));
  expect((await checked({ worker: 'a' })).names).toContain('two workers');
});

describe('check names one cause, and what it leaves unknown:', () => {
  test('an Asterisk that does not answer', async () => {
    const { wrong, text } = await checked({});
    const unchecked = [
      'spool of this asterisk',
      'prompts on asterisk',
      ...ofAsterisk,
      'sound after a change of its source',
      'dialplan',
    ];
    expect(wrong).toMatchObject([{ check: 'asterisk', code: 'ari_unreachable', unchecked }]);
    expect(text).toContain(`not checked because of it: ${unchecked.join(', ')}`);
  });

  test('a user of Asterisk that may read only', async () => {
    const { port } = asterisk.address() as AddressInfo;
    const { wrong, names } = await checked({ asterisk: port });
    expect(wrong).toMatchObject([{ code: 'ari_unauthorized', unchecked: ['prompts on asterisk', ...ofAsterisk] }]);
    expect(names).not.toEqual(expect.arrayContaining(ofAsterisk));
    expect(asked.filter((request) => !request.endsWith('/asterisk/info'))).toHaveLength(2);
  });

  test('an Asterisk on another machine that does not show its recordings', async () => {
    const { port } = asterisk.address() as AddressInfo;
    const { wrong, text } = await checked({ asterisk: port, kind: 'collected' });
    expect(wrong).toMatchObject([{ check: 'spool of this asterisk', code: 'ari_unauthorized' }]);
    expect(wrong[0]?.unchecked).toContain('recordings at asterisk');
    expect(text).toContain("Asterisk's own disk is not watched");
  });

  test.each([
    [9, []],
    [11, ['not collected and finished ten minutes after their calls: 1 (the log of serve says why)']],
  ])('a recording that is still on another machine %d minutes after its call', async (minutes, warnings) => {
    showsRecordings = true;
    const { port } = asterisk.address() as AddressInfo;
    const place = `waits-${minutes}`;
    const set = await archiveStage(folder.path(place), open);
    await set.recorded();
    const now = recorderEnd + minutes * 60_000;
    const { checks } = await checked({ asterisk: port, kind: 'collected', catalogue: `${place}/catalogue.db`, now });
    const found = checks.filter(({ check }) => check === 'recordings at asterisk');
    expect(found.flatMap(({ warning }) => (warning === undefined ? [] : [warning]))).toEqual(warnings);
    expect(found.map(({ ok }) => ok)).toEqual([true]);
  });

  test('a recording folder that is missing, beside an Asterisk that answers', async () => {
    const { port } = asterisk.address() as AddressInfo;
    const { wrong, names } = await checked({ asterisk: port, spool: 'nowhere' });
    expect(wrong[0]).toMatchObject({ check: 'spool', code: 'spool_unusable', unchecked: ['spool of this asterisk'] });
    expect(names).not.toContain('spool of this asterisk');
  });

  test('a catalogue that cannot be opened', async () => {
    const { wrong, names } = await checked({ catalogue: 'no-catalogue' });
    expect(wrong.map((each) => each.check)).toEqual(['catalogue', 'asterisk']);
    expect(wrong[0]?.unchecked).toEqual(expect.arrayContaining(['archive', 'signing key']));
    expect(names).not.toContain('signing key');
  });

  test('an archive that does not answer', async () => {
    const minio = {
      endPoint: '127.0.0.1',
      port: 1,
      useTls: false,
      accessKey: 'a',
      secretKey: 'b'.repeat(8),
      bucket: 'preavis',
    };
    const { wrong } = await checked({ archive: { store: 'minio', minio, encryption: { mode: 'server' } } });
    expect(wrong.map((each) => each.check)).toEqual(['archive', 'asterisk']);
    expect(wrong[0]?.unchecked).toEqual([
      'encryption of the archive',
      'what the archive can do',
      'protection by the archive',
      'lifecycle rules of the archive',
    ]);
  });

  test('a line in a language that has no sentences', async () => {
    const { wrong } = await checked({ languages: ['it'] });
    expect(wrong.map((each) => each.check)).toEqual(['prompts and purposes', 'asterisk']);
    expect(wrong[0]?.unchecked).toEqual(['how long callers wait', 'prompts on asterisk', 'dialplan']);
  });
});
