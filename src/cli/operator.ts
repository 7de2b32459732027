import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';

/** As useradd and directory services allow; anything else in the environment is not repeated. */
const accountName = /^[A-Za-z0-9_][A-Za-z0-9._@\\-]{0,63}\$?$/;

/** The login uid of a process that nobody has logged in for. */
const nobody = 0xff_ff_ff_ff;
/** Nobody has so many processes one above the other. */
const mostAncestors = 64;

/** Where the kernel tells of processes, and who has which uid. */
export type Machine = { proc: string; passwd: string; uid: number };

const here = (): Machine => ({ proc: '/proc', passwd: '/etc/passwd', uid: process.getuid?.() ?? -1 });

/** The name of the account that runs this process; its number where it has none, as in a container. */
function account(): string {
  try {
    return userInfo().username;
  } catch {
    return `${process.geteuid?.() ?? 'unknown'}`;
  }
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

/** Who became this user: the user of the nearest process above this one that is neither of this user nor of root, as the kernel says. */
function uidAbove({ proc, uid }: Machine): number | undefined {
  let process = 'self';
  for (let count = 0; count < mostAncestors; count += 1) {
    const status = textOf(join(proc, process, 'status')) ?? '';
    const parent = /^PPid:\s+(\d+)$/m.exec(status)?.[1];
    const real = Number(/^Uid:\s+(\d+)\s/m.exec(status)?.[1] ?? Number.NaN);
    if (Number.isInteger(real) && real !== 0 && real !== uid) return real;
    if (parent === undefined || parent === '0') return undefined;
    process = parent;
  }

  return undefined;
}

/** Of the login session, which su and sudo keep. A process that has none can give itself one. */
function loginUid({ proc }: Machine): number | undefined {
  const login = Number.parseInt(textOf(join(proc, 'self/loginuid')) ?? '', 10);

  return Number.isInteger(login) && login !== nobody ? login : undefined;
}

/** In a user namespace whoever made it says which account is which. The first one of the machine has all of them as they are. */
function isInNamespace({ proc }: Machine): boolean {
  const map = textOf(join(proc, 'self/uid_map'));

  return map !== undefined && !/^\s*0\s+0\s+4294967295\s*$/.test(map);
}

/** The name of a uid; the number where the file has none, as with a directory service. */
function nameOf(uid: number, { passwd }: Machine): string {
  const line = (textOf(passwd) ?? '').split('\n').find((each) => each.split(':')[2] === String(uid));
  const name = line?.split(':')[0];

  return name !== undefined && accountName.test(name) ? name : `uid ${uid}`;
}

/**
 * Who runs this command, for the audit trail: the operating system's user, and who became that user. What sudo has put into the environment, and
 * the login session, can be set by whoever starts a command: they stand there as a claim, where they say something else. This process is of whoever
 * starts it, who can have it say anything (NODE_OPTIONS, another program): docs/security.md says what the words are worth.
 */
export function operatorOf(environment: NodeJS.ProcessEnv, machine: Machine = here()): string {
  const above = uidAbove(machine);
  const login = loginUid(machine);
  const starter = above === undefined ? undefined : nameOf(above, machine);
  const startedBy = starter === undefined ? [] : [`started by ${starter}`];
  const isProved = !isInNamespace(machine);
  const sudo = environment['SUDO_USER'];
  const claims = [
    ...(isProved ? [] : ['in a user namespace', ...startedBy]),
    ...(login === undefined || login === above || login === machine.uid ? [] : [`login of ${nameOf(login, machine)}`]),
    ...(sudo === undefined || sudo === starter || !accountName.test(sudo) ? [] : [`sudo from ${sudo}`]),
  ];

  return [
    `user ${account()}`,
    ...(isProved ? startedBy : []),
    ...(claims.length === 0 ? [] : [`not proved: ${claims.join(', ')}`]),
  ].join(', ');
}
