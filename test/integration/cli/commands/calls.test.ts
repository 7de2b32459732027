import { writeFile } from 'node:fs/promises';
import { callsList, callsReceipt, callsShow } from '../../../../src/cli/commands/calls.ts';
import type { CommandContext } from '../../../../src/cli/context.ts';
import { openCatalogue } from '../../../../src/catalogue/catalogue.ts';
import { openSqlite } from '../../../../src/catalogue/sqlite/sqlite.ts';
import { refuse } from '../../../../src/call/decide/decide.ts';
import { receiptSchema } from '../../../../src/receipt/receipt.ts';
import { callStart, configTree, countingIds, eventsTo, someFacts } from '../../../support/call/calls.ts';
import { clockAt, saveCall, unwatchedFrom, type SavedCall } from '../../../support/catalogue/catalogues.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';

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
const oldIds = countingIds();
const lost = { ...someFacts(oldIds), order: undefined };
const turnedAway = { ...someFacts(oldIds), order: undefined };

beforeAll(async () => {
  context.configFile = folder.path('preavis.yaml');
  const file = folder.path('catalogue.db');
  await writeFile(context.configFile, JSON.stringify({ ...configTree(), catalogue: { file } }));
  const catalogue = openCatalogue(file, clock);
  await catalogue.journal.save(refuse(lost, 'arguments_invalid').state);
  recorded = await saveCall(catalogue, {
    shape: { mode: 'optIn', languages: ['fr', 'nl'], asterisk: { version: '22.5.2', node: 'one', pbx: 'north' } },
    application: 'preavis-b',
  });
  refused = await saveCall(catalogue, {
    shape: { mode: 'optOut' },
    events: (facts) => [...eventsTo('acknowledging', facts), { type: 'timeUp', timer: 'playback' }],
  });
  open = await saveCall(catalogue, { until: 'talking' });
  await catalogue.journal.save(refuse(turnedAway, 'no_language').state);
  await catalogue.journal.addToTimeline(turnedAway.id, {
    kind: 'change',
    change: 'turnedAway',
    at: undefined,
    party: 'caller',
  });
  for (const { facts } of [recorded, refused]) await catalogue.dialled.keep(facts.id, '+3225550100');
  await catalogue.dialled.keep(open.facts.id, '101');
  catalogue.close();
});
beforeEach(() => {
  printed.length = 0;
});

const ids = (): string[] =>
  [open, refused, recorded]
    .map(({ facts }) => facts.id as string)
    .sort()
    .reverse();

