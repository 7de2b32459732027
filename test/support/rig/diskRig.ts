/** A rig whose folders can be full or read-only: real disks of a few MiB, which only root can mount. */
import { canMount } from './mounts.ts';
import { mountSmallDisk, type SmallDisk } from './smallDisk.ts';
import { useTalkingRig, type TalkingRig, type TalkingRigOptions } from '../call/talkingRig.ts';

export const describeAsRoot = canMount ? describe : describe.skip;

export type DiskRig = {
  at: TalkingRig;
  /** How often Préavis has said this. */
  said: (msg: string) => number;
  /** Mounts a disk of so many MiB over this folder. */
  small: (folder: string, mebibytes: number) => SmallDisk;
};

/** Serve does not run yet. */
export function useDiskRig(options: Omit<TalkingRigOptions, 'idle'>): DiskRig {
  const disks: SmallDisk[] = [];
  // Before the rig is removed.
  afterAll(() => {
    for (const disk of disks) disk.unmount();
  });
  const at = useTalkingRig({ ...options, idle: true });

  return {
    at,
    said: (msg) => at.rig.log().filter((line) => line['msg'] === msg).length,
    small: (folder, mebibytes) => {
      const disk = mountSmallDisk(folder, mebibytes);
      disks.push(disk);
      return disk;
    },
  };
}
