import { writeSync } from 'node:fs';
import { open as openFile, readFile, writeFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import fc from 'fast-check';
import { ZipFile } from 'yazl';
import { openSigner, pemOf, type Signer } from '../../../../src/core/crypto/signing.ts';
import { bundleFile, jsonText, sumsText } from '../../../../src/evidence/bundle/format.ts';
import { sha256Of } from '../../../../src/core/crypto/sha256.ts';
import { hashInTrail, type AuditExtract } from '../../../../src/evidence/bundle/auditExtract.ts';
import { sha512Of, signVcon, type Vcon } from '../../../../src/evidence/bundle/vcon.ts';
import { filePart, zipOf } from '../../../../src/core/zip.ts';
import { notStated, verifyBundle } from '../../../../src/evidence/bundle/verify.ts';
import {
  bundleStage,
  filesIn,
  jsonIn,
  resealed,
  verifyFile,
  writeZip,
  type BundleFiles,
  type BundleStage,
} from '../../../support/evidence/bundles.ts';
import { catalogues } from '../../../support/catalogue/catalogues.ts';
import { toneWav } from '../../../support/policy/promptFolder.ts';
import { tried } from '../../../support/properties.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const open = catalogues();
let at: string;
let stage: BundleStage;
/** A bundle that fits. No test writes to it. */
let whole: string;
/** What a test makes of it. */
let other: string;

beforeAll(async () => {
  at = folder.path('stage');
  stage = await bundleStage(at, open);
  whole = `${at}/whole.zip`;
  other = `${at}/other.zip`;
  const { id } = await stage.archived();
  await stage.bundle(id, whole);
});

const invalid = (what: string | RegExp) =>
  expect.objectContaining({ code: 'evidence_invalid', message: expect.stringMatching(what) as string }) as unknown;

describe('a bundle of which something was changed', () => {
  test('is found at every single byte', async () => {
    const files = await filesIn(whole);
    // The explanations are texts, nearly half of all bytes, that nothing but the list of hashes knows: short ones do.
    for (const name of files.keys()) if (name.endsWith('.html')) files.set(name, Buffer.from(`${name}\n`));
    await resealed(other, files, stage.ports.signer);
    const bytes = await readFile(other);
    expect(bytes.length).toBeLessThan(30_000);
    const handle = await openFile(other, 'r+');
    const unseen: number[] = [];
    const never = new AbortController().signal;
    try {
      for (let place = 0; place < bytes.length; place += 1) {
        writeSync(handle.fd, Buffer.from([(bytes[place] ?? 0) ^ (1 << (place % 8))]), 0, 1, place);
        const code = await verifyBundle(handle, { kid: undefined, signal: never }).then(
          () => 'fits',
          (thrown: unknown) => (thrown as { code?: string }).code,
        );
        if (code !== 'evidence_invalid') unseen.push(place);
        writeSync(handle.fd, bytes, place, 1, place);
      }
    } finally {
      await handle.close();
    }
    expect(unseen).toEqual([]);
    await expect(verifyFile(other)).resolves.toBeDefined();
  }, 400_000);

  test('is found at a thousand random bytes of every file and of the ZIP between them', async () => {
    const bytes = await readFile(whole);
    const regions = regionsOf(bytes);
    expect(regions.length).toBeGreaterThan(2 * (await filesIn(whole)).size);
    const { seed = 1 } = tried(1_000);
    const draws = fc.sample(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), { numRuns: 1_000, seed });
    await writeFile(other, bytes);
    const changing = await openFile(other, 'r+');
    const unseen: number[] = [];
    try {
      for (const [index, [draw, difference]] of draws.entries()) {
        const { from, to } = regions[index % regions.length] ?? { from: 0, to: bytes.length };
        const place = from + (draw % (to - from));
        writeSync(changing.fd, Buffer.from([(bytes[place] ?? 0) ^ difference]), 0, 1, place);
        const found = await verifyBundle(changing, { kid: undefined, signal: new AbortController().signal }).then(
          () => false,
          (thrown: unknown) => (thrown as { code?: string }).code === 'evidence_invalid',
        );
        if (!found) unseen.push(place);
        writeSync(changing.fd, bytes, place, 1, place);
      }
    } finally {
      await changing.close();
    }
    expect(unseen).toEqual([]);
  });

  test('is found when it ends too early, or something stands behind or before it', async () => {
    const bytes = await readFile(whole);
    for (const changed of [
      bytes.subarray(0, -1),
      bytes.subarray(0, bytes.length / 2),
      Buffer.concat([bytes, Buffer.from([0])]),
      Buffer.concat([Buffer.from([0]), bytes]),
      Buffer.alloc(0),
      Buffer.from('no ZIP at all'),
    ]) {
      await writeFile(other, changed);
      await expect(verifyFile(other)).rejects.toEqual(invalid('ZIP'));
    }
  });

  test('names the file that was taken out', async () => {
    for (const name of (await filesIn(whole)).keys()) {
      const files = await filesIn(whole);
      files.delete(name);
      await writeZip(other, files);
      await expect(verifyFile(other)).rejects.toEqual(invalid(name.replaceAll('.', '\\.')));
    }
  });

  test('names the file that was changed', async () => {
    const files = await filesIn(whole);
    files.set(bundleFile.recording, toneWav(441, 20));
    await writeZip(other, files);
    await expect(verifyFile(other)).rejects.toEqual(invalid('recording.wav was changed'));
  });

  test('is found when the list fits again, without the key', async () => {
    const files = await filesIn(whole);
    files.set(bundleFile.policy, Buffer.from('{}'));
    const names = [...files.keys()].filter((name) => !['SHA256SUMS', 'signature.bin'].includes(name));
    const sums = sumsText(names.map((name) => ({ name, sha256: sha256Of(files.get(name) ?? Buffer.alloc(0)) })));
    files.set(bundleFile.sums, Buffer.from(sums));
    await writeZip(other, files);
    await expect(verifyFile(other)).rejects.toEqual(invalid('signature.bin does not fit SHA256SUMS'));
  });

  test('is found when a file was added, or two have changed places', async () => {
    const files = await filesIn(whole);
    await writeZip(other, [...files, ['more.txt', Buffer.from('more')]]);
    await expect(verifyFile(other)).rejects.toEqual(invalid('a file in it that is not in SHA256SUMS'));
    const [first, second, ...rest] = files;
    if (first === undefined || second === undefined) throw new Error('too few files');
    await writeZip(other, [second, first, ...rest]);
    await expect(verifyFile(other)).rejects.toEqual(invalid('not in their order'));
    await writeZip(other, [...files, first]);
    await expect(verifyFile(other)).rejects.toEqual(invalid('not a ZIP file as Préavis makes them'));
  });

  test('is found when its files are whole and a program has packed them anew', async () => {
    const entries = await filesIn(whole);
    const names = [...entries.keys()];
    const zip = new ZipFile();
    for (const name of names) zip.addBuffer(entries.get(name) ?? Buffer.alloc(0), name, { compress: false });
    zip.end();
    await writeFile(other, await buffer(zip.outputStream));
    await expect(verifyFile(other)).rejects.toEqual(invalid('beside the files themselves'));
  });
});

