import { mkdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { noMachine, startDebianMachine, type DebianMachine } from '../../support/packaging/debianMachine.ts';
import {
  buildDebianPackage,
  earlierPackage,
  fieldOf,
  laterPackage,
  lintian,
  sqliteOf,
  unpackedEarlier,
} from '../../support/packaging/debianPackage.ts';
import { migrations } from '../../../src/catalogue/migrations.ts';
import { eventually } from '../../support/poll.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

/**
 * The Debian package, on a Debian machine with systemd and its own Asterisk: installed as an earlier version, used, upgraded during a call,
 * removed, purged. The tests follow each other.
 */

const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../../../package.json'), 'utf8')) as {
  version: string;
};
const earlier = '0.0.9';
/** Its catalogue has another form. */
const later = `${version}+later`;
/** Half a minute on a machine that does nothing else. */
const buildMs = 1_200_000;

/** As docs/install.md has it, and calls that need no telephone. */
const asterisk: Readonly<Record<string, string>> = {
  'http.conf': '[general]\nenabled = yes\nbindaddr = 127.0.0.1\nbindport = 8088\n',
  'ari.conf':
    '[general]\nenabled = yes\n\n[preavis]\ntype = user\nread_only = no\npassword_format = plain\npassword = CHANGE-ME\n',
  'extensions.conf': `[general]
[callers]
exten => short,1,Gosub(preavis,s,1(Local/5005@callers/n,30))
 same => n,Hangup()
exten => long,1,Gosub(preavis,s,1(Local/5600@callers/n,30,purpose=agreement))
 same => n,Hangup()
exten => _5XXX,1,Answer()
 same => n,Set(GLOBAL(TALKS)=$[0\${TALKS} + 1])
 same => n,Wait(\${EXTEN:1})

#include "preavis.conf"
`,
};

type Listed = { id: string; status: string; durationMs: number | null };
type Health = { version: string; status: string; calls: number };

const folder = temporaryFolder();
let file = '';
let earlierFile = '';
let laterFile = '';
let machine: DebianMachine | undefined;

