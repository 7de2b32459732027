import { mkdirSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { burstTone, continuousTone } from '../../lab/audio.ts';
import { startEar, type Ear } from '../../lab/ear.ts';
import { placeCall, startAgent, type Call } from '../../lab/sip.ts';
import type { RecordingRow } from '../../src/catalogue/rows.ts';
import { readWav, tonePresence } from '../support/audio.ts';
import { eventually } from '../support/poll.ts';
import {
  catalogueCalls,
  catalogueRecordings,
  endedCall,
  expectNobodyConnected,
  finishedRecording,
  rigTimeoutMs,
  showRecording,
  spooledWav,
  useRig,
} from '../support/rigs.ts';
import { canMount, mountSmallDisk, type SmallDisk } from '../support/smallDisk.ts';

/** Full and read-only disks are real ones of a few MiB, which only root can mount. */
const describeAsRoot = canMount ? describe : describe.skip;

const mebibyte = 1_048_576;

function setting(names: readonly string[], config: Record<string, Record<string, unknown>> = {}) {
  const disks: SmallDisk[] = [];
  // Before the rig is removed.
  afterAll(() => {
    for (const disk of disks) disk.unmount();
  });
  const at = useRig(async () => {
    const tone = await burstTone(1000);
    const talks = await at.keep(startAgent({ behaviour: 'answer', tone, atOnce: 4 }));
    const hangsUp = await at.keep(startAgent({ behaviour: 'answer', tone, hangUpAfterMs: 1_500, atOnce: 4 }));
    const line = { purposes: ['training'], language: 'fr', defaultLanguages: ['fr'] };
    return {
      extensions: Object.fromEntries(
        names.map((name) => [name, `${(name.startsWith('long') ? talks : hangsUp).dialString},20,line=${name}`]),
      ),
      config: { lines: Object.fromEntries(names.map((name) => [name, line])), ...config },
      idle: true,
    };
  });
  const call = async (to: string, ear?: Ear): Promise<Call> => {
    const tone = await continuousTone(440);
    return at.keep(placeCall({ sipPort: at.rig.asterisk.sipPort, to, tone, ...(ear === undefined ? {} : { ear }) }));
  };
  const talking = async (to: string): Promise<{ call: Call; row: RecordingRow; ear: Ear }> => {
    const ear = await at.keep(startEar());
    const placed = await call(to, ear);
    const row = await eventually(
      async () => {
        const ours = (await catalogueCalls(at.rig)).find(({ line }) => line === to);
        const found = (await catalogueRecordings(at.rig)).find(({ callId }) => callId === ours?.id);
        if (found === undefined) throw new Error(`no recording of the line ${to}`);
        return found;
      },
      { withinMs: 20_000 },
    );
    await eventually(() => statSync(spooledWav(at.rig, row.id)).size > 24_000);
    return { call: placed, row, ear };
  };
  const expectRecorded = async (name: string): Promise<void> => {
    expect(await (await call(name)).ended).toMatchObject({ status: 'answered', endedBy: 'callee' });
    const { id } = await finishedRecording(at.rig, name, 20_000);
    expect(await showRecording(at.rig, id)).toMatchObject({ status: 'recorded', flags: [] });
  };
  const small = (folder: string, mebibytes: number): SmallDisk => {
    const disk = mountSmallDisk(folder, mebibytes);
    disks.push(disk);
    return disk;
  };
  /** The caller hears the other side for three more seconds. */
  const expectTalking = async (ear: Ear): Promise<void> => {
    const before = ear.samples().length;
    await eventually(() => ear.samples().length > before + 24_000);
    expect(tonePresence(ear.samples().slice(before), 1000).length).toBeGreaterThanOrEqual(2);
  };
  const said = (msg: string): number => at.rig.log().filter((line) => line['msg'] === msg).length;

  return { at, call, talking, expectTalking, expectRecorded, said, small };
}

describeAsRoot('a recording folder that fills up', () => {
  // Of 20 MiB that are asked for before a call, running recordings may use 16.
  const { at, call, talking, expectTalking, expectRecorded, said, small } = setting(
    ['long', 'low', 'later', 'long-full', 'last'],
    {
      recording: { minimumFreeMib: 20 },
    },
  );
  let disk: SmallDisk;
  beforeAll(async () => {
    disk = small(at.rig.asterisk.spoolFolder, 40);
    await at.rig.startServe();
  }, rigTimeoutMs);

  it(
    'stops the recording and not the call before it is full, keeps what was said, and says so once',
    async () => {
      const { call: placed, row, ear } = await talking('long');
      disk.leave(10 * mebibyte);
      await eventually(() => said('too little room to record; calls go on unrecorded') === 1);
      expect((await catalogueRecordings(at.rig))[0]?.finishedAt).toBeNull();
      const other = await call('low');
      expect(await other.ended).toMatchObject({ status: 'answered', endedBy: 'callee' });
      expect(await endedCall(at.rig, 'low')).toMatchObject({ result: 'unrecorded', reason: 'spool_full' });

      disk.leave(3 * mebibyte);
      await eventually(() => said('a recording was stopped for want of room; the call goes on') === 1);
      const { size } = await eventually(() => {
        const before = statSync(spooledWav(at.rig, row.id));
        return before.size > 0 && before;
      });
      expect(placed.isAnswered()).toBe(true);
      await expectTalking(ear);
      const metrics = await (await fetch(`http://127.0.0.1:${at.rig.healthPort}/metrics`)).text();
      expect(Number(/^preavis_spool_free_bytes (\S+)/m.exec(metrics)?.[1])).toBeLessThan(4 * mebibyte);
      await placed.hangUp();
      await finishedRecording(at.rig, 'long');
      expect(statSync(spooledWav(at.rig, row.id)).size).toBe(size);
      const shown = await showRecording(at.rig, row.id);
      expect(shown).toMatchObject({ status: 'recorded', flags: ['ended_early'] });
      expect(shown.audit.map(({ event }) => event)).toContain('stopped for want of room');
      expect(tonePresence(readWav(spooledWav(at.rig, row.id)), 440).length).toBeGreaterThanOrEqual(1);
      expect(said('hardly any room to record; nothing is recorded')).toBe(1);

      disk.empty();
      await eventually(() => said('there is room to record again') === 1);
      await expectRecorded('later');
      await expectNobodyConnected(at.rig);
    },
    2 * rigTimeoutMs,
  );

  it(
    'that is full from one moment to the next ends no call, and what was written is kept',
    async () => {
      const { call: placed, row, ear } = await talking('long-full');
      disk.leave(0);
      // By the watch, or by Asterisk itself, which cannot write any more.
      await eventually(() => said('hardly any room to record; nothing is recorded') === 2);
      await expectTalking(ear);
      await placed.hangUp();
      await finishedRecording(at.rig, 'long-full', 20_000);
      const shown = await showRecording(at.rig, row.id);
      expect(shown.status).toBe('recorded');
      expect(shown.flags).toContain('ended_early');
      expect(shown.durationMs).toBeGreaterThan(1_000);
      disk.empty();
      await eventually(() => said('there is room to record again') === 2);
      await expectRecorded('last');
    },
    2 * rigTimeoutMs,
  );
});

describeAsRoot('a catalogue whose disk', () => {
  const names = ['long', 'meanwhile', 'after', 'without', 'writable'];
  const { at, call, talking, expectTalking, expectRecorded, small } = setting(names);
  let disk: SmallDisk;
  beforeAll(async () => {
    const folder = join(at.rig.folder, 'small');
    mkdirSync(folder, { mode: 0o700 });
    disk = small(folder, 8);
    symlinkSync(join(folder, 'catalogue.db'), join(at.rig.folder, 'catalogue.db'));
    await at.rig.startServe();
  }, rigTimeoutMs);

  it(
    'is full ends no call and loses no recording; who calls meanwhile is connected unrecorded',
    async () => {
      const { call: placed, row, ear } = await talking('long');
      disk.leave(0);
      const other = await call('meanwhile');
      expect(await other.ended).toMatchObject({ status: 'answered', endedBy: 'callee' });
      await expectTalking(ear);
      await placed.hangUp();
      await expectNobodyConnected(at.rig);
      expect(at.rig.servePid()).toBeDefined();
      disk.empty();

      expect(await endedCall(at.rig, 'long')).toMatchObject({ result: 'recorded' });
      await finishedRecording(at.rig, 'long', 20_000);
      expect(await showRecording(at.rig, row.id)).toMatchObject({ status: 'recorded', flags: [] });
      expect(await endedCall(at.rig, 'meanwhile')).toMatchObject({
        result: 'unrecorded',
        reason: 'catalogue_unusable',
      });
      await expectRecorded('after');
      await expectNobodyConnected(at.rig);
    },
    2 * rigTimeoutMs,
  );

  it(
    'is read-only lets serve not start, says why, and calls reach their destination by the dialplan',
    async () => {
      await at.rig.stopServe();
      disk.readOnly(true);
      const serve = await at.rig.preavis('serve');
      expect(serve.code).toBe(1);
      expect(serve.stderr).toMatch(/^preavis: catalogue_unusable: .*\n {2}\S/m);
      expect(await (await call('without')).ended).toMatchObject({ status: 'answered', endedBy: 'callee' });
      disk.readOnly(false);
      await at.rig.startServe();
      await expectRecorded('writable');
    },
    2 * rigTimeoutMs,
  );
});