describe('the key of a bundle', () => {
  test('is the one that is trusted, or it does not fit', async () => {
    const { kid } = stage.ports.signer;
    await expect(verifyFile(whole, kid)).resolves.toMatchObject({ kid });
    const stranger = await openSigner(`${at}/stranger.pem`);
    await expect(verifyFile(whole, stranger.kid)).rejects.toEqual(invalid('signed with another key'));
    await resealed(other, await filesIn(whole), stranger);
    await expect(verifyFile(other, kid)).rejects.toEqual(invalid('signed with another key'));
  });

  test('stands alone in its file: programs differ in which of two they take', async () => {
    const files = await filesIn(whole);
    const stranger = await openSigner(`${at}/stranger.pem`);
    for (const more of [pemOf(stranger.publicKey), ' ']) {
      const pem = Buffer.from(pemOf(stage.ports.signer.publicKey) + more);
      await resealed(other, files, stage.ports.signer, {}, pem);
      await expect(verifyFile(other)).rejects.toEqual(invalid('public-key.pem is not written as we write it'));
    }
  });

  test('is the same in all its signatures', async () => {
    const stranger = await openSigner(`${at}/stranger.pem`);
    const files = await filesIn(whole);
    // The vCon keeps the signature of the first key.
    await resealed(other, files, stranger);
    await expect(verifyFile(other)).rejects.toEqual(invalid('the vCon is signed with another key'));
    const mixed: Signer = { ...stage.ports.signer, sign: (payload, typ) => stranger.sign(payload, typ) };
    await resealed(other, files, mixed);
    await expect(verifyFile(other)).rejects.toEqual(invalid('signatures are of different keys'));
  });
});

