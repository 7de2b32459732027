import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import fc from 'fast-check';
import pLimit from 'p-limit';
import { sha256Of } from '../../../../src/core/crypto/sha256.ts';
import { openSigner, type Signer } from '../../../../src/core/crypto/signing.ts';
import { bundleFile, explanationLanguages, pageFiles, jsonText } from '../../../../src/evidence/bundle/format.ts';
import { commandsOf, recipeSteps } from '../../../../src/evidence/bundle/recipe.ts';
import { fetchTimeStamp } from '../../../../src/evidence/bundle/timestamp.ts';
import { bundleStage, filesIn, forged, jsonIn, resealed, writeZip } from '../../../support/evidence/bundles.ts';
import type { BundleFiles, BundleStage } from '../../../support/evidence/bundles.ts';
import { catalogues } from '../../../support/catalogue/catalogues.ts';
import { toneWav } from '../../../support/policy/promptFolder.ts';
import { tried } from '../../../support/properties.ts';
import { commandsIn, fencedIn, follow, recipeTools, type Followed } from '../../../support/evidence/recipe.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';
import { startTimestampAuthority, type TimestampAuthority } from '../../../support/evidence/timestampAuthority.ts';

/** What the pages tell a reader to type, with the programs that they name and no others. */

const run = promisify(execFile);
const folder = temporaryFolder();
const open = catalogues();
const signal = new AbortController().signal;
let at: string;
let stage: BundleStage;
let tools: string;
let authority: TimestampAuthority;
/** A bundle that fits, with a time stamp. No test writes to it. */
let whole: string;
/** What a test makes of it. */
let other: string;
let commands: string[];
let runs = 0;

beforeAll(async () => {
  at = folder.path('stage');
  stage = await bundleStage(at, open);
  tools = await recipeTools(folder.path('tools'));
  authority = await startTimestampAuthority(folder.path('authority'));
  const { id } = await stage.archived();
  const { id: second } = await stage.archived();
  await stage.bundle(second, `${at}/second.zip`);
  await stage.set.catalogue.auditTrail.append(id, {
    event: 'noted “\\n"\\\n',
    actor: 'user é',
    detail: { z: '\u001f', share: 0.25, nothing: null },
  });
  whole = `${at}/whole.zip`;
  other = `${at}/other.zip`;
  await stage.bundle(id, whole, { stamp: (sha256) => fetchTimeStamp(authority.url, sha256, { nonce: 7n, signal }) });
  commands = await commandsOfPage(whole);
});
afterAll(() => authority.stop());

const commandsOfPage = async (zip: string): Promise<string[]> =>
  commandsIn((await filesIn(zip)).get('index.html')?.toString() ?? '');

const followed = (zip: string, steps = commands, caFile = authority.caFile): Promise<Followed> =>
  follow(steps, {
    zip,
    published: stage.ports.signer.kid,
    folder: `${at}/run-${(runs += 1)}`,
    tools,
    authority: caFile,
  });

const everything = [
  'the key is the one that the company publishes',
  'the key has signed the list',
  'every file is as it is listed',
  'there is no other file',
  'the key has signed manifest.jws',
  'it is the signature of a manifest',
  'it is over manifest.json',
  'the files are those of the manifest',
  'the key has signed vcon.jws.json',
  'it is over vcon.json',
  'the recording is the one of the receipt',
  'sentence 1 of the notice is the one of the receipt',
  'sentence 2 of the notice is the one of the receipt',
  'receipt and history are of the recording of the manifest',
  'the receipt says: heard whole, and recorded after it',
  'the receipt says: nobody refused, and who was asked for a yes gave it',
  'every line of the history with a link is in the chain',
  'the chain ends where the manifest says',
  'its steps follow one another, to a recording that is kept',
  'the recording is the one of the history',
  'the authority has stamped the manifest',
];

