import { burstTone, continuousTone } from '../../../lab/telephones/audio.ts';
import { rigBucket } from '../../../lab/rig.ts';
import { placeCall, startAgent } from '../../../lab/telephones/sip.ts';
import { startStore, type LabStore } from '../../../lab/store/store.ts';
import { eventually } from '../../support/poll.ts';
import { catalogueRecordings, finishedRecording, useRig } from '../../support/rig/rigs.ts';

let store: LabStore;

beforeAll(async () => {
  store = await startStore();
  await store.makeBucket(rigBucket, { versioning: true });
});

afterAll(async () => {
  await store.stop();
});

const at = useRig(async () => {
  const agent = await at.keep(startAgent({ behaviour: 'answer', tone: await burstTone(1000), hangUpAfterMs: 1000 }));

  return {
    store,
    extensions: { away: `${agent.dialString},20,line=away` },
    config: {
      lines: { away: { purposes: ['training'], language: 'fr', defaultLanguages: ['fr'] } },
      // A pass each second.
      schedule: { upload: '* * * * * *' },
    },
  };
});

const page = (name: string): Promise<Response> => fetch(`http://127.0.0.1:${at.rig.healthPort}/${name}`);

/** The figures of the archive; those of the process are left out. */
async function figures(): Promise<Record<string, number>> {
  const lines = (await (await page('metrics')).text()).split('\n');

  return Object.fromEntries(
    lines
      .filter((line) => /^preavis_(archive|recordings)_/.test(line))
      .map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
  );
}

const archiveHealth = async (): Promise<unknown[]> => {
  const health = await page('health');
  const { status, archive } = (await health.json()) as { status: string; archive: { status: string } };

  return [health.status, status, archive.status];
};

const told = (word: string): Record<string, unknown>[] =>
  at.rig.log().filter(({ msg }) => typeof msg === 'string' && msg.startsWith(`archive ${word}`));

it('serves and records while the archive is away, raises one alarm, tells monitoring, and calls it off', async () => {
  await eventually(async () => {
    expect(await archiveHealth()).toEqual([200, 'ok', 'working']);
  });
  await store.stopGateway();
  const call = await at.keep(
    placeCall({ sipPort: at.rig.asterisk.sipPort, to: 'away', tone: await continuousTone(440) }),
  );
  expect(await call.ended).toMatchObject({ status: 'answered', endedBy: 'callee' });
  const { id } = await finishedRecording(at.rig, 'away');
  await eventually(async () => {
    expect(await archiveHealth()).toEqual([200, 'ok', 'failing']);
  });
  // For some passes.
  await eventually(async () => {
    expect((await figures())['preavis_recordings_oldest_waiting_seconds']).toBeGreaterThan(5);
  });
  expect(await figures()).toMatchObject({
    preavis_archive_failing: 1,
    preavis_archive_last_stored_timestamp_seconds: 0,
    preavis_recordings_waiting: 1,
  });
  expect(told('unavailable')).toMatchObject([{ level: 'error', code: 'archive_unreachable', waiting: 1 }]);
  expect(told('available again')).toEqual([]);

  await store.startGateway();
  await eventually(async () => {
    expect((await catalogueRecordings(at.rig)).find((each) => each.id === id)?.status).toBe('archived');
    expect(await archiveHealth()).toEqual([200, 'ok', 'working']);
  });
  expect(await figures()).toMatchObject({
    preavis_archive_failing: 0,
    preavis_recordings_waiting: 0,
    preavis_recordings_oldest_waiting_seconds: 0,
  });
  expect((await figures())['preavis_archive_last_stored_timestamp_seconds']).toBeGreaterThan(Date.now() / 1_000 - 60);
  expect(told('unavailable')).toHaveLength(1);
  const again = told('available again');
  expect(again).toMatchObject([{ level: 'info', code: 'archive_unreachable' }]);
  // It may have come back just after the attempt of a pass, which then tells of one that waits.
  expect([
    { sent: 1, waiting: 0 },
    { sent: 0, waiting: 1 },
  ]).toContainEqual({
    sent: again[0]?.['sent'],
    waiting: again[0]?.['waiting'],
  });
});
