import { jest } from '@jest/globals';
import { requestFailed } from '../../../src/catalogue/retention/auditTrail.ts';
import { PreavisError } from '../../../src/core/errors.ts';
import { elsewhere, onlyServe } from '../../support/catalogue/holders.ts';
import { erasureFailed } from '../../../src/retention/pass.ts';
import { catalogues, dayMs } from '../../support/catalogue/catalogues.ts';
import { eventually } from '../../support/poll.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';
import { actorOf, webStage, type WebStage } from '../../support/web/webStage.ts';

const folder = temporaryFolder();
const open = catalogues();
const stages: WebStage[] = [];

afterEach(async () => {
  await Promise.all(stages.splice(0).map(({ server }) => server.stop()));
});

async function stage(ports: Parameters<typeof webStage>[2] = {}): Promise<WebStage> {
  const here = await webStage(folder.path(`${Math.random()}`), open, ports);
  stages.push(here);
  for (const role of ['officer', 'operator', 'coach'] as const) here.door.tokens.set(role, actorOf(role));
  here.door.tokens.set('acme', actorOf('auditor', { name: 'user:acme', controllers: ['acme'] }));

  return here;
}

const idsOf = (page: Record<string, unknown>): string[] => (page['recordings'] as { id: string }[]).map(({ id }) => id);

test('calls are counted by day, result and language, and for one company by its name', async () => {
  const here = await stage();
  await here.archived();
  await here.archived();
  const day = new Date(here.set.clock.at).toISOString().slice(0, 10);
  const { days } = (await here.json('/figures/calls', 'officer')) as { days: Record<string, unknown>[] };
  expect(days.map(({ day: on, result, calls }) => [on, result, calls])).toEqual([[day, 'recorded', 2]]);
  expect(await here.json('/figures/calls?controller=own', 'officer')).toEqual({ days });
  expect(await here.json('/figures/calls?controller=acme', 'acme')).toEqual({ days: [] });
  expect((await here.ask('/figures/calls', 'acme')).status).toBe(403);
  expect((await here.ask('/figures/calls?controller=own', 'acme')).status).toBe(403);
  expect((await here.ask('/figures/calls?from=2020-01-01', 'officer')).status).toBe(400);
  expect(await here.json('/reports/unrecorded?controller=acme', 'acme')).toMatchObject({ calls: 0, unrecorded: [] });
  expect((await here.ask('/reports/unrecorded', 'acme')).status).toBe(403);
});

test('storage is counted by purpose', async () => {
  const here = await stage();
  const [one, other] = [await here.archived(), await here.archived(['agreement'])];
  expect(await countedStorage(here)).toMatchObject({
    purposes: [
      { purpose: 'agreement', recordings: 1, bytes: other.wav.length },
      { purpose: 'training', recordings: 1, bytes: one.wav.length },
    ],
  });
});

/** The storage as it is counted once somebody asks now: on a machine with much to do nobody waits for that. */
async function countedStorage(here: WebStage): Promise<Record<string, unknown>> {
  const ask = () => here.json('/figures/storage', 'operator');
  await eventually(async () => (await ask())['isCounting'] === false);
  here.set.clock.at += 11 * 60_000;

  return eventually(async () => {
    const counted = await ask();

    return counted['isCounting'] === false && counted;
  });
}

/** Whose storage takes as long to count as this gate is closed. */
async function slowToCount(): Promise<{
  here: WebStage;
  count: jest.Mock;
  open: () => void;
  close: () => void;
  /** Who waits at the gate fails. */
  fail: (error: Error) => void;
}> {
  let open = (): void => undefined;
  let fail: (error: Error) => void = () => undefined;
  let opened: Promise<void>;
  const close = (): void => {
    opened = new Promise<void>((resolve, reject) => {
      [open, fail] = [resolve, reject];
    });
  };
  close();
  const count = jest.fn();
  const store = (set: WebStage['set']): WebStage['set']['store'] => {
    const { figures } = set.catalogue;
    const real = figures.storage.bind(figures);
    jest.spyOn(figures, 'storage').mockImplementation(async (...given) => {
      count();
      await opened;

      return real(...given);
    });

    return set.store;
  };

  return {
    here: await stage({ store }),
    count,
    close,
    open: () => {
      open();
    },
    fail: (error) => {
      fail(error);
    },
  };
}