describe('calls list', () => {
  test.each([
    [{ extension: '' }, '--extension is the name of an endpoint of Asterisk'],
    [{ extension: '101', result: 'recorded' }, '--extension finds calls that go on, and none with another --result'],
  ])('refuses %j', async (options, message) => {
    await expect(callsList(context, { limit: '50', json: true, ...options })).rejects.toMatchObject({
      code: 'usage',
      message,
    });
  });

  test('shows every call, recorded or not, newest first, as one object', async () => {
    expect(await callsList(context, { limit: '50', json: true })).toBe(0);
    const { calls } = JSON.parse(printed.join('\n')) as { calls: { id: string }[] };
    expect(calls.map(({ id }) => id)).toEqual([...ids(), turnedAway.id, lost.id]);
    expect(calls.find(({ id }) => id === recorded.facts.id)).toEqual({
      id: recorded.facts.id,
      startedAt: new Date(callStart).toISOString(),
      line: 'default',
      dialled: '+3225550100',
      controller: null,
      pbx: 'north',
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
    expect(lines[0]).toMatch(/^CALL +STARTED \S+ +LINE +PURPOSE +LANG +CONSENT +RESULT/);
    expect(lines.find((line) => line.startsWith(recorded.facts.id))).toMatch(
      /2026-08-24 \d\d:\d\d:\d\d +default +training +fr\+nl +optIn +recorded$/,
    );
    expect(lines.find((line) => line.startsWith(open.facts.id))).toMatch(/announce +going on/);
    expect(printed.join()).not.toContain('PJSIP');
    expect(printed.join()).not.toContain(recorded.facts.callerChannel);
  });

  test('has a column of the PBX where its calls are of several', async () => {
    const file = folder.path('catalogue.db');
    const named = openSqlite(file);
    const name = named.prepare(`UPDATE calls SET pbx = ? WHERE id = ?`);
    name.run('south', refused.facts.id);
    await callsList(context, { limit: '50', json: false });
    name.run(null, refused.facts.id);
    named.close();
    const lines = printed.join('\n').split('\n');
    expect(lines[0]).toMatch(/^CALL +STARTED \S+ +LINE +PBX +PURPOSE/);
    const cellsOf = (id: string) => lines.find((line) => line.startsWith(id));
    expect(cellsOf(recorded.facts.id)).toMatch(/ default +north +training/);
    expect(cellsOf(refused.facts.id)).toMatch(/ default +south +training/);
    expect(cellsOf(open.facts.id)).toMatch(/ default +training/);
  });

  test('has its limit', async () => {
    await callsList(context, { limit: '1', json: true });
    expect((JSON.parse(printed.join('\n')) as { calls: object[] }).calls).toMatchObject([{ id: ids()[0] }]);
  });

  test.each(['0', '-1', '1.5', 'all', '', '1e3', '99999999'])('with the limit %j is bad usage', async (limit) => {
    await expect(callsList(context, { limit, json: true })).rejects.toMatchObject({ code: 'usage' });
  });
});

describe('calls list of some', () => {
  const chosen = async (options: Omit<Parameters<typeof callsList>[1], 'limit' | 'json'>): Promise<string[]> => {
    await callsList(context, { ...options, limit: '50', json: true });

    return (JSON.parse(printed.join('\n')) as { calls: { id: string }[] }).calls.map(({ id }) => id);
  };

  test.each<[Parameters<typeof chosen>[0], () => string[]]>([
    [{ result: 'recorded' }, () => [recorded.facts.id]],
    [{ result: 'goingOn' }, () => [open.facts.id]],
    [{ dialled: '02 555 01 00' }, () => [refused.facts.id, recorded.facts.id].sort().reverse()],
    [{ dialled: '02 555 01 00', result: 'recorded', day: 'today' }, () => [recorded.facts.id]],
    [{ dialled: '+32 2 555 01 00', day: '2026-08-23' }, () => []],
    [{ dialled: '101', line: 'default' }, () => [open.facts.id]],
    [{ dialled: '102' }, () => []],
    [{ pbx: 'north' }, () => [recorded.facts.id]],
    [{ pbx: 'north', line: 'default', result: 'unrecorded' }, () => []],
    [{ pbx: 'north', day: 'today' }, () => [recorded.facts.id]],
    [{ pbx: 'north', dialled: '02 555 01 00' }, () => [recorded.facts.id]],
    [{ result: 'unrecorded', line: 'default' }, () => [refused.facts.id, turnedAway.id, lost.id]],
    [{ result: 'turnedAway' }, () => [turnedAway.id]],
    [{ day: 'today', result: 'turnedAway', line: 'default' }, () => [turnedAway.id]],
    [{ result: 'turnedAway', purpose: 'agreement' }, () => []],
    [{ line: 'default', purpose: 'training', result: 'goingOn' }, () => [open.facts.id]],
    [{ purpose: 'training', result: 'recorded' }, () => [recorded.facts.id]],
    [{ purpose: 'agreement' }, () => []],
    [{ day: 'today', result: 'unrecorded', line: 'default' }, () => [refused.facts.id, turnedAway.id, lost.id]],
    [{ day: 'yesterday' }, () => []],
    [{ day: '2020-02-29', line: 'default' }, () => []],
  ])('%j has only these', async (options, ids) => {
    expect(await chosen(options)).toEqual(ids());
  });

  test('and its limit counts what is asked for, not what is passed over', async () => {
    await callsList(context, { result: 'recorded', limit: '1', json: true });
    expect((JSON.parse(printed.join('\n')) as { calls: object[] }).calls).toMatchObject([{ id: recorded.facts.id }]);
  });

  test.each([
    [{ day: '24.08.2026' }, /^--day is a day such as 2026-08-24/],
    [{ day: '2026-02-30' }, /^--day is a day/],
    [{ line: 'nobody' }, /^--line is one of default/],
    [{ line: "' OR 1=1 --" }, /^--line is one of/],
    [{ pbx: 'south' }, /^--pbx is the name of a PBX that calls have come to \(ari\.pbx\)$/],
    [{ purpose: 'train' }, /^--purpose is one of training/],
    [{ purpose: '%' }, /^--purpose is one of/],
    [{ dialled: "' OR 1=1 --" }, /^--dialled is a number of yours, such as \+32 2 555 01 00, or an extension$/],
    [{ dialled: '' }, /^--dialled is a number of yours/],
    [{ result: 'Recorded' }, /^--result is one of recorded, unrecorded, turnedAway, notConnected, abandoned, goingOn$/],
  ])('with %j is bad usage that says what there is', async (options, message) => {
    await expect(callsList(context, { ...options, limit: '50', json: false })).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringMatching(message) as string,
    });
    expect(printed).toEqual([]);
  });
});

