import { jest } from '@jest/globals';
import { parseConfig } from '../../../src/config/load.ts';
import { catalogues } from '../../support/catalogue/catalogues.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';
import { actorOf, webStage, webTree, type WebStage } from '../../support/web/webStage.ts';

/** What whoever is signed in is told of companies and purposes, to choose from: no more than they see. */

const folder = temporaryFolder();
const open = catalogues();
let here: WebStage;

beforeEach(async () => {
  const tree = webTree() as { purposes: Record<string, object>; lines: Record<string, object> };
  const config = parseConfig({
    ...tree,
    lines: { ...tree.lines, acme: { purposes: ['training'], defaultLanguages: ['fr'], controller: 'acme' } },
    controllers: { acme: { name: 'Acme' }, zenith: { name: 'Zenith' } },
    catalogue: { file: folder.path('catalogue.db') },
  });
  here = await webStage(folder.path('stage'), open, { ports: { config } });
});

afterEach(async () => {
  await here.server.stop();
});

const told = async (of: Parameters<typeof actorOf>): Promise<{ companies: string[]; purposes: string[] }> => {
  here.door.tokens.set('them', actorOf(...of));
  const { companies, purposeNames } = (await here.json('/me', 'them')) as {
    companies: string[];
    purposeNames: Record<string, Record<string, string>>;
  };

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
