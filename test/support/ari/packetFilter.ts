import { spawn, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { recordProcess } from '../../../lab/machine/processes.ts';
import { eventually } from '../poll.ts';

/** Drops packets on loopback, by rules of nftables. The kernel forgets them with the process that has made them. */
export type PacketFilter = {
  /** Drops what matches this expression of nft, until it is mended. */
  drop(expression: string): Promise<PacketLoss>;
  /** What is dropped in this act is mended when it is over, however it ends: the next one meets nothing of it. */
  during<T>(act: () => Promise<T>): Promise<T>;
  close(): Promise<void>;
};

type PacketLoss = {
  /** How many packets were dropped so far. */
  dropped(): Promise<number>;
  mend(): Promise<void>;
};

/** A table that the kernel forgets with its owner. */
const addTable = (table: string): string => `add table ${table} { flags owner; }`;

/** Only root can, where the kernel has nftables, and owners of tables (5.12). Tried, and not made. */
export const canFilterPackets: boolean =
  process.getuid?.() === 0 &&
  spawnSync('nft', ['--check', addTable(`inet preavis_lab_${process.pid}_try`)], { stdio: 'ignore' }).status === 0;

const hexOf = (text: string): string => Buffer.from(text, 'latin1').toString('hex');

/** An expression for UDP packets whose payload begins with this text, such as a SIP response. */
export const datagramBegins = (text: string): string => `@th,64,${8 * text.length} 0x${hexOf(text)}`;

/** The same for TCP segments of Linux, whose header has 20 bytes and 12 of time stamps. */
export const segmentBegins = (text: string): string => `@th,256,${8 * text.length} 0x${hexOf(text)}`;

/** A frame of a websocket that holds a whole text. */
export const textFrame = '\u0081';

/** The ports of this process's connections to this port on loopback. */
export function portsToward(port: number, pid: number): number[] {
  const sockets = new Set(
    readdirSync(`/proc/${pid}/fd`).flatMap((descriptor) => {
      try {
        return [/^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${descriptor}`))?.[1]];
      } catch {
        // Closed meanwhile.
        return [];
      }
    }),
  );
  const portOf = (address = ''): number => Number.parseInt(address.slice(address.indexOf(':') + 1), 16);

  return readFileSync(`/proc/${pid}/net/tcp`, 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(({ 2: to, 9: inode }) => portOf(to) === port && sockets.has(inode))
    .map(({ 1: from }) => portOf(from));
}

let filters = 0;

export async function startPacketFilter(): Promise<PacketFilter> {
  const table = `inet preavis_lab_${process.pid}_${(filters += 1)}`;
  const child = spawn('nft', ['-i'], { stdio: ['pipe', 'pipe', 'pipe'] });
  const forget = child.pid === undefined ? () => undefined : recordProcess('nft', child.pid);
  let hasEnded = false;
  // From the beginning: it may end before anybody waits for that.
  const ended = new Promise<void>((resolve) => {
    const note = (): void => {
      hasEnded = true;
      resolve();
    };
    child.once('exit', note);
    child.once('error', note);
  });
  // Who has ended does not obey, and that is told.
  child.stdin.on('error', () => undefined);
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text: Buffer) => (said += text.toString()));
  let marks = 0;
  let tail: Promise<unknown> = Promise.resolve();
  /** One after the other; each is done when the comment behind it is listed. Gives what was said meanwhile. */
  const obey = (commands: readonly string[]): Promise<string> => {
    const done = tail.then(async () => {
      const mark = `done-${(marks += 1)}`;
      said = '';
      const tell = [`flush chain ${table} marks`, `add rule ${table} marks counter comment "${mark}"`];
      child.stdin.write([...commands, ...tell, `list chain ${table} marks`, ''].join('\n'));
      await eventually(() => hasEnded || said.includes(`comment "${mark}"\n`)).catch(() => {
        throw new Error(`nft does not obey: ${said}`);
      });
      if (hasEnded) throw new Error(`nft has ended by itself: ${said}`);
      if (said.includes('Error')) throw new Error(`nft does not obey: ${said}`);
      return said;
    });
    tail = done.catch(() => undefined);
    return done;
  };
  const close = async (): Promise<void> => {
    child.stdin.end();
    await ended;
    forget();
  };
  try {
    await obey([
      addTable(table),
      `add chain ${table} marks`,
      `add chain ${table} drops { type filter hook input priority 0; }`,
    ]);
  } catch (error) {
    await close();
    throw error;
  }
  /** By the names of their counters. */
  const rules = new Map<string, string>();
  let counters = 0;
  /** In one line, which is one transaction: no packet comes through between two lists of rules. */
  const apply = (): Promise<string> =>
    obey([
      [
        `flush chain ${table} drops`,
        ...[...rules].map(([name, rule]) => `add rule ${table} drops iif lo ${rule} counter name ${name} drop`),
      ].join('; '),
    ]);

  return {
    drop: async (expression) => {
      const name = `loss${(counters += 1)}`;
      await obey([`add counter ${table} ${name}`]);
      rules.set(name, expression);
      await apply();
      return {
        dropped: async () =>
          Number(/packets (\d+) bytes \d+\s*\}/.exec(await obey([`list counter ${table} ${name}`]))?.[1]),
        mend: async () => {
          rules.delete(name);
          await apply();
        },
      };
    },
    during: async (act) => {
      try {
        return await act();
      } finally {
        rules.clear();
        await apply();
      }
    },
    close,
  };
}
