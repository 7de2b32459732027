import { mkdir, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { ulid } from 'ulid';
import type { ObjectStore } from '../../../../src/store/store.ts';
import { openSqlite } from '../../../../src/catalogue/sqlite/sqlite.ts';
import { holdGrounds, type HoldGround } from '../../../../src/catalogue/holdGrounds.ts';
import { PreavisError, type ErrorCode } from '../../../../src/core/errors.ts';
import { exactLocalDate } from '../../../../src/core/text/localDate.ts';
import { makeIds, type RecordingId } from '../../../../src/core/ids.ts';
import { bundleFile, pageFiles, type ExplanationLanguage } from '../../../../src/evidence/bundle/format.ts';
import { bundleStage, filesIn, jsonIn, verifyFile, type BundleStage } from '../../../support/evidence/bundles.ts';
import { catalogues, dayMs, recorderEnd } from '../../../support/catalogue/catalogues.ts';
import { toneWav } from '../../../support/policy/promptFolder.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const open = catalogues();
let stages = 0;
let at: string;
/** Where bundles are made: nothing else is in it. */
let out: string;
let stage: BundleStage;

beforeEach(async () => {
  at = folder.path(`${(stages += 1)}`);
  stage = await bundleStage(at, open);
  out = `${at}/out`;
  await mkdir(out);
});

const file = (name = 'bundle.zip'): string => `${out}/${name}`;
const refused = (code: ErrorCode) => expect.objectContaining({ code }) as unknown;

async function trail(id: RecordingId): Promise<string[]> {
  const steps = await stage.set.catalogue.auditTrail.of(id);

  return steps
    .filter(({ event }) => /fetch|evidence/.test(event))
    .map(({ event, actor, detail }) => `${event} by ${actor}: ${String(detail['purpose'])}`);
}

describe('a bundle', () => {
  test('holds the recording, the receipt of the archive, the sounds that were played, and fits', async () => {
    const { id, wav } = await stage.archived();
    const { manifest } = await stage.bundle(id, file());
    const files = await filesIn(file());
    expect([...files.keys()]).toEqual([
      'index.html',
      'explanation.nl.html',
      'explanation.de.html',
      'explanation.en.html',
      'recording.wav',
      'receipt.json',
      'notice/1-sentence-1-fr.wav',
      'notice/2-sentence-2-fr.wav',
      'policy.json',
      'audit.json',
      'audit-chain.txt',
      'vcon.json',
      'vcon.jws.json',
      'public-key.pem',
      'manifest.json',
      'manifest.jws',
      'SHA256SUMS',
      'signature.bin',
    ]);
    expect(files.get(bundleFile.recording)).toEqual(wav);
    expect(files.get(bundleFile.receipt)?.toString()).toBe((await stage.set.catalogue.recordings.find(id))?.receipt);
    expect(files.get('notice/1-sentence-1-fr.wav')).toEqual(await readFile(`${stage.soundsFolder}/fr/sentence-1.wav`));
    expect(jsonIn(files, bundleFile.policy)).toEqual({
      version: 'policy-1',
      purposes: { training: { justification: 'to learn', legalBasis: 'law', keepDays: 28 } },
    });
    expect(await verifyFile(file(), stage.ports.signer.kid)).toMatchObject({
      manifest,
      kid: stage.ports.signer.kid,
      timeStamp: null,
      receipt: { recording: { id, gapMs: 16_980 } },
    });
  });

  test('of one of several companies names it, and has no purpose, line or name of another', async () => {
    const id = await stage.ofCompany('acme');
    await stage.bundle(id, file());
    const files = await filesIn(file());
    expect(files.get('explanation.en.html')?.toString()).toContain('Company acme');
    expect(jsonIn(files, bundleFile.policy)).toEqual({
      version: 'policy-of-several',
      purposes: { training: { justification: 'to learn', legalBasis: 'law', keepDays: 28 } },
    });
    for (const bytes of files.values()) expect(bytes.toString('latin1')).not.toMatch(/of-another|other"/);
    expect(await verifyFile(file(), stage.ports.signer.kid)).toMatchObject({ receipt: { recording: { id } } });
  });

  test('explains itself in four languages, with each sentence that was heard', async () => {
    const { id } = await stage.archived();
    await stage.bundle(id, file());
    const files = await filesIn(file());
    const words = { fr: 'entendu', nl: 'hoorde', de: 'hörte', en: 'heard' };
    for (const [language, word] of Object.entries(words)) {
      const page = files.get(pageFiles('fr')[language as ExplanationLanguage])?.toString() ?? '';
      for (const part of [word, id, 'sentence-1 in fr', 'sentence-2 in fr', 'to learn', 'Example SA', '2026-08-24']) {
        expect(page).toContain(part);
      }
      expect(page.replaceAll(/<pre>.*?<\/pre>/gs, '')).not.toMatch(/undefined|NaN|null/);
    }
    expect(files.get('index.html')?.toString()).toContain('<strong>formation</strong> (<code>training</code>)');
    expect(files.get('explanation.de.html')?.toString()).toContain('<strong>training</strong>');
  });

  test('words purposes in the language of each page where the company has several, and fits', async () => {
    const by = (word: string) => ({
      fr: `${word} en français`,
      nl: `${word} in het Nederlands`,
      en: `${word} in English`,
    });
    const rules = { justification: by('learn'), legalBasis: by('law'), keepDays: 28 };
    await stage.set.catalogue.calls.savePolicy('policy-1', JSON.stringify({ purposes: { training: rules } }));
    const { id } = await stage.archived();
    await stage.bundle(id, file());
    const files = await filesIn(file());
    expect(jsonIn(files, bundleFile.receipt)).toMatchObject({
      purposes: [{ justification: 'learn en français', legalBasis: 'law en français' }],
    });
    expect(jsonIn(files, bundleFile.policy)).toMatchObject({ purposes: { training: rules } });
    const said = { fr: 'en français', nl: 'in het Nederlands', de: 'in English', en: 'in English' };
    for (const [language, words] of Object.entries(said)) {
      const page = files.get(pageFiles('fr')[language as ExplanationLanguage])?.toString();
      expect(page).toContain(`learn ${words}`);
      expect(page).toContain(`law ${words}`);
    }
    expect(await verifyFile(file(), stage.ports.signer.kid)).toMatchObject({ receipt: { recording: { id } } });
  });

  test('shows how loud the recording was, until that is erased with it', async () => {
    const { id } = await stage.archived();
    await stage.bundle(id, file());
    const path = /class="sound" d="(M[^"]+)"/s.exec((await filesIn(file())).get('index.html')?.toString() ?? '');
    // 20 ms of a tone: two parts of 10 ms.
    expect(path?.[1]?.split('M')).toHaveLength(3);
    const { catalogue } = stage.set;
    expect(await catalogue.recordings.peaks(id)).toMatch(/^0\.[\w-]+$/);
    await catalogue.recordings.move(id, 'archived', 'erased', {}, { event: 'erased', actor: 'test' });
    expect(await catalogue.recordings.peaks(id)).toBeUndefined();
  });

  const holdOf = (id: RecordingId, ground: HoldGround, day: string) => ({
    id: makeIds(() => ulid()).hold(),
    recording: id,
    ground,
    reason: 'Claim 4711',
    author: 'user alice',
    reviewAt: Date.parse('2026-09-10T23:59:59.999Z'),
    expiresAt: Date.parse(`${day}T23:59:59.999Z`),
  });
  const page = async (language: ExplanationLanguage): Promise<string> =>
    ((await filesIn(file())).get(pageFiles('fr')[language])?.toString() ?? '').replaceAll('&#39;', "'");

  test.each<[ExplanationLanguage, string[]]>([
    ['fr', ['en raison d’un litige\u00a0: jusqu’au 2027-12-31 inclus', 'd’une autorité', 'de la personne concernée']],
    ['nl', ['wegens een geschil langer worden bewaard: tot en met 2027-12-31', 'een overheid', 'de betrokkene']],
    [
      'de',
      ['wegen eines Streitfalls darüber hinaus', 'bis einschließlich 2027-12-31', 'Behörde', 'betroffenen Person'],
    ],
    ['en', ['for a dispute: up to and including 2027-12-31', 'of an authority', 'of the person concerned']],
  ])('says why and until when holds keep the recording beyond its purposes, in %s', async (language, parts) => {
    const { id } = await stage.archived();
    const { catalogue } = stage.set;
    for (const ground of holdGrounds) await catalogue.legalHolds.set(holdOf(id, ground, '2027-12-31'));
    await stage.bundle(id, file());
    for (const part of parts) expect(await page(language)).toContain(part);
    expect(await page(language)).not.toContain('Claim 4711');
  });

  test('says nothing of a hold that is released, or ends before the last purpose', async () => {
    const { id } = await stage.archived();
    const { catalogue } = stage.set;
    const released = holdOf(id, 'dispute', '2027-12-31');
    await catalogue.legalHolds.set(released);
    await catalogue.legalHolds.release(released.id, 'user alice');
    await catalogue.legalHolds.set(holdOf(id, 'authority', '2026-09-12'));
    await stage.bundle(id, file());
    expect(await page('en')).not.toContain('beyond that');
  });

  test('names the end that a purpose has by now, as the manifest does', async () => {
    const { id } = await stage.archived();
    const [end] = await stage.set.catalogue.recordings.purposeEnds(id);
    if (end === undefined) throw new Error('it has no purpose');
    const to = stage.set.clock.now() + 3_600_000;
    await stage.set.catalogue.recordings.shorten(
      end.purpose,
      [{ id, from: end.keepUntil, to }],
      'person',
      'user alice',
    );
    const { manifest } = await stage.bundle(id, file('shortened'));
    const page = (await filesIn(file('shortened'))).get('explanation.en.html')?.toString() ?? '';
    const shown = exactLocalDate(manifest.keepUntil, 'Europe/Brussels');
    expect(manifest.keepUntil).toBe(new Date(to).toISOString());
    expect(page).toContain(`until ${shown}`);
    expect(page).toContain('This end was brought forward since');
  });

  test('says once what two holds have in common', async () => {
    const { id } = await stage.archived();
    const { catalogue } = stage.set;
    await catalogue.legalHolds.set(holdOf(id, 'dispute', '2027-12-31'));
    await catalogue.legalHolds.set(holdOf(id, 'dispute', '2027-12-31'));
    await stage.bundle(id, file());
    expect((await page('en')).match(/beyond that/g)).toHaveLength(1);
  });

  test('is for its owner only, and leaves nothing else behind', async () => {
    const { id } = await stage.archived();
    await stage.bundle(id, file());
    expect((await stat(file())).mode & 0o777).toBe(0o600);
    expect(await readdir(out)).toEqual(['bundle.zip']);
  });

  test('can be made while the recording waits in the spool, with the receipt as it is printed', async () => {
    const { id, wav } = await stage.set.finished(toneWav(440, 20));
    const { manifest } = await stage.bundle(id, file());
    expect((await filesIn(file())).get(bundleFile.recording)).toEqual(wav);
    // The makers of this call have no sounds.
    expect(manifest.noticeMissing).toHaveLength(2);
    await expect(verifyFile(file())).resolves.toBeDefined();
  });

  test('is in the audit trail once, as what it was: who, for what, and the SHA-256 of its manifest', async () => {
    const { id } = await stage.archived();
    const { manifestSha256 } = await stage.bundle(id, file());
    expect(await trail(id)).toEqual([
      'evidence bundle begun by user alice: training',
      'evidence bundled by user alice: training',
    ]);
    const last = (await stage.set.catalogue.auditTrail.of(id)).at(-1);
    expect(last?.detail).toMatchObject({ manifest: manifestSha256, kid: stage.ports.signer.kid });
  });
});