(noMachine === undefined ? describe : describe.skip)(
  `the Debian package (${noMachine ?? 'on a machine of its own'})`,
  () => {
    beforeAll(async () => {
      mkdirSync(folder.path('shared'));
      file = await buildDebianPackage(folder.path('shared'));
      earlierFile = await earlierPackage(file, earlier, folder.path('shared'));
      laterFile = await laterPackage(file, later, folder.path('shared'));
      machine = await startDebianMachine(folder.path('shared'));
    }, buildMs);
    afterAll(async () => {
      await machine?.stop();
    });

    const debian = (): DebianMachine => {
      if (machine === undefined) throw new Error('There is no machine.');

      return machine;
    };
    const run = (script: string): Promise<string> => debian().run(script);
    const install = (which: string): Promise<string> =>
      // As apt-get does it for who has said that their files stay.
      run(`dpkg --force-confold -i /shared/${basename(which)}`);
    const asService = (command: string): string => `runuser -u preavis -- preavis ${command}`;
    const recordings = async (): Promise<Listed[]> =>
      (JSON.parse(await run(asService('recordings list --json'))) as { recordings: Listed[] }).recordings;
    const health = async (port = 8090): Promise<Health> => {
      const script = `fetch('http://127.0.0.1:${port}/health').then((r) => r.text()).then(console.log)`;

      return JSON.parse(await run(`node -e "${script}"`)) as Health;
    };
    const stateOf = async (unit: string): Promise<string> =>
      (await run(`systemctl is-enabled ${unit} || true; systemctl is-active ${unit} || true`)).trim();
    const asteriskSays = (command: string): Promise<string> => run(`asterisk -rx '${command}'`);
    const call = (extension: string): Promise<string> =>
      asteriskSays(`channel originate Local/${extension}@callers application Milliwatt`);
    const talks = async (): Promise<number> =>
      Number(/TALKS=(\d+)/.exec(await asteriskSays('dialplan show globals'))?.[1] ?? 0);

    test('has the version of the program and SQLite for the Node that built it, and lintian finds no fault in it', async () => {
      expect(await fieldOf(file, 'Version')).toBe(version);
      expect(await lintian(file)).toBe('');
      // Of this machine, which is another than Debian's.
      expect(await sqliteOf(unpackedEarlier(folder.path('shared')), process.execPath)).toMatch(/^3\.\d+\.\d+$/);
    });

    test('starts nothing when it is installed, and says what comes next', async () => {
      const said = await install(earlierFile);
      expect(said).toContain('installed, and not started');
      expect(await run('preavis --version')).toBe(`${earlier}\n`);
      for (const unit of ['preavis.service', 'preavis-upload.timer', 'preavis-retention.timer']) {
        expect({ unit, state: await stateOf(unit) }).toEqual({ unit, state: 'disabled\ninactive' });
      }
      const units = 'preavis.service preavis@a.service preavis-upload.timer preavis-retention.timer';
      await run(`systemd-analyze verify --man=no ${units}`);
    });

    test('keeps secrets and recordings from other users, and shares the recording folder with Asterisk', async () => {
      const modes = await run(
        'stat -c "%n %U:%G %a" /etc/preavis /etc/preavis/preavis.yaml /var/lib/preavis /var/spool/asterisk/recording',
      );
      expect(modes.trim().split('\n')).toEqual([
        '/etc/preavis root:preavis 750',
        '/etc/preavis/preavis.yaml root:preavis 640',
        '/var/lib/preavis preavis:preavis 700',
        '/var/spool/asterisk/recording asterisk:asterisk 2770',
      ]);
      expect(await run('id -nG preavis')).toBe('preavis asterisk\n');
      // What Asterisk writes there is for the group, whatever its umask.
      const made = 'runuser -u asterisk -- sh -c "umask 077; : > /var/spool/asterisk/recording/try"';
      await run(`${made}; runuser -u preavis -- rm /var/spool/asterisk/recording/try`);
    });

    test('records a call once it is configured as docs/install.md says', async () => {
      for (const [name, text] of Object.entries(asterisk)) {
        await run(`cat > /etc/asterisk/${name} <<'END'\n${text}END`);
      }
      await run('install -o root -g preavis -m 0640 /dev/stdin /etc/preavis/ari-password <<END\nCHANGE-ME\nEND');
      await run(
        "sed -i 's/graceSeconds: 60/graceSeconds: 1/; s/defaultLanguages: .fr, nl./defaultLanguages: [fr]/' /etc/preavis/preavis.yaml",
      );
      await run('preavis prompts install --to /usr/share/asterisk/sounds');
      await run('systemctl restart asterisk');
      const checked = await debian().try(asService('check'));
      expect(checked.said).not.toContain('WRONG');
      // 3: counsel has checked nothing.
      expect(checked.code).toBe(3);
      await run('systemctl enable --now preavis');
      await eventually(async () => {
        expect(await health()).toMatchObject({ status: 'ok', version: earlier });
      });
      await call('short');
      await eventually(async () => {
        expect(await recordings()).toMatchObject([{ status: expect.stringMatching(/recorded|archived/) as string }]);
      });
      await run(asService('upload'));
      expect(await recordings()).toMatchObject([{ status: 'archived' }]);
      // As it lies beside the recording.
      const receipt = await run('cat $(find /var/lib/preavis/archive -name "*.json" -type f)');
      expect(JSON.parse(receipt)).toMatchObject({ preavis: earlier, recording: { status: 'recorded' } });
    });

    // For evidence, nobody can refuse by a key that is not heard while Préavis is away: such a recording would be removed.
    test('keeps the talk, its recording and the configuration when it is upgraded during a call', async () => {
      const before = await talks();
      await call('long');
      await eventually(async () => (await talks()) > before && (await recordings()).length === 2);
      const settings = await run('sha256sum /etc/preavis/preavis.yaml');
      const upgradedAt = Date.now();
      const said = await install(file);
      expect(said).toContain('upgraded. If it runs it is restarted now');
      await eventually(async () => {
        expect(await health()).toMatchObject({ status: 'ok', version, calls: 1 });
      });
      expect(await run('preavis --version')).toBe(`${version}\n`);
      expect(await run('sha256sum /etc/preavis/preavis.yaml')).toBe(settings);
      expect(await run('stat -c "%U:%G %a" /etc/preavis/preavis.yaml')).toBe('root:preavis 640\n');
      expect(await stateOf('preavis.service')).toBe('enabled\nactive');
      // It is resumed: still the same recording, which ends with the call.
      expect(await recordings()).toMatchObject([{ status: 'recording' }, { status: 'archived' }]);
      const talkedMs = Date.now() - upgradedAt;
      await asteriskSays('channel request hangup all');
      await eventually(async () => {
        expect((await recordings())[0]?.status).toMatch(/recorded|archived/);
      });
      expect((await recordings())[0]?.durationMs).toBeGreaterThan(talkedMs);
    });

    test('makes the passes of both jobs by units of their own, too', async () => {
      await run('systemctl start preavis-upload.service preavis-retention.service');
      expect((await recordings()).map(({ status }) => status)).toEqual(['archived', 'archived']);
      await run('systemctl enable --now preavis-retention.timer');
      expect(await run('systemctl list-timers --all')).toContain('preavis-retention.timer');
    });

    const askedOfCatalogue = async (sql: string): Promise<unknown[]> => {
      const script = `const Database = require('/usr/lib/preavis/node_modules/better-sqlite3-13');
        console.log(JSON.stringify(new Database('/var/lib/preavis/catalogue.db').prepare(\`${sql}\`).all()))`;

      return JSON.parse(await run(`runuser -u preavis -- node <<'END'\n${script}\nEND`)) as unknown[];
    };
    const formOfCatalogue = (): Promise<unknown[]> => askedOfCatalogue('PRAGMA user_version');

    test('gives the catalogue its new form when it is upgraded during a call, and loses nothing', async () => {
      expect(await formOfCatalogue()).toEqual([{ user_version: migrations.length }]);
      const before = await recordings();
      const trail = await askedOfCatalogue('SELECT * FROM audit ORDER BY id');
      const talked = await talks();
      await call('long');
      await eventually(async () => (await talks()) > talked && (await recordings()).length === before.length + 1);
      await install(laterFile);
      await eventually(async () => {
        expect(await health()).toMatchObject({ status: 'ok', version: later, calls: 1 });
      });
      expect(await formOfCatalogue()).toEqual([{ user_version: migrations.length + 1 }]);
      const [current, ...others] = await recordings();
      expect(current).toMatchObject({ status: 'recording' });
      expect(others).toEqual(before);
      // The new form was made of all that there was, in the middle of the call.
      expect(await askedOfCatalogue('SELECT id, status FROM carried ORDER BY id DESC')).toEqual(
        [current, ...before].map((each) => ({ id: each?.id, status: each?.status })),
      );
      await asteriskSays('channel request hangup all');
      await eventually(async () => {
        expect((await recordings())[0]?.status).toMatch(/recorded|archived/);
      });
      await run(asService('upload'));
      expect((await recordings()).map(({ status }) => status)).toEqual(['archived', 'archived', 'archived']);
      expect((await askedOfCatalogue('SELECT * FROM audit ORDER BY id')).slice(0, trail.length)).toEqual(trail);
      // Its lines follow each other by their links.
      await run(asService('certificates verify'));
    });

    test('does not open a catalogue of a later version, says so, and goes on with that version', async () => {
      const before = await recordings();
      const sizes = 'sha256sum /var/lib/preavis/catalogue.db';
      await run('systemctl stop preavis');
      const was = await run(sizes);
      await debian().try(`dpkg --force-confold --force-downgrade -i /shared/${basename(file)}`);
      const refused = await debian().try(asService('recordings list'));
      expect(refused.code).toBe(1);
      expect(refused.said).toContain('catalogue_newer');
      expect(refused.said).toContain('Run that version or a later one; nothing was changed.');
      await run('systemctl start preavis || true');
      await eventually(async () => {
        expect(await run('journalctl -u preavis --no-pager')).toContain('catalogue_newer');
      });
      expect(await run(sizes)).toBe(was);
      // Without Préavis, callers are connected.
      const talked = await talks();
      await call('short');
      await eventually(async () => (await talks()) > talked);
      await asteriskSays('channel request hangup all');
      await install(laterFile);
      await eventually(async () => {
        expect(await health()).toMatchObject({ status: 'ok', version: later });
      });
      expect(await recordings()).toEqual(before);
    });

    const workers = { a: 8090, b: 8091 };
    const areWell = (): Promise<unknown> =>
      eventually(async () => {
        for (const port of Object.values(workers))
          expect(await health(port)).toMatchObject({ status: 'ok', version: later });
      });
    /** When its process began, by the clock of the machine, microseconds since it began. */
    const beganAt = async (unit: string): Promise<number> =>
      Number(await run(`systemctl show --value -p ExecMainStartTimestampMonotonic ${unit}`));

    test('runs two workers in the place of one serve, and restarts one after the other when it is upgraded', async () => {
      await run('systemctl disable --now preavis; systemctl enable --now preavis@a preavis@b');
      await areWell();
      await run("asterisk -rx 'dialplan reload'");
      const before = await recordings();
      await call('short');
      await eventually(async () => {
        const [newest, ...others] = await recordings();
        expect(others).toHaveLength(before.length);
        expect(newest?.status).toMatch(/recorded|archived/);
      });
      const began = [await beganAt('preavis@a'), await beganAt('preavis@b')];
      const since = (await run('date +%s')).trim();
      await install(laterFile);
      await areWell();
      const [a, b] = [await beganAt('preavis@a'), await beganAt('preavis@b')];
      expect([a > (began[0] ?? 0), b > (began[1] ?? 0), b > a]).toEqual([true, true, true]);
      // The second one was there until the first served.
      const said = await run(
        `journalctl -q -o short-monotonic -u preavis@a --since @${since} | grep '"msg":"serving"'`,
      );
      expect(b).toBeGreaterThan(1_000_000 * Number(/\[ *([\d.]+)\]/.exec(said)?.[1]));
    });

    // The write-ahead log of the catalogue is there only while it is open.
    const kept =
      'ls -I "*-shm" -I "*-wal" /var/lib/preavis; find /var/lib/preavis/archive -type f | wc -l; ls /etc/preavis';

    test('keeps everything when it is removed, and calls still reach who is called', async () => {
      const before = await run(kept);
      const said = await run('dpkg --remove preavis');
      expect(said).toContain('NOTHING ERASES RECORDINGS ANY MORE');
      expect(await run(kept)).toBe(before);
      expect((await debian().try('preavis --version')).code).not.toBe(0);
      expect(await run("systemctl list-units --plain --no-legend --state=active 'preavis*.service'")).toBe('');
      await asteriskSays('dialplan reload');
      const talked = await talks();
      await call('short');
      await eventually(async () => (await talks()) > talked);
      await asteriskSays('channel request hangup all');
    });

    test('keeps recordings, catalogue and keys when it is purged, and says where they are', async () => {
      const before = await run('ls /var/lib/preavis; find /var/lib/preavis/archive -type f | wc -l');
      const said = await run('dpkg --purge preavis');
      expect(said).toContain('/var/lib/preavis ');
      expect(said).toContain('rm -r /var/lib/preavis');
      // The dialplan is gone, and Asterisk would not start with an #include of it.
      expect(said).toContain('remove that line');
      expect(await run('ls /var/lib/preavis; find /var/lib/preavis/archive -type f | wc -l')).toBe(before);
      expect(await run('ls /etc/preavis')).toBe('ari-password\n');
      expect(await run('find /etc/systemd /usr/lib/systemd /var/lib/systemd -name "*preavis*"')).toBe('');
      expect((await debian().try('dpkg-query -W preavis')).code).toBe(1);
    });
  },
);
