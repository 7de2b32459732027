import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import {
  debianChangelog,
  debianVersion,
  jobs,
  jobService,
  manualPage,
  packagedConfiguration,
  packagedDialplan,
  packagedService,
  packagedWorker,
} from '../../../packaging/debian/forms.ts';
import { closureOf } from '../../../packaging/debian/licences.ts';

const root = join(import.meta.dirname, '..', '..', '..');
const textOf = (name: string): string => readFileSync(join(root, name), 'utf8');
const at = new Date('2026-11-30T07:00:00Z');
const maintainer = 'Ann Example <ann@example.com>';

test('a version before a release comes before it in Debian, too', () => {
  expect(['1.0.0', '1.0.0-rc.1', '1.0.0-rc-2.1'].map(debianVersion)).toEqual(['1.0.0', '1.0.0~rc.1', '1.0.0~rc.2.1']);
});

describe('the change log of Debian', () => {
  const markdown = `# Changelog

What changes.

## Unreleased

### Added

- A thing **counts** ([how](docs/a.md#b)) by \`key.of\`, and its line is so long that it does not fit into eighty characters.

## 1.1.0 - 2026-03-02

- Another
  thing.
`;

  test('has what is not released yet under the version that is packed, and earlier ones below it', () => {
    expect(debianChangelog(markdown, '1.2.0', at, maintainer)).toBe(`preavis (1.2.0) unstable; urgency=medium

  [ Added ]
  * A thing counts (how) by key.of, and its line is so long that it does not
    fit into eighty characters.

 -- Ann Example <ann@example.com>  Mon, 30 Nov 2026 07:00:00 +0000

preavis (1.1.0) unstable; urgency=medium

  * Another thing.

 -- Ann Example <ann@example.com>  Mon, 02 Mar 2026 00:00:00 +0000
`);
  });

  test('has one entry for a version that is released and has changed since', () => {
    const text = debianChangelog(markdown, '1.1.0', at, maintainer);
    expect(text.match(/^preavis /gm)).toHaveLength(1);
    expect(text).toContain('* Another thing.');
  });

  test('fits into eighty characters, as ours does', () => {
    const text = debianChangelog(textOf('CHANGELOG.md'), '0.1.0', at, maintainer);
    const long = text.split('\n').filter((line) => line.length > 80 && line.trim().includes(' '));
    expect(long).toEqual([]);
    expect(text).not.toMatch(/\]\(|^ {2}- /m);
  });
});

test('the configuration of the package is the one of the checkout, with the password of ARI in a file', () => {
  const shipped = textOf('config/preavis.yaml');
  const { ari, ...rest } = parse(shipped) as Record<string, object>;
  expect(parse(packagedConfiguration(shipped))).toEqual({
    ari: { ...ari, passwordFile: '/etc/preavis/ari-password' },
    ...rest,
  });
});

test('the dialplan of the package is the one of the checkout, included by the name that it has there', () => {
  const shipped = textOf('dialplan/preavis.conf');
  const statements = (text: string): string[] => text.split('\n').filter((line) => !line.startsWith(';'));
  expect(statements(packagedDialplan(shipped))).toEqual(statements(shipped));
  expect(packagedDialplan(shipped)).not.toContain('/opt/');
});

describe('the units of the package', () => {
  const shipped = textOf('config/preavis.service');
  const linesOf = (text: string): string[] => text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));

  test('serve is confined as the unit of the checkout; only places and the group differ', () => {
    const before = linesOf(shipped);
    const after = linesOf(packagedService(shipped));
    expect(after.filter((line) => !before.includes(line))).toEqual([
      'Documentation=man:preavis(1) file:///usr/share/doc/preavis/docs/operations/README.md',
      'ExecStart=/usr/bin/preavis serve',
      'ReadWritePaths=-/var/spool/asterisk/recording',
    ]);
    expect(before.filter((line) => !after.includes(line)).map((line) => line.split('=')[0])).toEqual([
      'Documentation',
      'ExecStart',
      'SupplementaryGroups',
      'ReadWritePaths',
    ]);
  });

  test('one of two workers is confined as the one serve is, in whose place it stands', () => {
    const serve = linesOf(packagedService(shipped));
    const worker = linesOf(packagedWorker(textOf('config/preavis@.service')));
    expect(worker.filter((line) => !serve.includes(line))).toEqual([
      'Description=Préavis, worker %i: tells callers, then records',
      'Conflicts=preavis.service',
      'Documentation=man:preavis(1) file:///usr/share/doc/preavis/docs/operations/workers.md',
      // Who changes from one worker to two stops the one before these two start.
      'After=network-online.target asterisk.service preavis.service',
      'Environment=PREAVIS_ARI_WORKER=%i',
    ]);
    expect(serve.filter((line) => !worker.includes(line)).map((line) => line.split('=')[0])).toEqual([
      'Description',
      'Documentation',
      'After',
    ]);
  });

  test.each(jobs)('the job $name is confined as serve is', (job) => {
    const serve = linesOf(packagedService(shipped));
    const confined = serve.slice(serve.indexOf('StateDirectory=preavis'), serve.indexOf('[Install]'));
    const unit = linesOf(jobService(shipped, job));
    expect(unit).toEqual(expect.arrayContaining([...confined, 'User=preavis', 'Group=preavis']));
    expect(unit).toContain(`ExecStart=/usr/bin/preavis ${job.arguments}`);
    expect(unit.some((line) => line.startsWith('Restart='))).toBe(false);
  });

  test('a unit of the checkout that has changed its form is refused, rather than packed without a line', () => {
    expect(() => packagedService(shipped.replace('ExecStart=', 'ExecStop='))).toThrow(
      'ExecStart= of config/preavis.service',
    );
  });
});

test('the manual page shows the help as it is', () => {
  expect(manualPage("Usage: preavis --json\n.dot\n'quote \\n", '1.2.0')).toContain(
    "Usage: preavis \\-\\-json\n\\&.dot\n\\&'quote \\en\n",
  );
});

test('a package goes with what it needs, from where Node finds it, but not with what only installs it', () => {
  const lock = {
    '': {},
    'node_modules/a': { dependencies: { b: '1', tool: '1' }, optionalDependencies: { missing: '1' } },
    'node_modules/a/node_modules/b': { dependencies: { c: '1' } },
    'node_modules/b': {},
    'node_modules/c': { dependencies: { a: '1' } },
    'node_modules/tool': {},
  };
  expect(closureOf(lock, ['a'], ['tool'])).toEqual([
    'node_modules/a',
    'node_modules/a/node_modules/b',
    'node_modules/c',
  ]);
});
