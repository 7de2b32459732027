import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { spawnLive, type LiveProcess } from '../../../lab/machine/processes.ts';
import { takeApplication } from '../../support/ari/applicationTaker.ts';
import { startOperator } from '../../support/call/operator.ts';
import { commandFile } from '../../support/command.ts';
import { connected, useFaultyRig } from '../../support/rig/faultyRig.ts';
import { eventually } from '../../support/poll.ts';
import { StateMissed } from '../../support/rig/onTime.ts';
import { endedCall, expectNobodyConnected, finishedRecording, showRecording } from '../../support/rig/rigs.ts';

/** Somebody else opens an event socket for the same Stasis application of the same Asterisk. */

const takesBack = 'Stasis application reclaimed; reconnecting';

const at = useFaultyRig({ patient: ['taken', 'silenced', 'held', 'cut'], brief: ['first', 'second', 'third'] });

beforeAll(() => at.rig.startServe());

afterEach(() => at.works());

type TakenLine = { at: number; takenBackInMs: number };

/** What a serve has said each time that it lost the application. */
const losses = (log: readonly Record<string, unknown>[]): TakenLine[] =>
  log
    .filter(({ code }) => code === 'application_taken')
    .map((line) => ({ at: Date.parse(String(line['time'])), takenBackInMs: Number(line['takenBackInMs']) }));

/** Has somebody else take the application, who then does something. Tells when it was taken back. */
async function lose(
  then: (other: { close(): void }) => Promise<void> | void,
): Promise<'in its time' | 'before its time'> {
  await at.works();
  const [count, openings] = [losses(at.rig.log()).length, at.said(connected)];
  const other = await at.keep(takeApplication(at.rig));
  const taken = await eventually(() => losses(at.rig.log())[count] ?? false);
  await then(other);
  await at.says(connected, openings);
  const back = at.rig.log().filter(({ msg }) => msg === takesBack);
  const spentMs = Date.parse(String(back.at(-1)?.['time'])) - taken.at;

  return spentMs < taken.takenBackInMs ? 'before its time' : 'in its time';
}

describe('an application that somebody else takes', () => {
  it('in the middle of a talk is told, and taken back; what ended meanwhile is found out', async () => {
    const call = await at.call('taken');
    const id = await at.records('taken');
    const openings = at.said(connected);
    const other = await at.keep(takeApplication(at.rig));
    await eventually(() => losses(at.rig.log()).length === 1);
    expect(await at.health()).toMatchObject({ status: 'degraded' });
    await call.hangUp();

    // The other one stays where it is.
    await at.says(connected, openings);
    expect(await endedCall(at.rig, 'taken')).toMatchObject({ result: 'recorded' });
    await finishedRecording(at.rig, 'taken');
    expect((await showRecording(at.rig, id)).notice.map(({ verified }) => verified)).not.toContain(false);
    await expectNobodyConnected(at.rig);
    await (
      await at.call('first')
    ).ended;
    await finishedRecording(at.rig, 'first');
    other.close();
  });

  it('again and again is taken back ever later, but at once when the other leaves', async () => {
    while (losses(at.rig.log()).length < 2) await lose(() => undefined);
    await at.onTime([], async () => {
      expect(
        await lose((other) => {
          other.close();
        }),
      ).toBe('before its time');
    });
    let attempts = 0;
    await at.onTime([], async () => {
      const operator = await at.keep(startOperator(at.rig));
      const known = (): Promise<unknown> => operator.request('GET', '/applications/preavis').catch(() => undefined);
      const last = `last-${(attempts += 1)}`;
      // Asterisk forgets an application with its socket, but not one that a channel is still under.
      const leaves = async (other: { close(): void }): Promise<void> => {
        const before = at.said(takesBack);
        await operator.request('POST', `/channels/${last}?endpoint=Local/s@preavis-deadman/n&app=preavis`);
        try {
          await eventually(async () => {
            expect(await known()).toMatchObject({ channel_ids: expect.arrayContaining([last]) as unknown });
          });
          other.close();
          await eventually(async () => {
            expect(await known()).toMatchObject({ bridge_ids: [] });
          });
        } finally {
          await operator.request('DELETE', `/channels/${last}`);
        }
        await eventually(async () => {
          expect(await known()).toMatchObject({ channel_ids: [] });
        });
        if (at.said(takesBack) > before) throw new StateMissed('it was taken back with the channel under it');
      };
      try {
        expect(await lose(leaves)).toBe('before its time');
      } finally {
        operator.close();
      }
    });
    const pauses = losses(at.rig.log()).map(({ takenBackInMs }) => takenBackInMs);
    expect(pauses.slice(0, 3)).toEqual([2_000, 4_000, 8_000]);
    await (
      await at.call('second')
    ).ended;
    await finishedRecording(at.rig, 'second');
  });
});