describe('calls show', () => {
  test('tells in words what happened when, what was said, and what became of the recording', async () => {
    expect(await callsShow(context, recorded.facts.id, { json: false })).toBe(0);
    const text = printed.join('\n');
    expect(text).toMatch(/^Call [0-9A-Z]{26}\n/);
    expect(text).toMatch(/language +fr and nl, because nothing else was known: it is the default of the line/);
    expect(text).toMatch(/\n +dialled +\+3225550100\n/);
    expect(text).toMatch(/\n +PBX +north\n +application +preavis-b\n/);
    expect(text).toMatch(/consent +asked, and said yes/);
    const happened = text.split('\n').filter((line) => /^ {2}\d\d:\d\d:\d\d\.\d{3} /.test(line));
    expect(happened.map((line) => line.slice(16))).toEqual([
      expect.stringMatching(/^the call came in on default/),
      ...Array.from(
        { length: happened.filter((line) => line.includes('notice in')).length },
        () => expect.stringMatching(/^notice in (fr|nl), heard whole: “/) as string,
      ),
      expect.stringMatching(/^the caller said yes, by /),
      expect.stringMatching(/^the recorder began, \d+ ms after the end of the notice/),
      expect.stringMatching(/^the (call|recorder) ended$/),
      expect.stringMatching(/^the (call|recorder) ended$/),
    ]);
    expect(happened.map((line) => line.slice(2, 14))).toEqual(happened.map((line) => line.slice(2, 14)).toSorted());
    expect(text).toMatch(new RegExp(`\nRecording ${recorded.id}\n {2}status +recording`));
    expect(Math.max(...text.split('\n').map(({ length }) => length))).toBeLessThanOrEqual(100);
    expect(text).not.toContain('PJSIP');
    expect(text).not.toContain(recorded.facts.callerChannel);
  });

  test('says why a call was not recorded, in words and with the code', async () => {
    await callsShow(context, refused.facts.id, { json: false });
    expect(printed.join('\n')).toMatch(/result +not recorded: the caller refused \(refused\)/);
    expect(printed.join('\n')).toMatch(/\n\nNo recording$/);
    expect(printed.join('\n')).not.toMatch(/\n +application /);
  });

  test('of a call that was never planned, or goes on, says what is known', async () => {
    await callsShow(context, lost.id, { json: false });
    await callsShow(context, open.facts.id, { json: false });
    expect(printed[0]).toMatch(/consent +it was not decided what to ask/);
    expect(printed[1]).toMatch(/result +going on/);
  });

  test('says until when nobody watched, and why, and that the recorder ended for it', async () => {
    const configFile = folder.path('unwatched.yaml');
    const file = folder.path('unwatched.db');
    await writeFile(configFile, JSON.stringify({ ...configTree(), catalogue: { file } }));
    const catalogue = openCatalogue(file, clock);
    // Nobody saw when its recorder ended.
    const ended = await saveCall(catalogue, {
      events: (facts) => [
        ...eventsTo('talking', facts),
        { type: 'recorderFinished', at: undefined },
        { type: 'bridgeGone', alone: [] },
      ],
    });
    const goingOn = await saveCall(catalogue, { until: 'talking' });
    const happened = async (id: string): Promise<string[]> => {
      printed.length = 0;
      await callsShow({ ...context, configFile }, id, { json: true });
      const { happened: all } = JSON.parse(printed.join('\n')) as { happened: { what: string }[] };

      return all.map(({ what }) => what).filter((what) => /^nobody watched|^the recorder ended/.test(what));
    };
    for (const call of [ended, goingOn]) {
      const interval = unwatchedFrom(call, callStart + 25_000);
      await catalogue.journal.addToTimeline(call.facts.id, { kind: 'unwatched', interval });
    }
    const why = 'since the serve before had ended, stood still or given the call back';
    expect(await happened(ended.facts.id)).toEqual([
      `nobody watched, perhaps until the end of the recording, ${why}: not judged yet`,
    ]);
    expect(await happened(goingOn.facts.id)).toEqual([`nobody watched, ${why}: not judged yet`]);
    const intervals = await catalogue.timeline.unwatched(ended.facts.id);
    await catalogue.timeline.judgeUnwatched(intervals.map(({ id }) => ({ id, judged: 'outside' })));
    expect(await happened(ended.facts.id)).toEqual([`nobody watched, ${why}: nothing of it was recorded`]);
    await catalogue.recordings.flagEndedUnwatched(callStart + 60_000, 'test', []);
    expect(await happened(goingOn.facts.id)).toEqual([
      `nobody watched, ${why}: not judged yet`,
      'the recorder ended, since nobody had watched for too long',
    ]);
    catalogue.close();
  });

  test('with --json has the receipt and the same happenings, in UTC', async () => {
    await callsShow(context, recorded.facts.id, { json: true });
    const shown = JSON.parse(printed.join('\n')) as { receipt: unknown; happened: { at: string; what: string }[] };
    expect(receiptSchema.parse(shown.receipt)).toMatchObject({ call: { id: recorded.facts.id } });
    expect(shown).toMatchObject({ application: 'preavis-b' });
    expect(shown.happened[0]).toEqual({
      at: new Date(callStart).toISOString(),
      what: 'the call came in on default',
    });
  });

  test.each(['01K00000000000000000000099', '', '../../etc/passwd'])('of %j is call_unknown', async (id) => {
    await expect(callsShow(context, id, { json: false })).rejects.toMatchObject({ code: 'call_unknown' });
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
