import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { operatorOf, type Machine } from '../../../src/cli/operator.ts';

const account = `user ${userInfo().username}`;
const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

/** As /proc and /etc/passwd tell it: the real uids of this process and of those above it. */
function machine(uids: number[], { login, map }: { login?: number; map?: string } = {}): Machine {
  const proc = mkdtempSync(join(tmpdir(), 'preavis-operator-'));
  folders.push(proc);
  for (const [index, uid] of uids.entries()) {
    const folder = join(proc, index === 0 ? 'self' : String(100 + index));
    const parent = index + 1 < uids.length ? 101 + index : 0;
    mkdirSync(folder);
    writeFileSync(join(folder, 'status'), `Name:\tx\nPPid:\t${parent}\nUid:\t${uid}\t0\t0\t0\nGid:\t0\t0\t0\t0\n`);
  }
  writeFileSync(join(proc, 'self/uid_map'), map ?? '         0          0 4294967295\n');
  writeFileSync(join(proc, 'self/loginuid'), String(login ?? 4_294_967_295));
  const passwd = join(proc, 'passwd');
  writeFileSync(
    passwd,
    'root:x:0:0::/root:/bin/sh\nalice:x:1000:1000::/:/bin/sh\nbob:x:1001:1001::/:/bin/sh\na b:x:1002:1::/:/\n',
  );

  return { proc, passwd, uid: uids[0] ?? 0 };
}

describe('who runs a command', () => {
  test('is the account of the process', () => {
    expect(operatorOf({}, machine([500, 500, 0, 0]))).toBe(account);
    expect(operatorOf({}, machine([0]))).toBe(account);
  });

  test('is who became it, as the kernel says: by sudo, by su, or through root', () => {
    expect(operatorOf({ SUDO_USER: 'alice' }, machine([500, 0, 1000, 1000, 0]))).toBe(`${account}, started by alice`);
    expect(operatorOf({}, machine([0, 0, 1001, 0, 0], { login: 1001 }))).toBe(`${account}, started by bob`);
    expect(operatorOf({}, machine([500, 0, 1234, 0]))).toBe(`${account}, started by uid 1234`);
    expect(operatorOf({}, machine([500, 0, 1002, 0]))).toBe(`${account}, started by uid 1002`);
  });

  test('is nobody whom only the environment or the login session names: that is a claim, apart from what is known', () => {
    expect(operatorOf({ SUDO_USER: 'bob' }, machine([500, 0, 1000, 0]))).toBe(
      `${account}, started by alice, not proved: sudo from bob`,
    );
    expect(operatorOf({ SUDO_USER: 'bob' }, machine([500, 0]))).toBe(`${account}, not proved: sudo from bob`);
    expect(operatorOf({}, machine([500, 0], { login: 1001 }))).toBe(`${account}, not proved: login of bob`);
  });

  test.each(['         1       1001          1\n', '0 100000 65536\n', '0 0 1000\n1000 1000 4294966295\n', ''])(
    'is not known in a user namespace, whose accounts are those that its maker has given: %j',
    (map) => {
      expect(operatorOf({ SUDO_USER: 'alice' }, machine([500, 1001, 0], { map }))).toBe(
        `${account}, not proved: in a user namespace, started by bob, sudo from alice`,
      );
      expect(operatorOf({}, machine([0], { map }))).toBe(`${account}, not proved: in a user namespace`);
    },
  );

  test.each(['EXAMPLE\\alice', 'alice@example.com', 'svc-1$'])('may be claimed to be %s', (name) => {
    expect(operatorOf({ SUDO_USER: name }, machine([0]))).toBe(`${account}, not proved: sudo from ${name}`);
  });

  test.each(['', 'a b', 'alice\nserve', '-x', 'x'.repeat(65)])(
    'repeats no other text of the environment: %j',
    (name) => {
      expect(operatorOf({ SUDO_USER: name }, machine([0]))).toBe(account);
    },
  );

  test('is told without /proc, and of this very process', () => {
    expect(operatorOf({}, { proc: '/nowhere', passwd: '/nowhere', uid: 500 })).toBe(account);
    expect(operatorOf({ SUDO_USER: 'mallory' })).toMatch(/^user .*, not proved: (login of \S+, )?sudo from mallory$/);
  });
});
