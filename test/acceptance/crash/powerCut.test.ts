/**
 * Loss of power: everything is dead at once, and of spool, catalogue and archive there is what was flushed (lab/machine/faultyDisk.py). What the
 * catalogue said of a recording holds, what was begun is finished, and what was erased stays away.
 */
import { join } from 'node:path';
import { presentMs, readWav } from '../../support/audio/audio.ts';
import { agentHz, useCrashRig } from '../../support/rig/crashing.ts';
import {
  apartFrom,
  canMountFaultyDisk,
  folderKeeper,
  mountFaultyDisk,
  type FaultyDisk,
} from '../../support/rig/faultyDisk.ts';
import { eventually } from '../../support/poll.ts';
import { closePolled } from '../../support/rig/rigCatalogue.ts';
import { filesBelow, spooledWav } from '../../support/rig/rigs.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

const kept = temporaryFolder();

(canMountFaultyDisk ? describe : describe.skip)('a loss of power (needs root, FUSE and python3-fusepy)', () => {
  let database: ReturnType<typeof apartFrom> | undefined;
  const disks: FaultyDisk[] = [];
  // Before the rig is removed.
  afterAll(async () => {
    for (const disk of disks) await disk.unmount();
    database?.end();
  });
  const at = useCrashRig();
  const folders = (): string[] => {
    if (database === undefined) throw new Error('the rig is not there yet');
    return [at.rig.asterisk.spoolFolder, database.path, at.rig.archiveFolder];
  };
  const mount = async (): Promise<void> => {
    const mounting = await Promise.allSettled(folders().map(mountFaultyDisk));
    for (const each of mounting) if (each.status === 'fulfilled') disks.push(each.value);
    for (const each of mounting) if (each.status === 'rejected') throw each.reason;
  };
  /** Préavis is dead by then. */
  const losePower = async (): Promise<void> => {
    for (const disk of disks.splice(0)) await disk.losePower();
  };
  const preavis = async (code: number, args: readonly string[], more: Record<string, string> = {}): Promise<void> => {
    // Else we would be the last to use the catalogue, and flush it.
    closePolled(at.rig);
    expect(await at.rig.preavisWith(more, ...args)).toMatchObject({ code });
  };
  beforeAll(async () => {
    database = apartFrom(at.rig.folder, ['catalogue.db', 'erasures.jsonl']);
    await mount();
    await at.rig.startServe();
    await at.briefCall();
    const { id } = await eventually(async () => (await at.rows()).find(({ status }) => status === 'recorded') ?? false);
    // Its commit waits for the disk, and what was finished before it is there with it.
    const until = new Date(Date.now() + 365 * 86_400_000).toISOString().slice(0, 10);
    await preavis(0, ['recordings', 'hold', id, '--ground', 'restriction', '--reason', 'the lab', '--until', until]);
    await at.rig.killServe();
    await losePower();
  });

  /** Loses power in this command at each fail point that it passes, each time from the same beginning. */
  async function loseAtEach(args: readonly string[], look: () => Promise<void>): Promise<void> {
    const [stage = ''] = args;
    const keeper = folderKeeper(folders(), kept.path(stage));
    const failPoints = await at.failPointsOf((trail) => preavis(0, args, trail));
    await look();
    const ofStage = failPoints.filter((failPoint) => failPoint.startsWith(stage));
    expect(ofStage.length).toBeGreaterThanOrEqual(4);
    for (const failPoint of ofStage) {
      try {
        closePolled(at.rig);
        keeper.putBack();
        await mount();
        await preavis(-1, args, { PREAVIS_TEST_KILL_AT: failPoint });
        await losePower();
        await preavis(0, args);
        await look();
      } catch (error) {
        throw new Error(`the power failed at: ${failPoint}`, { cause: error });
      }
    }
  }

  it('leaves the whole WAV of what the catalogue called recorded, and what a command has said is done', async () => {
    const [row, ...others] = await at.rows();
    expect(others).toEqual([]);
    expect(row?.status).toBe('recorded');
    expect(presentMs(readWav(spooledWav(at.rig, row?.id ?? '')), agentHz)).toBeGreaterThan(300);
    closePolled(at.rig);
    const { holds } = await at.rig.preavisJson<{ holds: { id: string; recording: string }[] }>('recordings', 'holds');
    expect(holds.map(({ recording }) => recording)).toEqual([row?.id]);
    await preavis(0, ['recordings', 'release', holds[0]?.id ?? '']);
  });

  it('in an upload pass leaves what the next one finishes: nothing is lost, and nothing is there twice', async () => {
    await loseAtEach(['upload'], async () => {
      expect((await at.rows()).map(({ status }) => status)).toEqual(['archived']);
      await at.expectAllAgree();
    });
  });

  it('in a retention pass leaves what the next one finishes: nothing is erased without a certificate, and nothing comes back', async () => {
    await loseAtEach(['retention', 'run'], async () => {
      expect((await at.rows()).map(({ status }) => status)).toEqual(['erased']);
      await at.expectAllAgree();
      // Its certificate, and signed heads of the audit trail.
      const heads = filesBelow(join(at.rig.archiveFolder, 'certificates', 'heads'));
      const left = filesBelow(at.rig.archiveFolder).filter((name) => !heads.includes(name));
      expect(left).toEqual([expect.stringMatching(/^0000000001-.*\.jws$/)]);
    });
  });
});