describe('the history in a bundle', () => {
  test('is in one chain with the lines of other recordings, of which only digests are given', async () => {
    const one = await stage.archived();
    const other = await stage.archived();
    await stage.set.catalogue.auditTrail.append(one.id, {
      event: 'looked at',
      actor: 'test',
      detail: { é: '“”' },
    });
    await stage.bundle(one.id, file());
    const { audit } = await verifyFile(file());
    const files = await filesIn(file());
    expect(audit).toMatchObject({ unchained: 0 });
    expect(audit.lines).toBeGreaterThan(audit.rows);
    expect(Buffer.concat([...files.values()]).includes(other.id)).toBe(false);
    const rows = jsonIn(files, bundleFile.audit)['rows'] as { event: string }[];
    expect(rows.map(({ event }) => event)).toEqual(expect.arrayContaining(['looked at', 'evidence bundle begun']));
  });

  test('is longer than a page of the catalogue', async () => {
    const { id } = await stage.archived();
    const { id: other } = await stage.archived();
    for (let count = 0; count < 2_100; count += 1) {
      await stage.set.catalogue.auditTrail.append(other, { event: 'noted', actor: 'test', detail: { count } });
    }
    await stage.bundle(id, file());
    expect((await verifyFile(file())).audit.lines).toBeGreaterThan(2_100);
  });

  test('says which lines are from before there was a chain', async () => {
    const { id } = await stage.archived();
    changeTrail('UPDATE audit SET chain = NULL');
    await stage.set.catalogue.auditTrail.append(id, { event: 'noted', actor: 'test' });
    await stage.bundle(id, file());
    const { audit } = await verifyFile(file());
    expect(audit.unchained).toBeGreaterThan(2);
    expect(audit.rows - audit.unchained).toBe(2);
  });

  test.each([
    ['of the recording was changed', `UPDATE audit SET actor = 'nobody' WHERE id = 2`, 'line 2 '],
    ['of the recording was taken out', 'DELETE FROM audit WHERE id = 2', 'line 3 '],
    ['of another was changed', `UPDATE audit SET detail = '{}' WHERE id = 7`, 'line 7 '],
  ])('is not given when a line %s: the trail is broken there', async (_name, change, line) => {
    const { id } = await stage.archived();
    const { id: other } = await stage.archived();
    await stage.set.catalogue.auditTrail.append(other, { event: 'noted', actor: 'test', detail: { count: 1 } });
    changeTrail(change);
    const thrown = await stage.bundle(id, file()).catch((error: unknown) => error);
    expect(thrown).toEqual(refused('evidence_chain_broken'));
    expect(String(thrown)).toContain(line);
    expect(await readdir(out)).toEqual([]);
  });

  function changeTrail(sql: string): void {
    const database = openSqlite(`${at}/catalogue.db`);
    for (const each of [1, 2]) database.exec(`DROP TRIGGER audit_is_append_only_${each}`);
    database.pragma('foreign_keys = OFF');
    database.exec(sql);
    database.close();
  }
});