/** The receipt with one of its parts changed, as JSON text. */
function receiptWith(files: BundleFiles, change: (receipt: Receipt) => void): Buffer {
  const receipt = jsonIn(files, bundleFile.receipt) as Receipt;
  change(receipt);

  return jsonText(receipt);
}
type Receipt = {
  recording: { startedAt: string; gapMs: number; id: string; flags: string[] };
  notice: { verified: boolean; verdict: string; sha256: string; finishedAt: string }[];
  consent: { answer: string };
};

describe('a bundle that is signed rightly and says something that does not fit', () => {
  const receipts: [string, string, (receipt: Receipt) => void][] = [
    ['a recording that began before the notice had ended', 'began before', ({ recording }) => (recording.gapMs = -1)],
    [
      'a sentence that ended after the recording had begun',
      'ended after the recording',
      ({ recording, notice }) => {
        const late = new Date(Date.parse(recording.startedAt) + 1).toISOString();
        for (const each of notice) each.finishedAt = late;
      },
    ],
    [
      'a sentence that was not heard whole',
      'sentence 2 of the notice was not heard whole',
      ({ notice }) => Object.assign(notice[1] ?? {}, { verified: false, verdict: 'notice_cut_short' }),
    ],
    ['no sentence', 'no sentence of the notice', (receipt) => (receipt.notice = [])],
    ['a caller who refused', 'refused', ({ consent }) => (consent.answer = 'refused')],
    ['another recording', 'of another recording', ({ recording }) => (recording.id = '0'.repeat(26))],
    [
      'another sound',
      'the sound of sentence 1',
      ({ notice }) => Object.assign(notice[0] ?? {}, { sha256: '0'.repeat(64) }),
    ],
  ];
  test.each(receipts)('is found: the receipt of %s', async (_name, what, change) => {
    const files = await filesIn(whole);
    files.set(bundleFile.receipt, receiptWith(files, change));
    await resealed(other, files, stage.ports.signer);
    await expect(verifyFile(other)).rejects.toEqual(invalid(what));
  });

  test('is told: a refusal may be missing, since no key was heard for a while', async () => {
    const files = await filesIn(whole);
    await withReceipt(files, ({ recording }) => recording.flags.push('keys_unheard'));
    await resealed(other, files, stage.ports.signer);
    const unheard = 'whether the caller refused while no key was heard';
    expect(notStated(await verifyFile(other))).toContain(unheard);
    expect(notStated(await verifyFile(whole))).not.toContain(unheard);
  });

  const changes: [string, string, (files: BundleFiles) => void][] = [
    [
      'the WAV of another call',
      'not the recording of the receipt',
      (files) => files.set(bundleFile.recording, toneWav(441, 20)),
    ],
    [
      'another sound for a sentence',
      'the sound of sentence 1',
      (files) => files.set('notice/1-sentence-1-fr.wav', toneWav(441, 10)),
    ],
    [
      'a sound more',
      'a sound of a sentence that the receipt does not have',
      (files) => files.set('notice/3-sentence-3-fr.wav', toneWav(441, 10)),
    ],
    [
      'a line of the audit trail in other words',
      'line \\d+ of the audit trail does not fit the chain',
      (files) => {
        replaceIn(files, bundleFile.audit, '"actor": "user alice"', '"actor": "user bob"');
      },
    ],
    [
      'a line of the audit trail less',
      'line \\d+ of the chain is not one|does not fit the chain|is not in the chain|does not end',
      (files) => {
        const text = files.get(bundleFile.auditChain)?.toString() ?? '';
        files.set(bundleFile.auditChain, Buffer.from(text.split('\n').slice(1).join('\n')));
      },
    ],
    [
      'a digest in the chain',
      'the chain',
      (files) => {
        const text = files.get(bundleFile.auditChain)?.toString() ?? '';
        files.set(bundleFile.auditChain, Buffer.from(text.replace(/[0-9a-f]{8}\n$/, '00000000\n')));
      },
    ],
    [
      'a chain whose last line has no end',
      'of the chain is not one',
      (files) =>
        files.set(bundleFile.auditChain, (files.get(bundleFile.auditChain) ?? Buffer.alloc(0)).subarray(0, -1)),
    ],
    [
      'a step less in the history',
      'a step of the recording is missing before line \\d+ of the audit trail',
      (files) => {
        rowsOf(files, (rows) => rows.filter(({ event }) => event !== 'file closed'));
      },
    ],
    [
      'nothing but the last line of the history',
      'do not lead to a recording that is kept',
      (files) => {
        rowsOf(files, (rows) => rows.slice(-1));
      },
    ],
    [
      'other rules',
      'policy.json is not that of the receipt',
      (files) => {
        replaceIn(files, bundleFile.policy, 'to learn', 'to spy');
      },
    ],
    [
      'a vCon in other words',
      'the signed vCon is another one',
      (files) => {
        replaceIn(files, bundleFile.vcon, '"anonymous"', '"Alice"');
      },
    ],
    [
      'a vCon with a signature that does not fit',
      'the signature of the vCon',
      (files) => {
        replaceIn(files, bundleFile.signedVcon, '"payload": "ey', '"payload": "eA');
      },
    ],
  ];
  test.each(changes)('is found: %s', async (_name, what, change) => {
    const files = await filesIn(whole);
    change(files);
    await resealed(other, files, stage.ports.signer);
    await expect(verifyFile(other)).rejects.toEqual(invalid(what));
  });

  test('is found: a manifest that names another head of the chain, or another purpose', async () => {
    const files = await filesIn(whole);
    await resealed(other, files, stage.ports.signer, { auditHead: { id: 99, chain: '0'.repeat(64) } });
    await expect(verifyFile(other)).rejects.toEqual(invalid('the chain does not end where the manifest says'));
    await resealed(other, files, stage.ports.signer, { purpose: 'agreement' });
    await expect(verifyFile(other)).rejects.toEqual(invalid('a purpose that the receipt does not have'));
    await resealed(other, files, stage.ports.signer, { files: [] });
    await expect(verifyFile(other)).rejects.toEqual(invalid('the files are not those of manifest.json'));
  });

  test('is found: a vCon with another hash of the recording', async () => {
    const files = await filesIn(whole);
    const vcon = jsonIn(files, bundleFile.vcon) as { dialog: { content_hash: string }[] };
    Object.assign(vcon.dialog[0] ?? {}, { content_hash: `sha512-${'A'.repeat(86)}` });
    const [head = '', payload = '', signature = ''] = (await stage.ports.signer.sign(vcon, 'vcon+jws')).split('.');
    files.set(bundleFile.vcon, jsonText(vcon));
    const signed = { payload, signatures: [{ header: { uuid: 'x' }, protected: head, signature }] };
    files.set(bundleFile.signedVcon, jsonText(signed));
    await resealed(other, files, stage.ports.signer);
    await expect(verifyFile(other)).rejects.toEqual(invalid('the vCon has another hash of recording.wav'));
  });

  test('is found: nothing of all this in one that is only signed anew', async () => {
    await resealed(other, await filesIn(whole), stage.ports.signer);
    await expect(verifyFile(other)).resolves.toBeDefined();
  });
});