describe('the recipe of a page', () => {
  test('finds a whole bundle whole, in seconds, and prints the id as `preavis evidence key` does', async () => {
    const { ok, not, printed } = await followed(whole);
    expect(not).toEqual([]);
    expect(ok).toEqual(everything);
    expect(printed).toContain(`kid ${stage.ports.signer.kid}\n`);
    expect(printed).toMatch(/^it was 20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ$/m);
  });

  test('is the same in all languages, and in the documentation', async () => {
    const files = await filesIn(whole);
    for (const language of explanationLanguages) {
      expect(commandsIn(files.get(pageFiles('fr')[language])?.toString() ?? '')).toEqual(commands);
    }
    expect(commands).toEqual(recipeSteps.map(commandsOf));
    expect(fencedIn(await readFile('docs/evidence.md', 'utf8'))).toEqual(expect.arrayContaining(commands));
  });

  test('has no step for a time stamp where there is none', async () => {
    const steps = await commandsOfPage(`${at}/second.zip`);
    expect(steps).toEqual(recipeSteps.filter((step) => step !== 'stamp').map(commandsOf));
    const { ok, not } = await followed(`${at}/second.zip`, steps);
    expect(not).toEqual([]);
    expect(ok).toEqual(everything.slice(0, -1));
  });

  test('finds nothing right in an empty folder', async () => {
    await writeFile(other, 'no ZIP');
    expect((await followed(other)).ok).toEqual([]);
  });
});

describe('the recipe finds a bundle that somebody forged', () => {
  test('with a key, a list and signatures of their own: only the id tells', async () => {
    await forged(other, await filesIn(whole), await openSigner(`${at}/stranger.pem`));
    const { not, ok } = await followed(other);
    expect(not).toEqual(['the key is the one that the company publishes', 'the authority has stamped the manifest']);
    expect(ok).toContain('the key has signed the list');
  });

  test('with the key of the company behind their own in the file, or before it', async () => {
    const files = await filesIn(whole);
    const stranger = await openSigner(`${at}/stranger.pem`);
    await forged(other, files, stranger);
    const theirs = await filesIn(other);
    const ours = files.get(bundleFile.publicKey) ?? Buffer.alloc(0);
    const own = theirs.get(bundleFile.publicKey) ?? Buffer.alloc(0);
    for (const both of [Buffer.concat([own, ours]), Buffer.concat([ours, own])]) {
      theirs.set(bundleFile.publicKey, both);
      await listedAgain(theirs, stranger);
      const { not } = await followed(other);
      expect(not.filter((each) => /publishes|signed the list/.test(each))).toHaveLength(1);
    }
  });

  test('with a key of another kind whose last bytes are those of the company’s', async () => {
    // RSA lets its maker choose the public exponent, which stands last in the file; it is odd, and begins with no zeros.
    const files = await filesIn(whole);
    let company = await openSigner(`${at}/company-0.pem`);
    for (let each = 1; !isExponent(company); each += 1) company = await openSigner(`${at}/company-${each}.pem`);
    const exponent = Buffer.from(company.publicKey.x ?? '', 'base64url');
    const [rsa, pem] = [`${at}/rsa.pem`, `${at}/rsa-public.pem`];
    const made = ['-pkeyopt', 'rsa_keygen_bits:2048', '-pkeyopt', `rsa_keygen_pubexp:0x${exponent.toString('hex')}`];
    await run('openssl', ['genpkey', '-algorithm', 'RSA', ...made, '-out', rsa]);
    await run('openssl', ['pkey', '-in', rsa, '-pubout', '-out', pem]);
    const { stdout } = await run('openssl', ['pkey', '-pubin', '-in', pem, '-outform', 'DER'], { encoding: 'buffer' });
    expect(stdout.subarray(-32)).toEqual(exponent);
    files.set(bundleFile.publicKey, await readFile(pem));
    await listedAgain(files, { signBytes: () => Buffer.alloc(0) });
    const sums = (await filesIn(other)).get(bundleFile.sums) ?? '';
    await writeFile(`${at}/sums`, sums);
    await run('openssl', ['pkeyutl', '-sign', '-rawin', '-inkey', rsa, '-in', `${at}/sums`, '-out', `${at}/sums.sig`]);
    const signature = await readFile(`${at}/sums.sig`);
    await listedAgain(files, { signBytes: () => signature });
    const given = { zip: other, published: company.kid, folder: `${at}/run-${(runs += 1)}`, tools };
    const { not, ok } = await follow(commands, given);
    expect(ok).toEqual(expect.arrayContaining(['the key has signed the list', 'every file is as it is listed']));
    expect(not).toContain('the key is the one that the company publishes');
  });

  const isExponent = ({ publicKey: { x = '' } }: Signer): boolean => {
    const bytes = Buffer.from(x, 'base64url');

    return (bytes.at(-1) ?? 0) % 2 === 1 && bytes.at(0) !== 0;
  };
});

