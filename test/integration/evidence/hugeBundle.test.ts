import { spawnSync } from 'node:child_process';
import { open } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { openSigner, pemOf } from '../../../src/core/signing.ts';
import { bundleFile, sumsText } from '../../../src/evidence/bundleForm.ts';
import { sha256Of } from '../../../src/core/sha256.ts';
import { built } from '../../support/built.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

const folder = temporaryFolder();
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
  const file = await open(path, 'w');
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
  const atExit = `process.on('exit', () => process.stdout.write('\\nKIB ' + process.resourceUsage().maxRSS))`;
  const began = performance.now();
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [
      '--import',
      `data:text/javascript,${encodeURIComponent(atExit)}`,
      fileURLToPath(built('main.js')),
      'evidence',
      'verify',
      file,
    ],
    { encoding: 'utf8' },
  );

  return {
    code: status,
    said: stderr,
    seconds: (performance.now() - began) / 1_000,
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