function rowsOf(files: BundleFiles, change: (rows: Row[]) => Row[]): void {
  const audit = jsonIn(files, bundleFile.audit) as { rows: Row[] };
  files.set(bundleFile.audit, jsonText({ ...audit, rows: change(audit.rows) }));
}
/** Puts another receipt in, and a vCon with it and with the hash of the recording that is there. */
async function withReceipt(files: BundleFiles, change: (receipt: Receipt) => void): Promise<void> {
  const receipt = receiptWith(files, change);
  files.set(bundleFile.receipt, receipt);
  const vcon = jsonIn(files, bundleFile.vcon) as Vcon;
  const recording = files.get(bundleFile.recording) ?? Buffer.alloc(0);
  Object.assign(vcon.dialog[0] ?? {}, { content_hash: `sha512-${sha512Of(recording)}` });
  Object.assign(vcon.attachments[0] ?? {}, { body: receipt.toString() });
  files.set(bundleFile.vcon, jsonText(vcon));
  files.set(bundleFile.signedVcon, jsonText(await signVcon(vcon, stage.ports.signer)));
}

type Row = { event: string; detail: Record<string, unknown> };

describe('another recording, with its receipt and vCon, all signed by the company’s key', () => {
  /** Its hash stands in the receipt and in the vCon, and nothing but the history tells. */
  const swapped = async (): Promise<BundleFiles> => {
    const files = await filesIn(whole);
    const wav = toneWav(441, 20);
    files.set(bundleFile.recording, wav);
    await withReceipt(files, ({ recording }) => Object.assign(recording, { sha256: sha256Of(wav), bytes: wav.length }));

    return files;
  };

  test('is not the one of the chained history', async () => {
    await resealed(other, await swapped(), stage.ports.signer);
    await expect(verifyFile(other)).rejects.toEqual(invalid('recording.wav is not the recording of the audit trail'));
  });

  test('the newest hash in the history counts, and none of a line without a link', async () => {
    const files = await swapped();
    rowsOf(files, (rows) => rows.map((row) => (row.event === 'stored and read back' ? { ...row, chain: null } : row)));
    await resealed(other, files, stage.ports.signer);
    await expect(verifyFile(other)).rejects.toEqual(invalid('in no chain stands behind one that is'));
    const row = { id: 1, at: '2026-01-01T00:00:00.000Z', event: 'file closed', from: null, actor: 'serve' };
    const said = (sha256: string, to: string, chain: string | null) => ({ ...row, to, chain, detail: { sha256 } });
    const hashes = (rows: AuditExtract['rows']) => hashInTrail({ audit: 1, recording: 'x', rows, chain: null });
    const [first, second] = ['a'.repeat(64), 'b'.repeat(64)];
    expect(hashes([said(first, 'recorded', 'x'), said(second, 'archived', 'x')])).toBe(second);
    expect(hashes([said(first, 'recorded', 'x'), said(second, 'archived', null)])).toBe(first);
    expect(hashes([said(first, 'recorded', null)])).toBeNull();
  });

  test('a history without any hash fits, and that is told', async () => {
    const files = await filesIn(whole);
    rowsOf(files, (rows) => rows.map((row) => ({ ...row, chain: null })));
    const audit = jsonIn(files, bundleFile.audit);
    files.set(bundleFile.audit, jsonText({ ...audit, chain: null }));
    await resealed(other, files, stage.ports.signer, { auditHead: null });
    const verified = await verifyFile(other);
    expect(verified.audit).toMatchObject({ sha256: null, lines: 0 });
    expect(notStated(verified)).toContain('what the chained history has as the SHA-256 of the recording');
  });

  test('what it does not see: another receipt that fits itself', async () => {
    const files = await filesIn(whole);
    await withReceipt(files, ({ notice }) => Object.assign(notice[0] ?? {}, { text: 'other words' }));
    await resealed(other, files, stage.ports.signer);
    await expect(verifyFile(other)).resolves.toBeDefined();
  });

  test('what it does not see: a line of the history less that is no step', async () => {
    const files = await filesIn(whole);
    rowsOf(files, (rows) => rows.filter(({ event }) => event !== 'evidence bundle begun'));
    await resealed(other, files, stage.ports.signer);
    await expect(verifyFile(other)).resolves.toBeDefined();
  });
});