/** Writes a list of these files as they are, signed, and nothing else anew. */
async function listedAgain(files: BundleFiles, signer: Pick<Signer, 'signBytes'>): Promise<void> {
  const named = [...files].filter(([name]) => name !== bundleFile.sums && name !== bundleFile.signature);
  const sums = Buffer.from(
    named.map(([name, bytes]) => `${createHash('sha256').update(bytes).digest('hex')}  ${name}\n`).join(''),
  );
  await writeZip(other, [...named, [bundleFile.sums, sums], [bundleFile.signature, signer.signBytes(sums)]]);
}

type Change = (files: BundleFiles) => Iterable<[string, Buffer]> | Promise<Iterable<[string, Buffer]>>;

describe('the recipe finds a ZIP that was packed anew', () => {
  const changes: [string, string, Change][] = [
    [
      'with a recording that was altered',
      'every file is as it is listed',
      (files) => files.set(bundleFile.recording, toneWav(441, 20)),
    ],
    [
      'without a file',
      'every file is as it is listed',
      (files) => [...files].filter(([name]) => name !== bundleFile.audit),
    ],
    ['with one more file', 'there is no other file', (files) => [...files, ['more.txt', Buffer.from('more')]]],
    ['in another order', 'there is no other file', (files) => [...files].toReversed()],
    [
      'with the receipt of another call',
      'every file is as it is listed',
      async (files) => {
        return files.set(
          bundleFile.receipt,
          (await filesIn(`${at}/second.zip`)).get(bundleFile.receipt) ?? Buffer.alloc(0),
        );
      },
    ],
    [
      'with another key',
      'the key is the one that the company publishes',
      async (files) => {
        await forged(other, files, await openSigner(`${at}/stranger.pem`));

        return files.set(bundleFile.publicKey, (await filesIn(other)).get(bundleFile.publicKey) ?? Buffer.alloc(0));
      },
    ],
  ];
  test.each(changes)('%s', async (_name, found, change) => {
    await writeZip(other, await change(await filesIn(whole)));
    expect((await followed(other)).not).toContain(found);
  });
});