describe('the sound of a sentence', () => {
  test('that was replaced is given no other in its place, and the manifest says so', async () => {
    const { id } = await stage.archived();
    await writeFile(`${stage.soundsFolder}/fr/sentence-1.wav`, toneWav(700, 10));
    const { manifest } = await stage.bundle(id, file());
    expect(manifest.noticeMissing).toMatchObject([{ number: 1, prompt: 'sentence-1', language: 'fr' }]);
    const files = await filesIn(file());
    expect([...files.keys()].filter((name) => name.startsWith('notice/'))).toEqual(['notice/2-sentence-2-fr.wav']);
    expect(files.get('explanation.en.html')?.toString()).toContain('no longer there');
    await expect(verifyFile(file())).resolves.toMatchObject({ manifest });
  });

  test('that is kept under another name is found by its hash', async () => {
    const { id } = await stage.archived();
    await rename(`${stage.soundsFolder}/fr/sentence-1.wav`, `${stage.soundsFolder}/fr/sentence-1.old.wav`);
    expect((await stage.bundle(id, file())).manifest.noticeMissing).toEqual([]);
  });

  test('may be missing with its whole folder', async () => {
    const { id } = await stage.archived();
    await rm(stage.soundsFolder, { recursive: true });
    expect((await stage.bundle(id, file())).manifest.noticeMissing).toHaveLength(2);
    await expect(verifyFile(file())).resolves.toBeDefined();
  });
});