function replaceIn(files: BundleFiles, name: string, from: string, to: string): void {
  const text = files.get(name)?.toString() ?? '';
  expect(text).toContain(from);
  files.set(name, Buffer.from(text.replace(from, to)));
}

test('a bundle of the first form, with pages in Markdown, still fits, and must have its pages', async () => {
  const files = [...(await filesIn(whole))].map(([name, bytes]): [string, Buffer] => {
    const language = /^explanation\.(..)\.html$/.exec(name)?.[1] ?? (name === 'index.html' ? 'fr' : undefined);

    return language === undefined ? [name, bytes] : [`explanation.${language}.md`, Buffer.from('# A page')];
  });
  const first = { bundle: 1, language: undefined, timeStamp: undefined };
  await resealed(other, new Map(files), stage.ports.signer, first);
  await expect(verifyFile(other)).resolves.toMatchObject({ manifest: { bundle: 1 } });
  await resealed(other, await filesIn(whole), stage.ports.signer, first);
  await expect(verifyFile(other)).rejects.toEqual(invalid('explanation\\.fr\\.md is not in it'));
});

test('a bundle whose manifest tells of a time stamp that is not there does not fit', async () => {
  await resealed(other, await filesIn(whole), stage.ports.signer, { timeStamp: true });
  await expect(verifyFile(other)).rejects.toEqual(invalid('timestamp.tsr is there or not'));
});

