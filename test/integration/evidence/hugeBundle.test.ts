import { spawnSync } from 'node:child_process';
import { open as openFile } from 'node:fs/promises';
import { openSigner, pemOf } from '../../../src/core/crypto/signing.ts';
import { bundleFile, jsonText, sumsText, vconType } from '../../../src/evidence/bundle/format.ts';
import { sha256Of } from '../../../src/core/crypto/sha256.ts';
import { bundleStage, filesIn, resealed, type BundleFiles } from '../../support/evidence/bundles.ts';
import { catalogues } from '../../support/catalogue/catalogues.ts';
import { commandFile } from '../../support/command.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const open = catalogues();
const mebibyte = 1024 ** 2;
const gibibyte = 1024 ** 3;

/** An entry of the directory of a ZIP, and of the header before its bytes, where it has any. */
type Claimed = { name: string; size: number; at: number; method?: number; bytes?: Buffer };

const noBytes = Buffer.alloc(0);

function header({ name, size, method = 0 }: Claimed): Buffer {
  const head = Buffer.alloc(30);
  head.writeUInt32LE(0x04034b50, 0);
  head.writeUInt16LE(20, 4);
  head.writeUInt16LE(method, 8);
  head.writeUInt32LE(size, 18);
  head.writeUInt32LE(size, 22);
  head.writeUInt16LE(name.length, 26);

  return Buffer.concat([head, Buffer.from(name)]);
}

function directoryEntry({ name, size, at, method = 0 }: Claimed): Buffer {
  const head = Buffer.alloc(46);
  head.writeUInt32LE(0x02014b50, 0);
  head.writeUInt16LE(20, 6);
  head.writeUInt16LE(method, 10);
  head.writeUInt32LE(method === 0 ? size : 1_000, 20);
  head.writeUInt32LE(size, 24);
  head.writeUInt16LE(name.length, 28);
  head.writeUInt32LE(at, 42);

  return Buffer.concat([head, Buffer.from(name)]);
}

/** The end of a directory of any number of entries (ZIP64). */
function endOf(entries: number, bytes: number, at: number): Buffer {
  const [end, locator, old] = [Buffer.alloc(56), Buffer.alloc(20), Buffer.alloc(22)];
  end.writeUInt32LE(0x06064b50, 0);
  end.writeBigUInt64LE(44n, 4);
  end.writeUInt16LE(45, 14);
  for (const [place, value] of [
    [24, entries],
    [32, entries],
    [40, bytes],
    [48, at],
  ] as const) {
    end.writeBigUInt64LE(BigInt(value), place);
  }
  locator.writeUInt32LE(0x07064b50, 0);
  locator.writeBigUInt64LE(BigInt(at + bytes), 8);
  locator.writeUInt32LE(1, 16);
  old.writeUInt32LE(0x06054b50, 0);
  old.fill(0xff, 8, 20);

  return Buffer.concat([end, locator, old]);
}

let files = 0;

/** A ZIP of this size before its directory; what is not written takes no room on the disk. */
async function zipFile(bytes: number, claims: readonly Claimed[]): Promise<string> {
  const path = folder.path(`${(files += 1)}.zip`);
  const file = await openFile(path, 'w');
  await file.truncate(bytes);
  for (const claim of claims) {
    const { at, bytes: content } = claim;
    if (content !== undefined) await file.write(Buffer.concat([header(claim), content]), 0, undefined, at);
  }
  const directory = Buffer.concat(claims.map(directoryEntry));
  await file.write(Buffer.concat([directory, endOf(claims.length, directory.length, bytes)]), 0, undefined, bytes);
  await file.close();

  return path;
}

/** The command as people run it, with what it took. */
function verified(file: string): { code: number | null; said: string; seconds: number; mebibytes: number } {
  // Not the maximum of resourceUsage: that begins with what this process has.
  const peak = `/VmHWM:\\s+(\\d+)/.exec(require('fs').readFileSync('/proc/self/status'))[1]`;
  // Of a processor: how long it takes depends on what else the machine does.
  const spent = `(({ user, system }) => user + system)(process.cpuUsage())`;
  const atExit = `import { createRequire } from 'node:module'; const require = createRequire('/'); process.on('exit', () => process.stdout.write('\\nMICROS ' + ${spent} + ' KIB ' + ${peak}))`;
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', `data:text/javascript,${encodeURIComponent(atExit)}`, commandFile, 'evidence', 'verify', file],
    { encoding: 'utf8' },
  );

  return {
    code: status,
    said: stderr,
    seconds: Number(/MICROS (\d+)/.exec(stdout)?.[1]) / 1_000_000,
    mebibytes: Number(/KIB (\d+)/.exec(stdout)?.[1]) / 1_024,
  };
}

