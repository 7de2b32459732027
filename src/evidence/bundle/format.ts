/** What is in a bundle of evidence, under which names and in which order; docs/evidence.md says it for people. */
import * as z from 'zod';
import { sha256Form } from '../../core/crypto/sha256.ts';
import { directions } from '../../catalogue/rows.ts';
import { objection, wasHeard, wasTold } from '../../call/decide/recordable.ts';

export const bundleFile = {
  recording: 'recording.wav',
  receipt: 'receipt.json',
  policy: 'policy.json',
  audit: 'audit.json',
  auditChain: 'audit-chain.txt',
  vcon: 'vcon.json',
  signedVcon: 'vcon.jws.json',
  publicKey: 'public-key.pem',
  manifest: 'manifest.json',
  signedManifest: 'manifest.jws',
  timeStamp: 'timestamp.tsr',
  sums: 'SHA256SUMS',
  signature: 'signature.bin',
} as const;

/** What may be large is read piece by piece; anything else of a bundle is smaller. */
export const largeFiles: ReadonlySet<string> = new Set([bundleFile.recording, bundleFile.auditChain]);

export const explanationLanguages = ['fr', 'nl', 'de', 'en'] as const;
export type ExplanationLanguage = (typeof explanationLanguages)[number];

/** The pages, in their order: that in the language of the call is what a reader opens first. */
export const pageFiles = (own: ExplanationLanguage): Readonly<Record<ExplanationLanguage, string>> => ({
  fr: 'explanation.fr.html',
  nl: 'explanation.nl.html',
  de: 'explanation.de.html',
  en: 'explanation.en.html',
  [own]: 'index.html',
});

/** Of the sentences of the receipt, counted from 1. */
export const noticeFile = (number: number, { prompt, language }: { prompt: string; language: string }): string =>
  `notice/${number}-${prompt}-${language}.wav`;

/** What a signature says it is over, so that one cannot be taken for the other. */
export const manifestType = 'preavis-evidence-manifest+jws';
export const vconType = 'vcon+jws';

const manifestOf1 = z.strictObject({
  /** The form of the bundle. Those of form 1 have pages in Markdown. */
  bundle: z.literal(1),
  /** By the clock of the machine that made it. */
  madeAt: z.iso.datetime(),
  /** `preavis` and its version. */
  madeBy: z.string(),
  recording: z.string(),
  call: z.string(),
  /** The purpose that it was made for, and until when the recording may be used for it. */
  purpose: z.string(),
  keepUntil: z.iso.datetime(),
  key: z.strictObject({
    kid: z.string(),
    publicKey: z.strictObject({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: z.string() }),
  }),
  /** The newest line of the whole audit trail when the bundle was made; null where the trail has no chain. */
  auditHead: z.strictObject({ id: z.int(), chain: sha256Form }).nullable(),
  /** Every file but the manifest and what stands on it: its signature, the time stamp, SHA256SUMS and its signature. */
  files: z.array(z.strictObject({ name: z.string(), bytes: z.int(), sha256: sha256Form })),
  /** Sentences of the notice whose sound is no longer there as it was played: no other sound is put in its place. */
  noticeMissing: z.array(
    z.strictObject({ number: z.int(), prompt: z.string(), language: z.string(), sha256: sha256Form }),
  ),
});
const manifestOf2 = manifestOf1.extend({
  bundle: z.literal(2),
  /** In which language index.html is. */
  language: z.enum(explanationLanguages),
  timeStamp: z.boolean(),
});
export const manifestSchema = z.discriminatedUnion('bundle', [manifestOf1, manifestOf2]);
export type Manifest = z.infer<typeof manifestOf2>;
export type AnyManifest = z.infer<typeof manifestSchema>;

/** The pages that must be in a bundle. */
export const pagesOf = (manifest: AnyManifest): readonly string[] =>
  manifest.bundle === 1
    ? explanationLanguages.map((language) => `explanation.${language}.md`)
    : Object.values(pageFiles(manifest.language));

export const manifestClaim = z.strictObject({ manifest: z.strictObject({ bytes: z.int(), sha256: sha256Form }) });

const time = z.iso.datetime().nullable();