test('a count of the storage that takes long is waited for by nobody: who asks is given the last one, and told that another is made', async () => {
  const { here, count, open, close } = await slowToCount();
  const ask = () => here.json('/figures/storage', 'operator');
  expect(await Promise.all([ask(), ask()])).toEqual(
    [1, 2].map(() => ({ countedAt: null, isCounting: true, purposes: [] })),
  );
  // It was begun with the server, before anybody asked.
  expect(count).toHaveBeenCalledTimes(1);
  here.set.clock.at += 1_000;
  open();
  await eventually(async () => !((await ask())['isCounting'] as boolean));
  const before = await ask();
  expect(before).toMatchObject({ purposes: [] });
  await here.archived();
  close();
  here.set.clock.at += 11 * 60_000;
  expect(await Promise.all([ask(), ask()])).toEqual([1, 2].map(() => ({ ...before, isCounting: true })));
  here.set.clock.at += 1_000;
  open();
  await eventually(async () => !((await ask())['isCounting'] as boolean));
  expect(await ask()).toMatchObject({ isCounting: false, purposes: [{ purpose: 'training', recordings: 1 }] });
});

test('a count of the storage that took long holds for a while', async () => {
  const { here, count, open } = await slowToCount();
  const ask = () => here.json('/figures/storage', 'operator');
  expect(await ask()).toMatchObject({ isCounting: true });
  here.set.clock.at += 1_000;
  open();
  await eventually(async () => !((await ask())['isCounting'] as boolean));
  const { countedAt } = await ask();
  here.set.clock.at += 1_000;
  expect(await ask()).toMatchObject({ countedAt, isCounting: false });
  expect(count).toHaveBeenCalledTimes(1);
});

test('why the storage could not be counted is told and logged, also where nobody waited for it any more, and is counted anew after a while', async () => {
  const { here, count, open, close, fail } = await slowToCount();
  const logged = jest.spyOn(here.ports.log, 'error');
  expect(await here.json('/figures/storage', 'operator')).toMatchObject({ isCounting: true });
  fail(new PreavisError('catalogue_unusable', 'the disk is away'));
  await eventually(() => {
    expect(logged).toHaveBeenCalledWith(expect.objectContaining({ code: 'catalogue_unusable' }), 'storage not counted');
  });
  for (const who of ['operator', 'officer']) {
    const refused = await here.ask('/figures/storage', who);
    expect([refused.status, ((await refused.json()) as { code: string }).code]).toEqual([503, 'catalogue_unusable']);
  }
  expect(count).toHaveBeenCalledTimes(1);
  close();
  open();
  here.set.clock.at += 10_000;
  expect(await countedStorage(here)).toMatchObject({ purposes: [] });
  expect(logged.mock.calls.filter(([, text]) => text === 'storage not counted')).toHaveLength(1);
});

test('the lists of retention have what is due, what a pass has missed, what comes and what is held', async () => {
  const here = await stage();
  const made = [await here.archived(), await here.archived(), await here.archived()];
  const [one = '', two = '', three = ''] = made.map(({ id }) => id as string);
  const list = async (which: string, query = ''): Promise<string[]> =>
    idsOf(await here.json(`/retention/${which}${query}`, 'officer'));
  expect(await list('due')).toEqual([]);
  expect(await list('upcoming')).toEqual([one, two, three]);
  const until = new Date(here.set.clock.at + 60 * dayMs).toISOString().slice(0, 10);
  await here.ask(`/recordings/${two}/holds`, 'officer', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ground: 'authority', reason: 'A question of the police', until }),
  });
  here.set.clock.at += 28 * dayMs + 3_600_000;
  expect(await list('due')).toEqual([one, three]);
  expect(await list('overdue')).toEqual([]);
  expect(await list('upcoming')).toEqual([]);
  const held = async (who: string): Promise<unknown> => (await here.json('/retention/held', who))['recordings'];
  const hold = (reason: string | null) => [
    { id: two, holds: [{ ground: 'authority', reason, setBy: 'user:officer' }] },
  ];
  expect(await held('officer')).toMatchObject(hold('A question of the police'));
  // The reason may name people: it is for who may set holds.
  expect(await held('operator')).toMatchObject(hold(null));
  const first = await here.json('/retention/due?limit=1', 'officer');
  expect(idsOf(first)).toEqual([one]);
  expect(await list('due', `?limit=2&cursor=${String(first['next'])}`)).toEqual([three]);
  here.set.clock.at += 25 * 3_600_000;
  expect(await list('overdue')).toEqual([one, three]);
  // Whose purpose is over, who teaches does not see.
  expect(idsOf(await here.json('/retention/due', 'coach'))).toEqual([]);
});

