import { execFile } from 'node:child_process';
import { mkdir, readFile, readdir, stat, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { Command } from 'commander';
import { addSwitches, makeRun } from '../../../../src/cli/arguments/commandLine.ts';
import { addEvidence } from '../../../../src/cli/arguments/evidence.ts';
import { systemClock } from '../../../../src/core/clock.ts';
import { openSigner } from '../../../../src/core/crypto/signing.ts';
import { bundleFile, jsonText } from '../../../../src/evidence/bundle/format.ts';
import type { Vcon } from '../../../../src/evidence/bundle/vcon.ts';
import { bundleStage, filesIn, forged, jsonIn, type BundleStage } from '../../../support/evidence/bundles.ts';
import { catalogues } from '../../../support/catalogue/catalogues.ts';
import { runCommand } from '../../../support/command.ts';
import { configTree } from '../../../support/call/calls.ts';
import { startTimestampAuthority } from '../../../support/evidence/timestampAuthority.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';

const run = promisify(execFile);
const folder = temporaryFolder();
const open = catalogues();
let stages = 0;
let at: string;
let config: string;
let stage: BundleStage;
let id: string;

beforeEach(async () => {
  at = folder.path(`${(stages += 1)}`);
  stage = await bundleStage(at, open);
  // Commands go by the clock of this machine.
  ({ id } = await stage.archived(undefined, { keepDays: 10_000 }));
  await mkdir(`${at}/out`);
  config = `${at}/preavis.yaml`;
  const tree = {
    ...configTree(),
    notice: { soundsFolder: stage.soundsFolder },
    recording: { spoolFolder: stage.set.spoolFolder, minimumFreeMib: 0 },
    catalogue: { file: `${at}/catalogue.db` },
    archive: { directory: { folder: `${at}/archive` } },
    controller: { name: 'Example SA' },
  };
  await writeFile(config, JSON.stringify(tree), { mode: 0o600 });
});

/** The commands as main.ts adds them, in this process: what they print. Throws what main.ts would explain. */
async function preavis(args: readonly string[], configFile = config, code = 0): Promise<string> {
  const printed: string[] = [];
  const context = {
    configFile,
    environment: {},
    clock: systemClock,
    print: (text: string) => {
      printed.push(`${text}\n`);
    },
  };
  const codes: number[] = [];
  const root = new Command('preavis').exitOverride();
  const done = (exitCode: number): void => {
    codes.push(exitCode);
  };
  addSwitches(root);
  addEvidence(
    root,
    makeRun(() => context, { firstLine: () => Promise.resolve(''), version: '1.2.3' }, done),
  );
  await root.parseAsync(['evidence', ...args], { from: 'user' });
  expect(codes).toEqual([code]);

  return printed.join('');
}

const bundleArguments = (): string[] => ['bundle', id, '--purpose', 'training', '-o', `${at}/out/b.zip`];
const bundle = (...more: string[]) => preavis([...bundleArguments(), ...more]);
/** As on another machine: there is no configuration. */
const verify = (...more: string[]) => preavis(['verify', `${at}/out/b.zip`, ...more], `${at}/nowhere.yaml`);
/** The same, by who names no key. */
const verifyUntrusting = (...more: string[]) =>
  preavis(['verify', `${at}/out/b.zip`, ...more], `${at}/nowhere.yaml`, 3);

describe('preavis evidence', () => {
  test('bundle makes a file for its owner, which verify takes with no configuration at hand', async () => {
    const made = await runCommand(['--config', config, 'evidence', ...bundleArguments(), '--json']);
    expect(made).toMatchObject({ code: 0, stderr: '' });
    expect((await stat(`${at}/out/b.zip`)).mode & 0o777).toBe(0o600);
    const page = (await filesIn(`${at}/out/b.zip`)).get('explanation.nl.html')?.toString();
    expect(page).toContain('<strong>naam</strong> (<code>training</code>), in de woorden van het bedrijf: to learn.');
    const { kid } = await openSigner(stage.keyFile);
    expect(JSON.parse(made.stdout)).toMatchObject({
      id,
      purpose: 'training',
      kid,
      timeStamp: false,
      noticeMissing: [],
    });
    const checked = await runCommand(['evidence', 'verify', `${at}/out/b.zip`, '--json', '--key', kid]);
    expect(checked).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(checked.stdout)).toMatchObject({
      ok: true,
      recording: { id, gapMs: 16_980 },
      key: { kid, trusted: true },
      madeBy: expect.stringMatching(/^preavis \d+\.\d+\.\d+$/) as string,
      audit: { unchained: 0 },
    });
  });

  test('verify without a key ends with code 3: nothing ties the key to the company', async () => {
    await bundle();
    const { kid } = await openSigner(stage.keyFile);
    const stdout = await verifyUntrusting();
    expect(stdout).toContain('OK     every byte is as it was signed');
    expect(stdout).toMatch(new RegExp(`NOTE   nothing ties the key to the company.+the kid ${kid}`));
    expect(stdout).not.toMatch(/^OK .*(key|kid)/m);
    expect(JSON.parse(await verifyUntrusting('--json'))).toMatchObject({ ok: false, key: { kid, trusted: false } });
    expect((await runCommand(['evidence', 'verify', `${at}/out/b.zip`])).code).toBe(3);
  });

  test('verify says OK of nothing that the receipt does not state', async () => {
    await bundle();
    const signer = await openSigner(stage.keyFile);
    const files = await filesIn(`${at}/out/b.zip`);
    const receipt = jsonIn(files, bundleFile.receipt);
    Object.assign(receipt['recording'] ?? {}, { startedAt: null, finishedAt: null, gapMs: null, durationMs: null });
    Object.assign(receipt['consent'] ?? {}, { mode: null });
    Object.assign(receipt, { witness: null });
    const text = jsonText(receipt);
    const vcon = jsonIn(files, bundleFile.vcon) as Vcon;
    Object.assign(vcon.attachments[0] ?? {}, { body: text.toString() });
    files.set(bundleFile.receipt, text).set(bundleFile.vcon, jsonText(vcon));
    await forged(`${at}/out/b.zip`, files, signer);
    const stdout = await verify('--key', signer.kid);
    for (const what of ['when the recording began', 'gapMs', 'when the recording ended', 'consent', 'second witness']) {
      expect(stdout).toMatch(new RegExp(`^NOTE   not stated: .*${what}`, 'm'));
    }
    expect(stdout).not.toMatch(/^OK .*(began|null|consent|witness)/m);
    expect(JSON.parse(await verify('--key', signer.kid, '--json'))).toMatchObject({
      ok: true,
      recording: { gapMs: null },
      notStated: expect.arrayContaining(['when the recording ended']) as string[],
    });
  });

  test('verify ends with code 1 and what does not fit', async () => {
    await bundle();
    const bytes = await readFile(`${at}/out/b.zip`);
    await writeFile(`${at}/out/b.zip`, Buffer.from(bytes.toString('latin1').replace('RIFF', 'RIFX'), 'latin1'));
    const { code, stdout, stderr } = await runCommand(['evidence', 'verify', `${at}/out/b.zip`]);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^preavis: evidence_invalid: recording\.wav was changed\n/);
  });

  test('verify trusts a key in PEM as well, and no other', async () => {
    await bundle();
    const { kid, pem, jwk } = JSON.parse(await preavis(['key', '--json'])) as {
      kid: string;
      pem: string;
      jwk: { x: string };
    };
    expect(jwk).toMatchObject({ kty: 'OKP', crv: 'Ed25519', kid });
    await writeFile(`${at}/ours.pem`, pem);
    expect(await verify('--public-key', `${at}/ours.pem`)).toContain('signed with the key that you named');
    const stranger = await openSigner(`${at}/stranger.pem`);
    await expect(verify('--key', stranger.kid)).rejects.toMatchObject({ code: 'evidence_invalid' });
    await expect(verify('--public-key', `${at}/out/b.zip`)).rejects.toMatchObject({ code: 'usage' });
    // One kid in 64 begins so.
    await expect(verify('--key', '-abc')).rejects.toMatchObject({ code: 'evidence_invalid' });
    const both = ['--public-key', `${at}/ours.pem`, '--key', kid];
    await expect(verify(...both)).rejects.toMatchObject({ code: 'usage' });
  });

  test('bundle without a purpose is for the one that the recording has', async () => {
    expect(await preavis(['bundle', id, '-o', `${at}/out/b.zip`])).toContain('\nfor training, until 20');
    const unknown = preavis(['bundle', '01K00000000000000000000000', '-o', `${at}/out/c.zip`]);
    await expect(unknown).rejects.toMatchObject({ code: 'recording_unknown' });
  });

  test('key prints what is to be published, and nothing of what is secret', async () => {
    const stdout = await preavis(['key']);
    const { kid } = await openSigner(stage.keyFile);
    expect(stdout).toMatch(/^-----BEGIN PUBLIC KEY-----\n[\w+/=]+\n-----END PUBLIC KEY-----\nkid .+\njwk \{.+\}\n$/);
    expect(stdout).toContain(`kid ${kid}`);
    expect(stdout).not.toMatch(/PRIVATE|"d"/);
  });

  /** Its catalogue and key lie in a folder of their own. */
  async function mounted(archive: string): Promise<string> {
    await mkdir(`${at}/mount`);
    const tree = JSON.parse(await readFile(config, 'utf8')) as Record<string, unknown>;
    const changed = { catalogue: { file: `${at}/mount/catalogue.db` }, archive: { directory: { folder: archive } } };
    await writeFile(`${at}/mounted.yaml`, JSON.stringify({ ...tree, ...changed }), { mode: 0o600 });

    return `${at}/mounted.yaml`;
  }

  test('key makes none where the folder of the catalogue is not mounted, as the archive tells', async () => {
    const file = await mounted(`${at}/archive`);
    for (const more of [[], ['--json']]) {
      await expect(preavis(['key', ...more], file)).rejects.toMatchObject({
        code: 'signing_key_unusable',
        message: expect.stringContaining('no new key was made') as string,
      });
    }
    expect(await readdir(`${at}/mount`)).toEqual([]);
  });

  test('key makes one before anything was recorded, and says that it is new, once', async () => {
    const file = await mounted(`${at}/another`);
    // As long as the archive does not tell, there may have been a key.
    await expect(preavis(['key'], file)).rejects.toMatchObject({ code: 'archive_bucket_missing' });
    expect(await readdir(`${at}/mount`)).toEqual([]);
    await mkdir(`${at}/another`);
    const made = await preavis(['key'], file);
    expect(made).toContain('\nnew: this key was made now, and has signed nothing yet');
    const again = await preavis(['key'], file);
    expect(made.startsWith(again.trimEnd())).toBe(true);
    expect(again).not.toContain('new:');
    expect(JSON.parse(await preavis(['key', '--json'], file))).toMatchObject({ new: false });
  });

  test.each<[string, string[], string]>([
    ['a purpose that is none', ['--purpose', 'A b'], 'usage'],
    ['a purpose of other recordings', ['--purpose', 'agreement'], 'purpose_foreign'],
    ['an authority that is no web address', ['--timestamp', 'ftp://a/b'], 'usage'],
    ['an authority that does not answer', ['--timestamp', 'http://127.0.0.1:9/tsr'], 'timestamp_failed'],
  ])('bundle refuses %s and makes nothing', async (_name, more, code) => {
    await expect(bundle(...more)).rejects.toMatchObject({ code });
    expect(await readdir(`${at}/out`)).toEqual([]);
  });

  test('bundle says of a time stamp only what was looked at', async () => {
    const authority = await startTimestampAuthority(`${at}/authority`);
    try {
      const tree = JSON.parse(await readFile(config, 'utf8')) as Record<string, unknown>;
      const stampedBy = async (evidence: Record<string, unknown>, file: string): Promise<string> => {
        await writeFile(config, JSON.stringify({ ...tree, evidence: { timestampUrl: authority.url, ...evidence } }));

        return preavis(['bundle', id, '-o', `${at}/out/${file}`]);
      };
      expect(await stampedBy({}, 'c.zip')).toContain('(timestamp.tsr); whose it is was not looked at');
      const named = { timestampAuthorityFile: authority.caFile };
      expect(await stampedBy(named, 'd.zip')).toContain('stamped by the authority of evidence.timestampAuthorityFile');
    } finally {
      await authority.stop();
    }
  });

  test('bundle has it stamped by the authority of the configuration', async () => {
    const tree = JSON.parse(await readFile(config, 'utf8')) as Record<string, unknown>;
    await writeFile(config, JSON.stringify({ ...tree, evidence: { timestampUrl: 'http://127.0.0.1:9/tsr' } }));
    await expect(bundle()).rejects.toMatchObject({ code: 'timestamp_failed' });
  });

  test('verify with an authority ends with code 3 where nobody stamped it, and refuses a file that is none', async () => {
    await bundle();
    const { kid } = await openSigner(stage.keyFile);
    const named = ['verify', `${at}/out/b.zip`, '--key', kid, '--authority', stage.keyFile];
    expect(await preavis(named, `${at}/nowhere.yaml`, 3)).toContain('NOTE   there is no time stamp');
    expect(JSON.parse(await preavis([...named, '--json'], `${at}/nowhere.yaml`, 3))).toMatchObject({
      ok: false,
      key: { trusted: true },
      timeStamp: null,
    });
    await expect(verify('--authority', `${at}/gone.pem`)).rejects.toMatchObject({ code: 'usage' });
  });

  test('verify refuses what is no file', async () => {
    await expect(verify()).rejects.toMatchObject({ code: 'usage', message: 'the bundle cannot be read (ENOENT)' });
    await expect(preavis(['verify', at])).rejects.toMatchObject({ code: 'usage' });
  });
});