/** What a receipt must say for a bundle, whatever else its version has. */
export const receiptFacts = z.object({
  call: z.object({
    id: z.string(),
    startedAt: z.iso.datetime(),
    endedAt: time,
    /** Receipts before version 6 are of incoming calls. */
    direction: z.enum(directions).default('incoming'),
  }),
  policyVersion: z.string(),
  purposes: z.array(
    z.object({
      id: z.string(),
      justification: z.string(),
      legalBasis: z.string(),
      keepDays: z.number(),
      keepUntil: time.optional(),
    }),
  ),
  notice: z.array(
    z.object({
      prompt: z.string().regex(/^[a-z0-9][A-Za-z0-9_-]{0,79}$/),
      language: z.string().regex(/^[A-Za-z]{2,8}(_[A-Za-z0-9]{1,8})*$/),
      text: z.string(),
      sha256: sha256Form,
      startedAt: time,
      finishedAt: time,
      verified: z.boolean(),
      verdict: z.string(),
    }),
  ),
  otherSentences: z
    .array(
      z.object({
        kind: z.string(),
        language: z.string(),
        text: z.string(),
        lengthMs: z.number().optional(),
        startedAt: time,
        finishedAt: time,
      }),
    )
    .optional(),
  changes: z.array(z.object({ change: z.string(), at: time.optional(), party: z.string().nullish() })).optional(),
  unwatched: z.array(z.object({ judged: z.string().nullable() })).optional(),
  consent: z.object({
    mode: z.enum(['announce', 'optOut', 'optIn']).nullable(),
    answer: z.enum(['none', 'accepted', 'refused']),
    digits: z.string().nullable(),
    at: time,
  }),
  witness: z.object({ status: z.string() }).nullish(),
  earlierNotice: z.object({ call: z.string(), finishedAt: time }).optional(),
  recording: z.object({
    id: z.string(),
    startedAt: time,
    finishedAt: time,
    gapMs: z.number().nullable(),
    bytes: z.number(),
    durationMs: z.number().nullable(),
    sha256: sha256Form,
    flags: z.array(z.string()),
    keepUntil: time,
  }),
  asterisk: z.object({ version: z.string() }),
});
export type ReceiptFacts = z.infer<typeof receiptFacts>;

/** The language of the call, as far as there are pages in it: that of the first sentence that was begun. */
export function languageOf({ notice }: ReceiptFacts): ExplanationLanguage {
  const tag = notice
    .find(({ startedAt }) => startedAt !== null)
    ?.language.split('_')[0]
    ?.toLowerCase();

  return explanationLanguages.find((each) => each === tag) ?? 'en';
}

/** The sentences that were begun, with their numbers. */
export function sentencesHeard({ notice }: ReceiptFacts): (ReceiptFacts['notice'][number] & { number: number })[] {
  return notice.filter(({ startedAt }) => startedAt !== null).map((each, index) => ({ ...each, number: index + 1 }));
}

/**
 * Why the receipt does not show that who was to be told was so before the recording began; undefined when it does. What it says
 * is compared with itself only.
 */
export function receiptFault(receipt: ReceiptFacts): string | undefined {
  const heard = sentencesHeard(receipt);
  const { startedAt, gapMs } = receipt.recording;
  if (!heard.some(({ verified }) => verified)) return 'the receipt has no sentence of the notice that was heard whole';
  const unheard = heard.find(({ verdict }) => !wasHeard(verdict));
  if (unheard !== undefined) return `sentence ${unheard.number} of the notice was not heard whole, by the receipt`;
  if (gapMs !== null && gapMs < 0) return 'the recording began before the notice had ended, by the receipt';
  const late = heard.find(({ finishedAt, verified }) =>
    finishedAt === null ? verified : startedAt !== null && Date.parse(finishedAt) > Date.parse(startedAt),
  );
  if (late !== undefined) return `sentence ${late.number} of the notice ended after the recording had begun`;

  const { answer, mode } = receipt.consent;
  const objected = objection(mode ?? 'announce', answer);
  if (objected === 'refused') return 'who was told refused, by the receipt';
  if (objected === 'no_consent') return 'who was asked did not say yes, by the receipt';

  return wasTold(heard.map(({ verdict }) => verdict)) ? undefined : 'the receipt does not show that anybody was told';
}

/** A JSON document as it lies in a bundle. */
export const jsonText = (value: unknown): Buffer => Buffer.from(`${JSON.stringify(value, undefined, 2)}\n`, 'utf8');

/** As `sha256sum` writes it, and reads it with `-c`. */
export const sumsText = (files: readonly { name: string; sha256: string }[]): string =>
  files.map(({ name, sha256 }) => `${sha256}  ${name}\n`).join('');
