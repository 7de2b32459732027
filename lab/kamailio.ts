/** A real Kamailio on loopback in front of some Asterisks: unpacked from Debian's package by prepare.mjs, with the configuration that operators get. */
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { kamailioPrograms } from './machine/folders.mjs';
import { claimPorts } from './machine/ports.ts';
import { makeLabFolder, spawnLive } from './machine/processes.ts';

const run = promisify(execFile);
const configuration = fileURLToPath(new URL('../config/kamailio/kamailio.cfg', import.meta.url));
const ascending = (one: number, other: number): number => one - other;
const startLimitMs = 30_000;

/** Whether prepare.mjs could bring it. */
export const hasKamailio: boolean = kamailioPrograms() !== undefined;

export type KamailioOptions = {
  /** The SIP ports of the Asterisks, on 127.0.0.1. */
  pbxPorts: readonly number[];
  /** Each Asterisk is asked so often whether it is there; default: as in the file. */
  probeSeconds?: number;
  /** One that has said "trying" and nothing more is passed over by then; default: as in the file. */
  tryingMs?: number;
};

export type LabKamailio = {
  readonly sipPort: number;
  /** What `kamcmd` prints. Throws what it says of a mistake. */
  control(...args: readonly string[]): Promise<string>;
  /** The SIP ports of the Asterisks that get calls now, in ascending order. */
  activePorts(): Promise<number[]>;
  /** All that it has logged. */
  logs(): string;
  /** Idempotent. */
  stop(): Promise<void>;
};

/** Throws an Error with Kamailio's own words when it does not start. Calls are taken from 127.0.0.1. */
export async function startKamailio({ pbxPorts, probeSeconds, tryingMs }: KamailioOptions): Promise<LabKamailio> {
  const programs = kamailioPrograms();
  if (programs === undefined) {
    throw new Error('There is no Kamailio in the lab. Run: node lab/prepare.mjs --with kamailio');
  }
  const folder = makeLabFolder();
  const block = await claimPorts(1);
  const [pbxList, addressList, control] = ['dispatcher.list', 'address.list', 'control'].map((name) =>
    join(folder.path, name),
  ) as [string, string, string];
  writeFileSync(pbxList, pbxPorts.map((port) => `1 sip:127.0.0.1:${port} 0 0\n`).join(''));
  writeFileSync(addressList, '1 127.0.0.1 32 0\n');
  const definitions = [
    `LISTEN=udp:127.0.0.1:${block.first}`,
    `PBX_LIST="${pbxList}"`,
    `ADDRESS_LIST="${addressList}"`,
    `CONTROL="unix:${control}"`,
    ...(probeSeconds === undefined ? [] : [`PROBE_SECONDS=${probeSeconds}`]),
    ...(tryingMs === undefined ? [] : [`TRYING_MS=${tryingMs}`]),
  ].flatMap((each) => ['-A', each]);
  const logFile = join(folder.path, 'kamailio.log');
  const args = ['-DD', '-E', '-f', configuration, '-L', programs.modules, '-Y', folder.path, ...definitions];
  const kamailio = await spawnLive(programs.kamailio, args, { cwd: folder.path, logFile, priority: 'sound' });
  const logs = (): string => readFileSync(logFile, 'utf8');
  const ask = async (...words: readonly string[]): Promise<string> =>
    (await run(programs.kamcmd, ['-s', `unix:${control}`, ...words])).stdout;
  const stop = async (): Promise<void> => {
    await kamailio.stop();
    block.release();
    folder.remove();
  };
  for (const until = Date.now() + startLimitMs; ;) {
    const isReady = await ask('core.uptime').then(
      () => true,
      () => false,
    );
    if (isReady) break;
    if (!kamailio.isRunning() || Date.now() > until) {
      const said = logs();
      await stop();
      throw new Error(`Kamailio does not start.\n${said}`);
    }
    await sleep(50);
  }

  return {
    sipPort: block.first,
    control: ask,
    activePorts: async () => {
      // A stanza for each of them: its URI, then its flags, of which the first is A where it is active.
      const listed = await ask('dispatcher.list');

      return [...listed.matchAll(/URI: sip:127\.0\.0\.1:(\d+)\s+FLAGS: A/g)]
        .map(([, port]) => Number(port))
        .toSorted(ascending);
    },
    logs,
    stop,
  };
}
