import { mkdir } from 'node:fs/promises';
import { SpoolMonitor } from '../../../src/call/plan/spoolMonitor.ts';
import { canMountFaultyDisk, mountFaultyDisk } from '../../support/rig/faultyDisk.ts';
import { collectingLog } from '../../support/logLines.ts';
import { eventually } from '../../support/poll.ts';
import { ownMs } from '../../support/ownTime.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

const folder = temporaryFolder();

/** Needs root, FUSE and python3-fusepy. */
const onDisk = canMountFaultyDisk ? test : test.skip;

onDisk(
  'a recording folder that hangs shows within ten seconds, and that it answers again as well',
  async () => {
    const spoolFolder = folder.path('spool');
    await mkdir(spoolFolder);
    const disk = await mountFaultyDisk(spoolFolder);
    const { log, lines } = collectingLog('info');
    const rooms: (number | undefined)[] = [];
    const watch = new SpoolMonitor({
      ...{ spoolFolder, minimumFreeMib: 1, states: () => [], stopped: () => Promise.resolve(), log },
      ari: { stopRecorder: () => Promise.resolve() },
      roomIs: (mebibytes) => rooms.push(mebibytes),
    });
    try {
      await watch.start();
      expect(watch.trouble).toBeUndefined();
      await disk.befall({ operations: ['stat', 'list', 'open', 'write'], does: 'hang' });
      const spent = await ownMs(() => eventually(() => watch.trouble === 'spool_unusable'));
      // The next look, in vain as well, would be over after fifteen.
      expect(spent).toBeLessThan(13_000);
      expect(rooms.at(-1)).toBeUndefined();
      expect(lines.filter(({ msg }) => msg === 'free space of spool unknown')).toHaveLength(1);
      await disk.befall();
      await eventually(() => watch.trouble === undefined);
    } finally {
      watch.stop();
      await disk.befall();
      await disk.unmount();
    }
  },
  180_000,
);