describe('a second serve with a catalogue of its own', () => {
  let second: LiveProcess | undefined;
  afterEach(async () => {
    await second?.stop({ graceMs: 20_000 });
  });
  const logFile = (name: string): string => join(at.rig.folder, `${name}.log`);
  const startSecond = (name: string, ...options: string[]): Promise<LiveProcess> =>
    spawnLive(process.execPath, [commandFile, 'serve', ...options], {
      logFile: logFile(name),
      env: {
        ...process.env,
        PREAVIS_CONFIG: join(at.rig.folder, 'preavis.yaml'),
        PREAVIS_ARI_PASSWORD: at.rig.asterisk.ariPassword,
        PREAVIS_CATALOGUE_FILE: join(at.rig.folder, `${name}.db`),
        // That of the rig belongs to its own catalogue.
        PREAVIS_ARCHIVE_STORE: 'directory',
        PREAVIS_ARCHIVE_DIRECTORY_FOLDER: join(at.rig.folder, `${name}-archive`),
        PREAVIS_HEALTH_PORT: '0',
      },
    });

  it('does not start, says why, and the first one does not notice, also while a call is on', async () => {
    const { rig } = at;
    const before = losses(rig.log()).length;
    const call = await at.call('held');
    const id = await at.records('held');
    second = await startSecond('refused', '--json');
    expect(await second.exited).toBe(2);
    const [error] = readFileSync(logFile('refused'), 'utf8')
      .split('\n')
      .filter((line) => line.includes('application_held'));
    expect(error).toBeDefined();
    expect(losses(rig.log())).toHaveLength(before);
    expect(rig.log().filter(({ code }) => code === 'arguments_invalid')).toEqual([]);
    expect(await at.records('held')).toBe(id);
    await call.hangUp();
    await finishedRecording(rig, 'held');
  });

  it('that is to take over says that it is not alone, takes no turns in a tight loop, leaves the first one working, and cuts no recording unseen', async () => {
    const { rig } = at;
    // What it has lost so far does not count for this one.
    await rig.stopServe();
    await rig.startServe();
    const before = losses(rig.log()).length;
    const cut = await at.call('cut');
    const id = await at.records('cut');
    second = await startSecond('second', '--take-over');
    const secondLog = (): Record<string, unknown>[] =>
      readFileSync(logFile('second'), 'utf8')
        .split('\n')
        .slice(0, -1)
        .filter((line) => line.startsWith('{'))
        .map((line) => JSON.parse(line) as Record<string, unknown>);
    await eventually(() => losses(secondLog()).length >= 1);
    expect(secondLog().map(({ msg }) => msg)).toContain('Stasis application already registered in Asterisk');
    await eventually(() => losses(rig.log()).length >= before + 2);
    const pauses = losses(rig.log())
      .slice(before)
      .map(({ takenBackInMs }) => takenBackInMs);
    expect(pauses).toEqual(pauses.map((_, index) => 2_000 * 2 ** index));

    await second.stop({ graceMs: 20_000 });
    await at.works();
    await (
      await at.call('third')
    ).ended;
    await finishedRecording(rig, 'third');
    // The second one ends recorders of talks that it does not know.
    await cut.hangUp();
    expect(await endedCall(rig, 'cut')).toMatchObject({ result: 'recorded' });
    await finishedRecording(rig, 'cut');
    expect((await showRecording(rig, id)).flags).toContain('ended_early');
    await expectNobodyConnected(rig);
  });
});