test('the form of the ZIP is the same for ever: bundles that were handed out are made again byte by byte', async () => {
  await writeZip(other, [
    ['one.txt', Buffer.from('one')],
    ['two/three.txt', Buffer.from('three')],
  ]);
  const large = `${at}/large`;
  await writeFile(large, 'a file that is read as a stream');
  expect(sha256Of(await readFile(other))).toBe('84ed02d938d63789694611ecea46fb19987fbcb3931c915b7c63825855cb76a6');
  expect(sha256Of(await buffer(zipOf([filePart('large', large, 31)])))).toBe(
    'f99a514cf32234efe88162e00aac50dc05b139a169e912fa4cd6f31e8cb86fe1',
  );
});

test('a part that cannot be read ends the ZIP with its error', async () => {
  await expect(buffer(zipOf([filePart('gone', `${at}/gone`, 3)]))).rejects.toMatchObject({ code: 'ENOENT' });
  const short = `${at}/short`;
  await writeFile(short, 'ab');
  await expect(buffer(zipOf([filePart('short', short, 3)]))).rejects.toThrow('unexpected number of bytes');
});

/** Each file of a ZIP, each header before one, the directory and its end. */
function regionsOf(zip: Buffer): { from: number; to: number }[] {
  const end = zip.length - 22;
  const directory = zip.readUInt32LE(end + 16);
  const regions = [
    { from: directory, to: end },
    { from: end, to: zip.length },
  ];
  for (let at = directory; at < end;) {
    const [size, name] = [zip.readUInt32LE(at + 20), zip.readUInt16LE(at + 28)];
    const header = zip.readUInt32LE(at + 42);
    const data = header + 30 + zip.readUInt16LE(header + 26) + zip.readUInt16LE(header + 28);
    regions.push({ from: header, to: data }, { from: data, to: data + size });
    at += 46 + name + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32);
  }

  return regions;
}
