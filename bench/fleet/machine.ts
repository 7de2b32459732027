/** What the processes of a bench take of this machine. */
import { readdirSync, readFileSync } from 'node:fs';

/** Who takes CPU time. `telephones`: SIPp and this process, which no real fleet has on its machines. */
export const takers = ['asterisk', 'serve', 'postgres', 'store', 'telephones'] as const;
export type Taker = (typeof takers)[number];

/** CPU time so far, ms: of each taker, of the busiest main thread of a `serve`, and of the whole machine. */
export type Taken = Record<Taker, number> & { mainThreads: number[]; machine: number };

type Process = { pid: number; parent: number; name: string; cpuMs: number };

const storeNames = /^(radosgw|ceph-|rados)/;

/** Ticks of /proc are hundredths of a second on Linux. */
function processes(): Process[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const text = readFileSync(`/proc/${name}/stat`, 'utf8');
      // A name may have a parenthesis in it, and is cut after 15 characters.
      const end = text.lastIndexOf(')');
      const fields = text.slice(end + 2).split(' ');
      const [parent, user, system] = [fields[1], fields[11], fields[12]].map(Number) as [number, number, number];

      return [{ pid: Number(name), parent, name: text.slice(text.indexOf('(') + 1, end), cpuMs: (user + system) * 10 }];
    } catch {
      // It has just ended.
      return [];
    }
  });
}

/** All that descends from these, themselves included. */
function familyOf(all: readonly Process[], roots: readonly number[]): Process[] {
  const found = new Set(roots);
  for (let before = 0; before < found.size;) {
    before = found.size;
    for (const { pid, parent } of all) if (found.has(parent)) found.add(pid);
  }

  return all.filter(({ pid }) => found.has(pid));
}

function machineMs(): number {
  const [line = ''] = readFileSync('/proc/stat', 'utf8').split('\n');
  const [user = 0, nice = 0, system = 0, , , irq = 0, softIrq = 0] = line.trim().split(/\s+/).slice(1).map(Number);

  return (user + nice + system + irq + softIrq) * 10;
}

function mainThreadMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/task/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];

  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** Looks at this process and at all that it has started; others' work on the machine is in `machine` alone. */
export function takenSoFar(asterisks: readonly number[], serves: readonly number[]): Taken {
  const all = processes();
  const sum = (some: readonly Process[]): number => some.reduce((total, { cpuMs }) => total + cpuMs, 0);
  const asterisk = familyOf(all, asterisks);
  const serve = familyOf(all, serves);
  const known = new Set([...asterisk, ...serve].map(({ pid }) => pid));
  const others = familyOf(all, [process.pid]).filter(({ pid }) => !known.has(pid));
  const isStore = ({ name }: Process): boolean => storeNames.test(name);
  const isPostgres = ({ name }: Process): boolean => name === 'postgres';

  return {
    asterisk: sum(asterisk),
    serve: sum(serve),
    postgres: sum(others.filter(isPostgres)),
    store: sum(others.filter(isStore)),
    telephones: sum(others.filter((each) => !isPostgres(each) && !isStore(each))),
    mainThreads: serves.map(mainThreadMs),
    machine: machineMs(),
  };
}
