import { mend, type Account, type Barrier } from '../../../../src/call/plan/spoolRights.ts';

const folder = '/var/spool/asterisk/recording';
const account: Account = { name: 'preavis', uid: 998, groups: [998] };
const barrier = (over: Partial<Barrier> = {}): Barrier => ({
  path: folder,
  isSpool: true,
  uid: 110,
  gid: 115,
  mode: 0o42770,
  ...over,
});

const acl = `sudo setfacl -d -m u::rwX,g::rwX,o::--- ${folder}`;
const restart = '; then restart Préavis (sudo systemctl restart preavis).';

test.each<[string, string, Account, Barrier | undefined, string | undefined]>([
  [
    'not in its group',
    'EACCES',
    account,
    barrier(),
    `Run: sudo usermod -aG "$(sudo stat -c %G ${folder})" preavis${restart}`,
  ],
  [
    'in its group, which may not write',
    'EACCES',
    { ...account, groups: [998, 115] },
    barrier({ mode: 0o40750 }),
    `Run: sudo chmod g+rwxs ${folder} && ${acl}${restart}`,
  ],
  [
    'neither',
    'EACCES',
    account,
    barrier({ mode: 0o40755 }),
    `Run: sudo usermod -aG "$(sudo stat -c %G ${folder})" preavis && sudo chmod g+rwxs ${folder} && ${acl}${restart}`,
  ],
  [
    'a folder of root, whose group nobody joins',
    'EACCES',
    account,
    barrier({ uid: 0, gid: 0, mode: 0o40755 }),
    `Run: sudo chgrp asterisk ${folder} && sudo usermod -aG asterisk preavis && sudo chmod g+rwxs ${folder} && ${acl}${restart}`,
  ],
  [
    'the owner, without the right',
    'EACCES',
    account,
    barrier({ uid: 998, mode: 0o40500 }),
    `Run: sudo chmod u+rwx ${folder}${restart}`,
  ],
  [
    'the folder above it',
    'EACCES',
    account,
    barrier({ path: '/var/spool/asterisk', isSpool: false, mode: 0o40750 }),
    `Run: sudo usermod -aG "$(sudo stat -c %G /var/spool/asterisk)" preavis${restart}`,
  ],
  [
    'a folder of root above it',
    'EACCES',
    account,
    barrier({ path: '/root', isSpool: false, uid: 0, gid: 0, mode: 0o40700 }),
    undefined,
  ],
  ['nothing that is known', 'EACCES', account, undefined, undefined],
  ['another fault', 'ENOTDIR', account, undefined, undefined],
])('of a folder the command is told that mends: %s', (_, errno, who, what, hint) => {
  expect(mend(errno, folder, who, what)).toBe(hint);
});

test('a folder that is missing, or read-only for this process, is named with what to do', () => {
  expect(mend('ENOENT', folder, account, undefined)).toContain(
    `sudo install -d -o asterisk -g asterisk -m 2770 ${folder} && ${acl}`,
  );
  expect(mend('EROFS', folder, account, undefined)).toContain(`ReadWritePaths=${folder}`);
});

test('a name that a shell would obey is quoted', () => {
  expect(mend('EACCES', "/a b/'$(x)", { ...account, uid: 1 }, barrier({ path: "/a b/'$(x)", uid: 1 }))).toContain(
    `sudo chmod u+rwx '/a b/'\\''$(x)'`,
  );
});