describe('no bundle is made, and nothing is left of one,', () => {
  afterEach(async () => {
    expect(await readdir(out)).toEqual([]);
  });

  test('for a purpose that the recording was not made for', async () => {
    const { id } = await stage.archived();
    await expect(stage.bundle(id, file(), {}, { purpose: 'agreement' })).rejects.toEqual(refused('purpose_foreign'));
    expect(await trail(id)).toEqual(['evidence bundle refused by user alice: agreement']);
  });

  test('after the end of the purpose', async () => {
    const { id } = await stage.archived();
    stage.set.clock.at = recorderEnd + 28 * dayMs;
    await expect(stage.bundle(id, file())).rejects.toEqual(refused('purpose_over'));
  });

  test('when its purpose ends while it is written', async () => {
    const { id } = await stage.archived();
    const end = recorderEnd + 28 * dayMs;
    stage.set.clock.at = end - 1;
    // The last thing before the parts are written.
    const signer = {
      ...stage.ports.signer,
      signBytes: (bytes: Uint8Array) => {
        stage.set.clock.at = end;
        return stage.ports.signer.signBytes(bytes);
      },
    };
    await expect(stage.bundle(id, file(), { signer })).rejects.toEqual(refused('purpose_over'));
    expect((await trail(id)).at(-1)).toBe('evidence bundle failed by user alice: training');
  });

  test('when what the archive has is not what was recorded', async () => {
    const { id, wav } = await stage.archived();
    const store: ObjectStore = {
      ...stage.set.store,
      location: stage.set.store.location,
      read: () => Promise.resolve(changed(wav)),
    };
    await expect(stage.bundle(id, file(), { store })).rejects.toEqual(refused('recording_altered'));
    expect(await trail(id)).toEqual([
      'evidence bundle begun by user alice: training',
      'evidence bundle failed by user alice: training',
    ]);
  });

  test('when the time-stamping authority gives nothing', async () => {
    const { id } = await stage.archived();
    const stamp = (): Promise<Buffer> => Promise.reject(new PreavisError('timestamp_failed', 'it is away'));
    await expect(stage.bundle(id, file(), { stamp })).rejects.toEqual(refused('timestamp_failed'));
    expect((await trail(id)).at(-1)).toBe('evidence bundle failed by user alice: training');
  });

  test('when it is interrupted', async () => {
    const { id } = await stage.archived();
    const stop = new AbortController();
    const progress = (): void => {
      stop.abort(new PreavisError('interrupted', 'no bundle was made'));
    };
    const order = { progress, signal: stop.signal };
    await expect(stage.bundle(id, file(), {}, order)).rejects.toEqual(refused('interrupted'));
  });
});

test('a file that is there already is replaced only when it may be', async () => {
  const { id } = await stage.archived();
  await writeFile(file(), 'mine');
  await expect(stage.bundle(id, file())).rejects.toEqual(refused('usage'));
  expect(await readFile(file(), 'utf8')).toBe('mine');
  await stage.bundle(id, file(), {}, { target: { file: file(), replace: true } });
  await expect(verifyFile(file())).resolves.toBeDefined();
  expect(await readdir(out)).toEqual(['bundle.zip']);
});

function changed(wav: Buffer): Readable {
  return Readable.from([Buffer.concat([wav.subarray(0, -1), Buffer.from([(wav.at(-1) ?? 0) ^ 1])])]);
}