describe('the recipe finds what does not fit in a bundle that is signed rightly', () => {
  const replaced = (files: BundleFiles, name: string, from: string | RegExp, to: string): void => {
    const text = files.get(name)?.toString() ?? '';
    expect(text).toMatch(from);
    files.set(name, Buffer.from(text.replace(from, to)));
  };
  const receiptWith = (
    files: BundleFiles,
    part: 'recording' | 'notice' | 'consent',
    change: Record<string, unknown>,
  ): void => {
    const receipt = jsonIn(files, bundleFile.receipt) as { recording: object; notice: object[]; consent: object };
    Object.assign(part === 'notice' ? (receipt.notice[1] ?? {}) : receipt[part], change);
    files.set(bundleFile.receipt, jsonText(receipt));
  };
  const rowsWithout = (files: BundleFiles, event: string): void => {
    const audit = jsonIn(files, bundleFile.audit) as { rows: { event: string }[] };
    const rows = audit.rows.filter((row) => row.event !== event);
    expect(rows.length).toBe(audit.rows.length - 1);
    files.set(bundleFile.audit, jsonText({ ...audit, rows }));
  };
  const heard = 'the receipt says: heard whole, and recorded after it';
  const willing = 'the receipt says: nobody refused, and who was asked for a yes gave it';
  const changes: [string, string, (files: BundleFiles) => void][] = [
    [
      'a recording of another call',
      'the recording is the one of the receipt',
      (files) => files.set(bundleFile.recording, toneWav(441, 20)),
    ],
    [
      'another sound',
      'sentence 2 of the notice is the one of the receipt',
      (files) => files.set('notice/2-sentence-2-fr.wav', toneWav(441, 10)),
    ],
    [
      'a line of the history in other words',
      'every line of the history with a link is in the chain',
      (files) => {
        replaced(files, bundleFile.audit, '"actor": "user alice"', '"actor": "user bob"');
      },
    ],
    [
      'a line of the history less',
      'the chain ends where the manifest says',
      (files) => {
        replaced(files, bundleFile.auditChain, /^.*\n/, '');
      },
    ],
    [
      'a chain without its last line',
      'the chain ends where the manifest says',
      (files) => {
        replaced(files, bundleFile.auditChain, /.*\n$/, '');
      },
    ],
    [
      'a line without a link behind one that has it',
      'every line of the history with a link is in the chain',
      (files) => {
        const audit = jsonIn(files, bundleFile.audit) as { rows: object[] };
        audit.rows.push({ ...audit.rows.at(-1), chain: null });
        files.set(bundleFile.audit, jsonText(audit));
      },
    ],
    [
      'a history of another recording',
      'receipt and history are of the recording of the manifest',
      (files) => {
        replaced(files, bundleFile.audit, /"recording": "\w+"/, '"recording": "01K00000000000000000000000"');
      },
    ],
    [
      'a row that is not in the chain',
      'every line of the history with a link is in the chain',
      (files) => {
        replaced(files, bundleFile.audit, '"id": 2,', '"id": 999999,');
      },
    ],
    [
      'a vCon in other words',
      'it is over vcon.json',
      (files) => {
        replaced(files, bundleFile.vcon, '"anonymous"', '"Alice"');
      },
    ],
    [
      'a sentence that was not heard whole',
      heard,
      (files) => {
        receiptWith(files, 'notice', { verified: false, verdict: 'notice_cut_short' });
      },
    ],
    [
      'a sentence without an end',
      heard,
      (files) => {
        receiptWith(files, 'notice', { finishedAt: null });
      },
    ],
    [
      'a recording that began before the end of the notice',
      heard,
      (files) => {
        receiptWith(files, 'recording', { startedAt: '2001-01-01T00:00:00.000Z' });
      },
    ],
    [
      'a recording whose begin is not stated',
      heard,
      (files) => {
        receiptWith(files, 'recording', { startedAt: null, gapMs: null });
      },
    ],
    [
      'a caller who refused',
      willing,
      (files) => {
        receiptWith(files, 'consent', { answer: 'refused' });
      },
    ],
    [
      'a caller who was asked for a yes and gave none',
      willing,
      (files) => {
        receiptWith(files, 'consent', { mode: 'optIn', answer: 'none' });
      },
    ],
    [
      'a history without the step in which the recording was measured',
      'its steps follow one another, to a recording that is kept',
      (files) => {
        rowsWithout(files, 'file closed');
      },
    ],
    [
      'another recording with its receipt',
      'the recording is the one of the history',
      (files) => {
        const wav = toneWav(441, 20);
        files.set(bundleFile.recording, wav);
        receiptWith(files, 'recording', { sha256: sha256Of(wav), bytes: wav.length });
      },
    ],
  ];
  test.each(changes)('%s', async (_name, found, change) => {
    const files = await filesIn(whole);
    change(files);
    await resealed(other, files, stage.ports.signer);
    const { ok, not } = await followed(other);
    expect(not).toContain(found);
    expect(ok).toContain('every file is as it is listed');
  });

  test('a time stamp of another manifest', async () => {
    await resealed(other, await filesIn(whole), stage.ports.signer, { madeBy: 'somebody' });
    expect((await followed(other)).not).toEqual(['the authority has stamped the manifest']);
  });

  test('a stamped manifest that was kept, with another recording and receipt beside it', async () => {
    const files = await filesIn(whole);
    const wav = toneWav(441, 20);
    files.set(bundleFile.recording, wav);
    receiptWith(files, 'recording', { sha256: sha256Of(wav), bytes: wav.length });
    await listedAgain(files, stage.ports.signer);
    const { ok, not } = await followed(other);
    expect(ok).toEqual(
      expect.arrayContaining(['the key has signed the list', 'the authority has stamped the manifest']),
    );
    expect(not).toEqual(['the files are those of the manifest', 'the recording is the one of the history']);
  });

  test('what it does not see without a time stamp: another receipt that fits itself', async () => {
    const files = await filesIn(whole);
    const receipt = jsonIn(files, bundleFile.receipt) as { notice: object[] };
    Object.assign(receipt.notice[0] ?? {}, { text: 'other words' });
    files.set(bundleFile.receipt, jsonText(receipt));
    await resealed(other, files, stage.ports.signer);
    expect((await followed(other)).not).toEqual(['the authority has stamped the manifest']);
  });

  test('a history that names no hash of the recording is told of, as those of earlier versions', async () => {
    const files = await filesIn(whole);
    replaced(files, bundleFile.audit, /"sha256": "/g, '"hash": "');
    await resealed(other, files, stage.ports.signer);
    const { ok, printed } = await followed(other);
    expect(printed).toContain('the history names no hash of the recording');
    expect(ok).not.toContain('the recording is the one of the history');
  });

  test('what it does not see: a line of the history less that is no step', async () => {
    const files = await filesIn(whole);
    rowsWithout(files, 'noted “\\n"\\\n');
    await resealed(other, files, stage.ports.signer);
    expect((await followed(other)).not).toEqual(['the authority has stamped the manifest']);
  });

  test('a time stamp of an authority that was not named', async () => {
    const stranger = await startTimestampAuthority(folder.path('stranger'));
    await stranger.stop();
    expect((await followed(whole, commands, stranger.caFile)).not).toEqual(['the authority has stamped the manifest']);
  });
});

test('what passes the recipe after a random change of one bit has the files of the bundle, bit by bit', async () => {
  // A thousand take minutes: PREAVIS_TEST_RUNS=10.
  const { numRuns, seed } = tried(100);
  const bytes = await readFile(whole);
  const place = fc.tuple(fc.nat(bytes.length - 1), fc.nat(7));
  const places = fc.sample(place, { numRuns, ...(seed === undefined ? {} : { seed }) });
  await run('unzip', ['-q', whole, '-d', `${at}/files`]);
  const limit = pLimit(2);
  const unseen = await Promise.all(
    places.map(([offset, bit], index) =>
      limit(async () => {
        const changed = Buffer.from(bytes);
        changed[offset] = (changed[offset] ?? 0) ^ (1 << bit);
        const zip = `${at}/flip-${index}.zip`;
        await writeFile(zip, changed);
        const given = { zip, published: stage.ports.signer.kid, folder: `${at}/flip-${index}`, tools };
        // The first three steps are over all files.
        const { ok, not } = await follow(commands.slice(0, 3), given);
        if (not.length > 0 || ok.length < 4) return [];
        const compared = run('diff', ['-r', `${at}/files`, `${given.folder}/bundle`]);

        return compared.then(
          () => [],
          () => [offset],
        );
      }),
    ),
  );
  expect(unseen.flat()).toEqual([]);
});
