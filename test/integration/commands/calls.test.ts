import { writeFile } from 'node:fs/promises';
import { callsList, callsReceipt } from '../../../src/commands/calls.ts';
import type { CommandContext } from '../../../src/commands/context.ts';
import { openCatalogue } from '../../../src/catalogue/catalogue.ts';
import { refuse } from '../../../src/call/decide.ts';
import { receiptSchema } from '../../../src/evidence/receipt.ts';
import { callStart, configTree, eventsTo, someFacts } from '../../support/calls.ts';
import { clockAt, saveCall, type SavedCall } from '../../support/catalogues.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const clock = clockAt(callStart);
const printed: string[] = [];
const context: CommandContext = {
  configFile: '',
  environment: {},
  clock,
  print: (text) => printed.push(text),
};
let recorded: SavedCall;
let refused: SavedCall;
let open: SavedCall;
const lost = { ...someFacts(), order: undefined };

beforeAll(async () => {
  context.configFile = folder.path('preavis.yaml');
  const file = folder.path('catalogue.db');
  await writeFile(context.configFile, JSON.stringify({ ...configTree(), catalogue: { file } }));
  const catalogue = openCatalogue(file, clock);
  await catalogue.save(refuse(lost, 'arguments_invalid').state);
  recorded = await saveCall(catalogue, { shape: { mode: 'optIn', languages: ['fr', 'nl'] } });
  refused = await saveCall(catalogue, {
    shape: { mode: 'optOut' },
    events: (facts) => [...eventsTo('acknowledging', facts), { type: 'timeUp', timer: 'playback' }],
  });
  open = await saveCall(catalogue, { until: 'talking' });
  catalogue.close();
});
beforeEach(() => {
  printed.length = 0;
});

describe('calls list', () => {
  const ids = (): string[] =>
    [open, refused, recorded]
      .map(({ facts }) => facts.id as string)
      .sort()
      .reverse();

  test('shows every call, recorded or not, newest first, as one object', async () => {
    expect(await callsList(context, { limit: '50', json: true })).toBe(0);
    const { calls } = JSON.parse(printed.join('\n')) as { calls: { id: string }[] };
    expect(calls.map(({ id }) => id)).toEqual([...ids(), lost.id]);
    expect(calls.find(({ id }) => id === recorded.facts.id)).toEqual({
      id: recorded.facts.id,
      startedAt: new Date(callStart).toISOString(),
      line: 'default',
      purposes: ['training'],
      languages: ['fr', 'nl'],
      languageReason: 'lineDefault',
      result: 'recorded',
      reason: null,
      consent: { mode: 'optIn', answer: 'accepted' },
    });
    expect(calls.find(({ id }) => id === refused.facts.id)).toMatchObject({
      result: 'unrecorded',
      reason: 'refused',
      consent: { mode: 'optOut', answer: 'refused' },
    });
  });

  test('is a table for people, without dial strings and channels', async () => {
    await callsList(context, { limit: '50', json: false });
    const lines = printed.join('\n').split('\n');
    expect(lines[0]).toMatch(/^CALL +STARTED +LINE +PURPOSE +LANGUAGE +BECAUSE OF +CONSENT +RESULT +REASON/);
    expect(lines.find((line) => line.startsWith(recorded.facts.id))).toMatch(
      /fr\+nl +lineDefault +optIn accepted +recorded/,
    );
    expect(lines.find((line) => line.startsWith(open.facts.id))).toMatch(/announce +going on/);
    expect(printed.join()).not.toContain('PJSIP');
    expect(printed.join()).not.toContain(recorded.facts.callerChannel);
  });

  test('has its limit', async () => {
    await callsList(context, { limit: '1', json: true });
    expect((JSON.parse(printed.join('\n')) as { calls: object[] }).calls).toMatchObject([{ id: ids()[0] }]);
  });

  test.each(['0', '-1', '1.5', 'all', '', '1e3', '99999999'])('with the limit %j is bad usage', async (limit) => {
    await expect(callsList(context, { limit, json: true })).rejects.toMatchObject({ code: 'usage' });
  });
});

describe('calls receipt', () => {
  test('prints the receipt and nothing else', async () => {
    expect(await callsReceipt(context, refused.facts.id)).toBe(0);
    const receipt = receiptSchema.parse(JSON.parse(printed.join('\n')));
    expect(receipt).toMatchObject({ call: { id: refused.facts.id }, recording: null, consent: { answer: 'refused' } });
  });

  test.each([
    ['an id of no call', '01K00000000000000000000099'],
    ['no id', ''],
    ['a path', '../../etc/passwd'],
    ['a command', "'; DROP TABLE calls; --"],
    ['64 kB', 'A'.repeat(65_536)],
  ])('of %s is call_unknown, and repeats nothing of it', async (_, id) => {
    await expect(callsReceipt(context, id)).rejects.toMatchObject({
      code: 'call_unknown',
      message: 'there is no call with this id',
    });
    expect(printed).toEqual([]);
  });
});
