import { jest } from '@jest/globals';
import { parseConfig } from '../../../src/config/load.ts';
import { catalogues, saveCall } from '../../support/catalogue/catalogues.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';
import { actorOf, webStage, webTree, type WebStage } from '../../support/web/webStage.ts';

/** What whoever is signed in is told of companies, purposes and lines, to choose from: no more than they see. */

const folder = temporaryFolder();
const open = catalogues();
let here: WebStage;

const inAll = { fr: 'Ventes', nl: 'Verkoop', de: 'Verkauf', en: 'Sales' };

async function start(name: string, change: Readonly<Record<string, unknown>> = {}): Promise<void> {
  const tree = webTree() as { lines: Record<string, object> };
  const config = parseConfig({
    ...tree,
    lines: {
      ...tree.lines,
      default: { ...tree.lines['default'], names: 'Reception' },
      acme: { names: inAll, purposes: ['training'], defaultLanguages: ['fr'], controller: 'acme' },
    },
    controllers: { acme: { name: 'Acme' }, zenith: { name: 'Zenith' } },
    catalogue: { file: folder.path(`${name}.db`) },
    ...change,
  });
  here = await webStage(folder.path(name), open, { ports: { config } });
}

beforeEach(async () => {
  await start('stage');
});

afterEach(async () => {
  await here.server.stop();
});

type Told = {
  companies: string[];
  pbxs: string[];
  purposeNames: Record<string, Record<string, string>>;
  lineNames: Record<string, Record<string, string>>;
  findsBy: string[];
};

async function me(...of: Parameters<typeof actorOf>): Promise<Told> {
  here.door.tokens.set('them', actorOf(...of));

  return (await here.json('/me', 'them')) as Told;
}

const told = async (of: Parameters<typeof actorOf>): Promise<{ companies: string[]; purposes: string[] }> => {
  const { companies, purposeNames } = await me(...of);

  return { companies, purposes: Object.keys(purposeNames).sort() };
};

test('who sees all calls is told of every company, also of one that only recordings remember', async () => {
  jest.spyOn(here.ports.catalogue.recordings, 'controllers').mockResolvedValue(['once']);
  expect(await told(['officer'])).toEqual({
    companies: ['acme', 'once', 'own', 'zenith'],
    purposes: ['agreement', 'training'],
  });
});

test('who sees some companies, lines, extensions or purposes learns the names of no others', async () => {
  expect((await told(['officer', { controllers: ['acme'] }])).companies).toEqual(['acme']);
  expect((await told(['auditor', { lines: ['acme'] }])).companies).toEqual(['acme']);
  expect((await told(['auditor', { lines: ['gone'] }])).companies).toEqual([]);
  expect((await told(['auditor', { extensions: ['100'] }])).companies).toEqual([]);
  expect(await told(['auditor', { purposes: ['agreement'] }])).toEqual({ companies: [], purposes: ['agreement'] });
});

test('who sees some lines or companies is told of the purposes of these lines alone', async () => {
  expect((await told(['officer', { controllers: ['acme'] }])).purposes).toEqual(['training']);
  expect((await told(['officer', { controllers: ['zenith'] }])).purposes).toEqual([]);
  expect((await told(['auditor', { lines: ['acme'] }])).purposes).toEqual(['training']);
  expect((await told(['auditor', { lines: ['acme'], controllers: ['own'] }])).purposes).toEqual([]);
  expect((await told(['auditor', { lines: ['gone'] }])).purposes).toEqual([]);
});

test('who sees what their purposes allow learns no company, and an admin those that they count', async () => {
  for (const role of ['coach', 'legal'] as const) {
    expect((await told([role])).companies).toEqual([]);
    expect((await told([role, { lines: ['acme'] }])).companies).toEqual([]);
    expect((await told([role, { controllers: ['acme'] }])).companies).toEqual(['acme']);
  }
  expect((await told(['admin'])).companies).toEqual(['acme', 'own', 'zenith']);
  expect((await told(['admin', { lines: ['acme'] }])).companies).toEqual([]);
});

test('a coach is told of the purposes that name coaches, of those that they see', async () => {
  expect((await told(['coach'])).purposes).toEqual(['training']);
  expect((await told(['coach', { purposes: ['agreement'] }])).purposes).toEqual([]);
});

test('what lines are called is told of those that they see, which have a purpose that they see', async () => {
  const [reception, acme] = [{ '*': 'Reception' }, inAll];
  expect((await me('officer')).lineNames).toEqual({ default: reception, orders: {}, acme });
  expect((await me('officer', { controllers: ['acme'] })).lineNames).toEqual({ acme });
  expect((await me('auditor', { lines: ['default'] })).lineNames).toEqual({ default: reception });
  expect((await me('legal', { lines: ['default', 'orders'] })).lineNames).toEqual({ orders: {} });
  expect((await me('coach', { controllers: ['acme'] })).lineNames).toEqual({ acme });
});

test('who sees what their purposes or extensions allow learns of no line where there are several companies', async () => {
  const those: Parameters<typeof actorOf>[] = [
    ['coach'],
    ['auditor', { extensions: ['100'] }],
    ['auditor', { purposes: ['training'] }],
  ];
  for (const one of those) expect((await me(...one)).lineNames).toEqual({});
  await here.server.stop();
  await start('alone', { lines: { default: { purposes: ['training'], defaultLanguages: ['fr'] } }, controllers: {} });
  for (const one of those) expect((await me(...one)).lineNames).toEqual({ default: {} });
});

test('calls are said to be found by extensions and numbers that were dialled only where these are kept', async () => {
  expect((await me('officer')).findsBy).toEqual([]);
  for (const [name, kept, findsBy] of [
    ['extensions', { keepExtensions: true }, ['extension']],
    ['numbers', { dialledDays: 30 }, ['dialled']],
  ] as const) {
    await here.server.stop();
    await start(name, { privacy: { hashKey: 'k'.repeat(32), ...kept } });
    expect((await me('officer')).findsBy).toEqual(findsBy);
  }
});

test('the names of several PBXs are told to who sees all calls, and that of one to nobody', async () => {
  const pbxsFor = async (...of: Parameters<typeof actorOf>): Promise<string[]> => (await me(...of)).pbxs;
  const callTo = (pbx: string) =>
    saveCall(here.set.catalogue, { shape: { asterisk: { version: '22.5.2', node: 'one', pbx } } });
  await callTo('south');
  await saveCall(here.set.catalogue);
  expect(await pbxsFor('officer')).toEqual([]);
  await callTo('north');
  await callTo('south');
  for (const role of ['officer', 'operator', 'auditor'] as const) {
    expect([role, await pbxsFor(role)]).toEqual([role, ['north', 'south']]);
  }
  for (const scope of [{ lines: ['acme'] }, { controllers: ['acme'] }, { extensions: ['100'] }]) {
    expect([scope, await pbxsFor('officer', scope)]).toEqual([scope, []]);
  }
  expect(await pbxsFor('auditor', { purposes: ['agreement'] })).toEqual([]);
  for (const role of ['coach', 'legal'] as const) expect([role, await pbxsFor(role)]).toEqual([role, []]);
});