test('what a doubt about clocks keeps is in a list of its own, and neither due nor overdue, as the system counts it', async () => {
  const here = await stage();
  const [kept, decided, due] = [await here.archived(), await here.archived(), await here.archived()];
  const doubt = { apartMs: 9e9, endedAt: here.set.clock.at, witnesses: {}, actor: 'serve' };
  here.set.clock.at += 31 * dayMs;
  for (const { id } of [kept, decided]) await here.set.catalogue.clockDoubts.raise(id, doubt);
  const note = { event: 'erasure decided', actor: 'user:olga', detail: {} };
  const asked = { recordings: [decided.id], cause: '{"rule":"decided"}', at: here.set.clock.at, note, ending: [] };
  expect(await here.set.catalogue.askedErasures.ask(asked)).toBe(true);
  const list = async (which: string): Promise<string[]> => idsOf(await here.json(`/retention/${which}`, 'officer'));
  expect(await list('doubtful')).toEqual([kept.id]);
  // Who has decided to erase it needs no clock.
  expect((await list('due')).toSorted()).toEqual([decided.id, due.id].toSorted());
  expect((await list('overdue')).toSorted()).toEqual([decided.id, due.id].toSorted());
  expect(await here.json('/system', 'operator')).toMatchObject({ retention: { due: 2, overdue: 2, doubtful: 1 } });
});

test('what a lock keeps that somebody was told of is neither due nor overdue, as the system counts it, and who shows what is due is told what a pass has missed', async () => {
  const here = await stage();
  const [locked, late, foreign] = [await here.archived(), await here.archived(), await here.archived()];
  here.set.clock.at += 28 * dayMs + 3_600_000;
  const { auditTrail } = here.set.catalogue;
  await auditTrail.append(locked.id, { event: requestFailed, actor: 'cli', detail: { code: 'archive_locked' } });
  for (const { id } of [locked, foreign]) {
    await auditTrail.append(id, { event: erasureFailed, actor: 'retention', detail: { code: 'archive_locked' } });
  }
  const list = async (which: string) => {
    const { recordings } = await here.json(`/retention/${which}`, 'officer');

    return (recordings as { id: string; overdue: boolean }[]).map(({ id, overdue }) => [id, overdue]);
  };
  const due = (isOverdue: boolean) => [late.id, foreign.id].map((id) => [id, isOverdue]);
  expect([await list('due'), await list('overdue')]).toEqual([due(false), []]);
  here.set.clock.at += 25 * 3_600_000;
  expect([await list('due'), await list('overdue')]).toEqual([due(true), due(true)]);
  expect(await here.json('/system', 'operator')).toMatchObject({ retention: { due: 2, overdue: 2 } });
});

test('the system tells what needs attention, and what check finds', async () => {
  let looked = 0;
  const check = () => {
    looked += 1;

    return Promise.resolve([
      { check: 'spool', ok: true as const, notes: ['a note'] },
      { check: 'archive', ok: true as const, warning: 'slow' },
      { check: 'asterisk', ok: false as const, code: 'ari_unreachable', problem: 'away', hint: 'start it' },
    ]);
  };
  const here = await stage({ ports: { check } });
  await here.archived();
  expect(await here.json('/system', 'operator')).toMatchObject({
    servedAt: null,
    uploads: [],
    retention: { due: 0, overdue: 0 },
    alarms: [{ alarm: 'serve_away', about: null, count: 1 }],
  });
  const north = { pbx: 'north', application: 'preavis' };
  await here.set.catalogue.leases.noteServing(north, elsewhere());
  here.set.clock.at += 180_000;
  await here.set.catalogue.leases.noteServing({ ...north, application: 'other' }, elsewhere());
  await here.set.catalogue.leases.noteServing(onlyServe, elsewhere());
  expect(await here.json('/system', 'operator')).toMatchObject({ alarms: [] });
  here.set.clock.at += 180_000;
  await here.set.catalogue.leases.noteServing(onlyServe, elsewhere());
  expect(await here.json('/system', 'operator')).toMatchObject({
    servedAt: new Date(here.set.clock.at - 180_000).toISOString(),
    alarms: [{ alarm: 'serve_away', about: 'north', count: 1 }],
  });
  here.set.clock.at += 30 * dayMs;
  expect(await here.json('/system', 'operator')).toMatchObject({
    retention: { due: 1, overdue: 1 },
    alarms: expect.arrayContaining([{ alarm: 'recordings_overdue', about: null, count: 1 }]) as unknown,
  });
  const [row] = await here.set.catalogue.recordings.list({ limit: 1 });
  if (row === undefined) throw new Error('no recording');
  const doubt = { apartMs: 9e9, endedAt: here.set.clock.at, witnesses: {}, actor: 'serve' };
  expect(await here.set.catalogue.clockDoubts.raise(row.id, doubt)).toBe(true);
  // It is due no more, and nothing erases it until somebody has said when it ended.
  expect(await here.json('/system', 'operator')).toMatchObject({
    retention: { due: 0, doubtful: 1 },
    alarms: [{ alarm: 'serve_away' }, { alarm: 'clocks_doubtful', about: null, count: 1 }],
  });
  const { results } = await here.json('/system/checks', 'operator');
  expect(results).toMatchObject([
    { check: 'spool', state: 'ok', notes: ['a note'] },
    { check: 'archive', state: 'warning', text: 'slow' },
    { check: 'asterisk', state: 'failed', code: 'ari_unreachable', text: 'away', hint: 'start it' },
  ]);
  await here.json('/system/checks', 'operator');
  expect(looked).toBe(1);
  // Who wants to know how it is now is told that.
  here.set.clock.at += 1_000;
  const { checkedAt } = await here.json('/system/checks?anew=true', 'operator');
  expect(looked).toBe(2);
  expect(checkedAt).toBe(new Date(here.set.clock.at).toISOString());
  expect(await here.json('/system/checks', 'operator')).toMatchObject({ checkedAt });
  expect((await here.ask('/system', 'officer')).status).toBe(403);
});