describe('a bundle is checked by programs that everybody has:', () => {
  const unpacked = async (): Promise<string> => {
    await bundle();
    await installed('unzip', ['-v']);
    await run('unzip', ['-q', `${at}/out/b.zip`, '-d', `${at}/unpacked`]);

    return `${at}/unpacked`;
  };

  test('unzip and Python find it whole', async () => {
    await unpacked();
    await expect(run('unzip', ['-t', `${at}/out/b.zip`])).resolves.toMatchObject({
      stdout: expect.stringContaining('No errors detected') as string,
    });
    await installed('python3', ['--version']);
    await expect(run('python3', ['-m', 'zipfile', '-t', `${at}/out/b.zip`])).resolves.toBeDefined();
  });

  test('sha256sum finds every file as it is listed, and one that was changed', async () => {
    const cwd = await unpacked();
    const { stdout } = await run('sha256sum', ['--strict', '-c', 'SHA256SUMS'], { cwd });
    expect(stdout.trim().split('\n')).toHaveLength(16);
    await writeFile(`${cwd}/receipt.json`, '{}');
    await expect(run('sha256sum', ['-c', 'SHA256SUMS'], { cwd })).rejects.toMatchObject({ code: 1 });
  });

  test('openssl finds that the key has signed the list, and not another list', async () => {
    const cwd = await unpacked();
    await installed('openssl', ['version']);
    const command = ['pkeyutl', '-verify', '-rawin', '-pubin', '-inkey', 'public-key.pem'];
    const files = ['-in', 'SHA256SUMS', '-sigfile', 'signature.bin'];
    const { stdout } = await run('openssl', [...command, ...files], { cwd });
    expect(stdout).toContain('Signature Verified Successfully');
    await writeFile(`${cwd}/SHA256SUMS`, 'nothing\n');
    await expect(run('openssl', [...command, ...files], { cwd })).rejects.toMatchObject({ code: 1 });
  });
});

async function installed(program: string, args: string[]): Promise<void> {
  await run(program, args).catch((cause: unknown) => {
    throw new Error(`${program} is missing: apt-get install ${program}`, { cause });
  });
}
