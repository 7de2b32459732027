import { createHash } from 'node:crypto';
import { mkdir, open as openFile, writeFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { ulid } from 'ulid';
import { uploadPass } from '../../../src/archive/uploadPass.ts';
import type { Catalogue } from '../../../src/catalogue/catalogue.ts';
import { nameOfPurpose } from '../../../src/config/purposeRules.ts';
import { makeIds, type RecordingId } from '../../../src/core/ids.ts';
import { openSigner, pemOf, type Signer } from '../../../src/core/crypto/signing.ts';
import { makeBundle, type Bundled, type BundleOrder, type BundlePorts } from '../../../src/evidence/bundle/bundle.ts';
import { bundleFile, jsonText, largeFiles, manifestType, sumsText } from '../../../src/evidence/bundle/format.ts';
import { sha256Of } from '../../../src/core/crypto/sha256.ts';
import { signVcon, type Vcon } from '../../../src/evidence/bundle/vcon.ts';
import { verifyBundle, type Verified } from '../../../src/evidence/bundle/verify.ts';
import { zipOf } from '../../../src/core/zip.ts';
import { unpack } from '../../../src/evidence/bundle/unpack.ts';
import { archiveStage, type ArchiveStage } from '../archive/archiving.ts';
import { anOrder, aRequest, aScript, callStart } from '../call/calls.ts';
import type { saveCall, TestClock } from '../catalogue/catalogues.ts';
import { toneWav } from '../policy/promptFolder.ts';

export type BundleStage = {
  set: ArchiveStage;
  ports: BundlePorts;
  soundsFolder: string;
  keyFile: string;
  /** A call whose recording is in the archive, and whose notice is of these sounds. */
  /** Archived, of a company of `controllers`, beside which there is another. */
  ofCompany(company: string): Promise<RecordingId>;
  archived(wav?: Buffer, options?: Parameters<typeof saveCall>[1]): Promise<{ id: RecordingId; wav: Buffer }>;
  bundle(id: string, file: string, change?: Partial<BundlePorts>, order?: Partial<BundleOrder>): Promise<Bundled>;
};

const never = new AbortController().signal;

/** A catalogue, an archive, a folder of sounds and a key, all of their own and real. */
export async function bundleStage(
  folder: string,
  open: (file: string, clock: TestClock) => Catalogue,
): Promise<BundleStage> {
  await mkdir(folder, { recursive: true });
  const set = await archiveStage(folder, open);
  const soundsFolder = `${folder}/sounds`;
  await mkdir(`${soundsFolder}/fr`, { recursive: true });
  const sounds = new Map([
    ['sentence-1', toneWav(500, 10)],
    ['sentence-2', toneWav(600, 10)],
  ]);
  for (const [name, bytes] of sounds) await writeFile(`${soundsFolder}/fr/${name}.wav`, bytes);
  const keyFile = `${folder}/signing-key.pem`;
  const ports: BundlePorts = {
    ...set,
    actor: 'user alice',
    holdsAllowed: () => false,
    soundsFolder,
    signer: await openSigner(keyFile),
    madeBy: 'preavis 0.0.0',
    timezone: 'Europe/Brussels',
    companyOf: (controller) => (controller === null ? 'Example SA' : `Company ${controller}`),
    peaksOf: async (id) => {
      const kept = await set.catalogue.recordings.peaks(id);

      return kept === undefined ? undefined : set.peaks.read(kept, id);
    },
    nameOf: (purpose, language) =>
      nameOfPurpose({ training: { names: { fr: 'formation', nl: 'opleiding' } } }, purpose, language),
    stamp: undefined,
    random: () => 0.5,
  };
  const order = (line?: string) => {
    const ids = makeIds(() => ulid(callStart));
    const script = aScript(ids);
    const sentences = script.sentences.map(({ prompt, playbackId }) => {
      const sha256 = createHash('sha256')
        .update(sounds.get(prompt.id) ?? '')
        .digest('hex');

      return { playbackId, prompt: { ...prompt, sha256 } };
    });

    const given = line === undefined ? {} : { request: aRequest({ line }) };

    return anOrder(ids, { script: { ...script, sentences }, ...given });
  };

  return {
    set,
    ports,
    soundsFolder,
    keyFile,
    ofCompany: async (company) => {
      const purposes = Object.fromEntries(
        ['training', 'of-another'].map((id) => [id, { justification: 'to learn', legalBasis: 'law', keepDays: 28 }]),
      );
      const policyVersion = 'policy-of-several';
      const content = JSON.stringify({ purposes, controllerOfLine: { [company]: company, other: 'other' } });
      await set.catalogue.calls.savePolicy(policyVersion, content);
      const made = order(company);
      const { id } = await set.finished(undefined, { shape: { order: made, request: made.request, policyVersion } });
      await uploadPass(set, { waitMs: 0, signal: never, all: true });

      return id;
    },
    archived: async (wav = toneWav(440, 20), options = {}) => {
      const { id } = await set.finished(wav, { shape: { order: order() }, ...options });
      await uploadPass(set, { waitMs: 0, signal: never, all: true });
      expect((await set.catalogue.recordings.find(id))?.status).toBe('archived');

      return { id, wav };
    },
    bundle: (id, file, change = {}, more = {}) =>
      makeBundle(
        { ...ports, ...change },
        {
          id,
          purpose: 'training',
          history: 'whole',
          target: { file, replace: false },
          progress: () => undefined,
          signal: never,
          ...more,
        },
      ),
  };
}

export async function verifyFile(file: string, kid?: string, authorityFile?: string): Promise<Verified> {
  const handle = await openFile(file, 'r');
  try {
    return await verifyBundle(handle, { kid, authorityFile, signal: never });
  } finally {
    await handle.close();
  }
}

export type BundleFiles = Map<string, Buffer>;

/** The files of a bundle in their order. */
export async function filesIn(file: string): Promise<BundleFiles> {
  const handle = await openFile(file, 'r');
  try {
    const files: BundleFiles = new Map();
    for (const { name, whole } of await unpack(handle)) files.set(name, await whole());

    return files;
  } finally {
    await handle.close();
  }
}

export async function writeZip(file: string, files: Iterable<[string, Buffer]>): Promise<void> {
  const parts = Array.from(files, ([name, bytes]) =>
    largeFiles.has(name)
      ? { name, size: bytes.length, open: () => Promise.resolve(Readable.from([bytes])) }
      : { name, bytes },
  );
  await writeFile(file, await buffer(zipOf(parts)));
}

export const jsonIn = (files: BundleFiles, name: string): Record<string, unknown> =>
  JSON.parse(files.get(name)?.toString('utf8') ?? '') as Record<string, unknown>;

/**
 * Signs changed files anew, as whoever has a key can: the manifest lists them as they are, with `changes` of its own, and
 * all that stands on it fits. So only what the files say can be wrong.
 */
export async function resealed(
  file: string,
  files: BundleFiles,
  signer: Signer,
  changes: Record<string, unknown> = {},
  publicKey = Buffer.from(pemOf(signer.publicKey)),
): Promise<void> {
  const stamp = files.get(bundleFile.timeStamp);
  const above = [
    bundleFile.manifest,
    bundleFile.signedManifest,
    bundleFile.timeStamp,
    bundleFile.sums,
    bundleFile.signature,
  ];
  const content = new Map([...files].filter(([name]) => !above.some((each) => each === name)));
  content.set(bundleFile.publicKey, publicKey);
  const manifest = jsonText({
    ...jsonIn(files, bundleFile.manifest),
    key: { kid: signer.kid, publicKey: signer.publicKey },
    files: [...content].map(([name, bytes]) => ({ name, bytes: bytes.length, sha256: sha256Of(bytes) })),
    ...changes,
  });
  const claim = { manifest: { bytes: manifest.length, sha256: sha256Of(manifest) } };
  content.set(bundleFile.manifest, manifest);
  content.set(bundleFile.signedManifest, Buffer.from(await signer.sign(claim, manifestType)));
  if (stamp !== undefined) content.set(bundleFile.timeStamp, stamp);
  const sums = Buffer.from(sumsText([...content].map(([name, bytes]) => ({ name, sha256: sha256Of(bytes) }))));
  content.set(bundleFile.sums, sums);
  content.set(bundleFile.signature, signer.signBytes(sums));
  await writeZip(file, content);
}

/** As `resealed`, by somebody who makes a key of their own: the vCon is signed with it, too, so that all fits together. */
export async function forged(file: string, files: BundleFiles, signer: Signer): Promise<void> {
  const vcon = jsonIn(files, bundleFile.vcon) as Vcon;
  const content = new Map(files).set(bundleFile.signedVcon, jsonText(await signVcon(vcon, signer)));
  await resealed(file, content, signer);
}