test('who asks anew while somebody looks is told of a look that begins behind it, once for all who ask', async () => {
  const begun: (() => void)[] = [];
  const check = () =>
    new Promise<[]>((resolve) => {
      begun.push(() => {
        resolve([]);
      });
    });
  const here = await stage({ ports: { check } });
  const known = jest.spyOn(here.ports.access, 'actorOf');
  const first = here.json('/system/checks', 'operator');
  await eventually(() => {
    expect(begun.length).toBe(1);
  });
  here.set.clock.at += 1_000;
  const anew = [1, 2].map(() => here.json('/system/checks?anew=true', 'operator'));
  const joined = here.json('/system/checks', 'operator');
  await eventually(() => {
    expect(known.mock.calls.length).toBe(4);
  });
  // They have come when this one is answered, which came behind them.
  await here.json('/me', 'operator');
  begun[0]?.();
  const { checkedAt } = await first;
  expect(await joined).toEqual({ checkedAt, results: [] });
  await eventually(() => {
    expect(begun.length).toBe(2);
  });
  begun[1]?.();
  const since = new Date(here.set.clock.at).toISOString();
  expect(await Promise.all(anew)).toEqual([1, 2].map(() => ({ checkedAt: since, results: [] })));
  expect(since).not.toBe(checkedAt);
  expect(begun.length).toBe(2);
});

test('the sentences that callers hear have their seconds and their sound', async () => {
  const here = await stage();
  const { prompts } = (await here.json('/system/prompts', 'operator')) as {
    prompts: { prompt: string; language: string; lengthMs: number; text: string }[];
  };
  const [one] = prompts;
  expect(one?.lengthMs).toBeGreaterThan(500);
  const path = `/system/prompts/${one?.language ?? ''}/${one?.prompt ?? ''}/audio`;
  const sound = await here.ask(path, 'operator');
  expect([sound.status, sound.headers.get('content-type')]).toEqual([200, 'audio/wav']);
  expect(
    Buffer.from(await sound.arrayBuffer())
      .subarray(0, 4)
      .toString(),
  ).toBe('RIFF');
  expect((await here.ask('/system/prompts/fr/nothing/audio', 'operator')).status).toBe(404);
  expect((await here.ask('/system/prompts/fr/..%2f..%2fpasswd/audio', 'operator')).status).toBe(400);
  expect(await here.json('/figures/notices', 'operator')).toMatchObject({
    lines: expect.arrayContaining([expect.objectContaining({ line: 'default' })]) as unknown,
  });
});

test('a HEAD is answered as the GET, without a body, and reads nothing from the archive', async () => {
  const here = await stage();
  const { id, wav } = await here.archived();
  const head = await here.ask(`/recordings/${id}/audio`, 'coach', { method: 'HEAD' });
  expect([head.status, head.headers.get('content-length'), head.headers.get('accept-ranges')]).toEqual([
    200,
    String(wav.length),
    'bytes',
  ]);
  const get = await here.ask(`/recordings/${id}/audio`, 'coach');
  expect(get.headers.get('etag')).toBe(head.headers.get('etag'));
  await get.arrayBuffer();
  expect((await here.ask('/calls', 'coach', { method: 'HEAD' })).status).toBe(200);
  expect((await here.ask('/calls', undefined, { method: 'HEAD' })).status).toBe(401);
  expect((await here.ask(`/recordings/${id}/holds`, 'coach', { method: 'HEAD' })).status).toBe(404);
});