/** 50 files of 15 MiB, all in the same bytes, in a list that is signed rightly by somebody. */
async function overlapping(): Promise<string> {
  const signer = await openSigner(folder.path('key.pem'));
  const size = 15 * mebibyte;
  const zeros = Buffer.alloc(size);
  const names = Array.from({ length: 50 }, (_, index) => `${index}.bin`);
  const pem = Buffer.from(pemOf(signer.publicKey));
  const listed = [
    { name: bundleFile.publicKey, sha256: sha256Of(pem) },
    ...names.map((name) => ({ name, sha256: sha256Of(zeros) })),
  ];
  const sums = Buffer.from(sumsText(listed));
  const place = (name: string, bytes: Buffer, at: number): Claimed => ({ name, size: bytes.length, at, bytes });

  return zipFile(32 * mebibyte, [
    place(bundleFile.publicKey, pem, 0),
    // The header of the first is enough: the others name its place.
    ...names.map((name, index) => ({ name, size, at: mebibyte, ...(index === 0 ? { bytes: noBytes } : {}) })),
    place(bundleFile.sums, sums, 20 * mebibyte),
    place(bundleFile.signature, Buffer.from(signer.signBytes(sums)), 30 * mebibyte),
  ]);
}

/** A bundle that fits but for its vCon, which is this text; all is signed by somebody. */
async function signedVcon(text: string, more: BundleFiles = new Map()): Promise<string> {
  const files = new Map([...(await filesIn(whole)), ...more]);
  const stranger = await openSigner(folder.path('stranger.pem'));
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const head = part({ alg: 'EdDSA', typ: vconType, kid: stranger.kid, jwk: stranger.publicKey });
  const payload = Buffer.from(text).toString('base64url');
  const signature = stranger.signBytes(Buffer.from(`${head}.${payload}`)).toString('base64url');
  files.set(bundleFile.vcon, Buffer.from(text));
  files.set(
    bundleFile.signedVcon,
    jsonText({ payload, signatures: [{ header: { uuid: 'x' }, protected: head, signature }] }),
  );
  const file = folder.path(`vcon-${(vcons += 1)}.zip`);
  await resealed(file, files, stranger);

  return file;
}
let vcons = 0;
let whole: string;

beforeAll(async () => {
  whole = folder.path('whole.zip');
  const stage = await bundleStage(folder.path('stage'), open);
  await stage.bundle((await stage.archived()).id, whole);
});

/** Files that nothing parses, as large as they may be together with the vCon. */
const padding = (): BundleFiles =>
  new Map(['a', 'b', 'c'].map((name) => [`${name}.bin`, Buffer.alloc(16 * mebibyte - 1)]));

test.each<[string, string, string, BundleFiles]>([
  ['deep', '['.repeat(200_000) + ']'.repeat(200_000), 'vcon.json has more in it than it ever has', new Map()],
  ['wide', `[${'[],'.repeat(1_000_000)}[]]`, 'vcon.json has more in it than it ever has', new Map()],
  ['large', `["${'x'.repeat(12 * mebibyte)}"]`, 'vcon.json is larger than it ever is', new Map()],
  [
    'as large and wide as it may be',
    `[${'["",{}],'.repeat(49_900)}"${'x'.repeat(2.4 * mebibyte)}"]`,
    'vCon',
    padding(),
  ],
])(
  'a vCon that is %s and signed by a stranger is refused in little time and memory',
  async (_, text, message, more) => {
    const { code, said, seconds, mebibytes } = verified(await signedVcon(text, more));
    expect(said).toMatch(/^preavis: evidence_invalid: .*\n {2}Do not rely on it/);
    expect(said).toContain(message);
    expect(code).toBe(1);
    expect(seconds).toBeLessThan(10);
    expect(mebibytes).toBeLessThan(350);
  },
);

const many = (count: number, size: number, step: number): Claimed[] =>
  Array.from({ length: count }, (_, index) => ({ name: `${index}.bin`, size, at: index * step }));

test.each<[string, () => Promise<string>, string]>([
  ['a file of five gibibytes', () => zipFile(5 * gibibyte, []), 'it is larger than 4 GiB'],
  [
    'a gibibyte that is no bundle',
    () => zipFile(gibibyte, [{ name: 'recording.wav', size: gibibyte - 100, at: 0 }]),
    'SHA256SUMS is not in it',
  ],
  ['a hundred thousand files', () => zipFile(1_000, many(100_000, 0, 0)), 'it has more than 500 files'],
  [
    'files that unpack to terabytes',
    () =>
      zipFile(
        1_000,
        many(400, 4_000_000_000, 0).map((each) => ({ ...each, method: 8 })),
      ),
    'a file in it is compressed',
  ],
  [
    'files that claim what is not there',
    () => zipFile(1_000, [{ name: 'recording.wav', size: gibibyte, at: 0 }]),
    'its files claim more bytes than it has',
  ],
  ['files in the same bytes', overlapping, 'its files claim more bytes than it has'],
  [
    'a hundred small files that are large together',
    () => zipFile(100 * mebibyte, many(100, mebibyte - 100, mebibyte)),
    'larger than they ever are (64 MiB)',
  ],
])('%s are refused by what the directory says, in little time and memory', async (_, make, message) => {
  const { code, said, seconds, mebibytes } = verified(await make());
  expect(said).toMatch(/^preavis: evidence_invalid: .*\n {2}Do not rely on it/);
  expect(said).toContain(message);
  expect(code).toBe(1);
  expect(seconds).toBeLessThan(10);
  expect(mebibytes).toBeLessThan(200);
});
