import { appearWhole, refuseTaken, writing } from '../../../archive/verifiedCopy.ts';
import type { Catalogue } from '../../../catalogue/catalogue.ts';
import type { CertificateRow } from '../../../catalogue/retention/certificates.ts';
import { counted } from '../../../core/text/counted.ts';
import { PreavisError } from '../../../core/errors.ts';
import { isUlid, type RecordingId } from '../../../core/ids.ts';
import { readCertificate, type Certificate } from '../../../retention/certificates/certificate.ts';
import type { Services } from '../../../services/services.ts';
import { configOf } from '../../configuration.ts';
import { answer, type CommandContext, type ExitCode, type Json } from '../../context.ts';
import { localTime } from '../../localTime.ts';
import { requireFileName } from '../../options.ts';
import { withServices } from '../../withServices.ts';

/** Greater than every hash, so that what follows begins with the next number. */
const afterEveryHash = '~';

/** Those of this number, or of the recording with this id: more than one where an older catalogue was put back. Throws certificate_unknown. */
async function find({ certificates }: Pick<Catalogue, 'certificates'>, asked: string): Promise<CertificateRow[]> {
  const number = /^[1-9]\d{0,14}$/.test(asked) ? Number(asked) : undefined;
  const rows =
    number === undefined
      ? isUlid(asked)
        ? await certificates.of(asked as RecordingId)
        : []
      : (await certificates.listBeyond({ number: number - 1, sha256: afterEveryHash }, 100)).filter(
          (row) => row.number === number,
        );
  if (rows.length === 0) throw new PreavisError('certificate_unknown', 'there is no such certificate');

  return rows;
}

/** A certificate with what is known of it beside. */
type Read = {
  content: Certificate;
  /** Of the key that signed it, and whether it is in use or in evidence.trustedKeys. */
  kid: string;
  trusted: boolean;
  inLedger: boolean;
  inArchive: boolean;
  jws: string;
};

/** Throws certificate_invalid. */
async function read({ jws, inLedger, inArchive }: CertificateRow, { trusts }: Pick<Services, 'trusts'>): Promise<Read> {
  const { content, kid } = await readCertificate(jws);

  return { content, kid, trusted: await trusts(kid), inLedger, inArchive, jws };
}

async function readAll(asked: readonly string[], services: Services): Promise<Read[]> {
  const found = new Map<string, CertificateRow>();
  for (const each of asked) for (const row of await find(services.catalogue, each)) found.set(row.sha256, row);

  return Promise.all(Array.from(found.values(), (row) => read(row, services)));
}

const shown = ({ content, ...beside }: Read) => ({ ...content, ...beside });

function ruleInWords({ rule }: Certificate): string {
  switch (rule.kind) {
    case 'due':
      return `due since ${localTime(Date.parse(rule.keepUntil))}, of ${rule.purposes.map(({ id }) => id).join(' and ')}`;
    case 'subject':
      return `asked for by the person concerned (${rule.article})`;
    case 'decided':
      return `decided by who is responsible (${rule.article})${rule.reference === null ? '' : `, file ${rule.reference}`}`;
  }
}

function inWords({ content, kid, trusted, inLedger, inArchive }: Read): string {
  const { objects, verification } = content;
  const places = ['the catalogue', ...(inLedger ? ['the ledger'] : []), ...(inArchive ? ['the archive'] : [])];
  const rows: [string, string][] = [
    ['Recording', content.recording],
    ['Erased since', ruleInWords(content)],
    ['Begun', `${localTime(Date.parse(content.begunAt))} by ${content.actor}`],
    ['Checked', `${localTime(Date.parse(content.verifiedAt))}: no version left, local file ${verification.localFile}`],
    ...objects.map(({ key, versions }): [string, string] => [
      'Object',
      `${key}, ${counted(versions.length, 'version')}`,
    ]),
    ['Size', content.bytes === null ? 'not measured' : counted(content.bytes, 'byte')],
    ['SHA-256', content.sha256 ?? 'not measured'],
    ['Signed by', `${kid}${trusted ? '' : ', a key that is not trusted'}`],
    ['Kept in', places.join(', ')],
  ];

  return [
    `Certificate of erasure ${content.number}`,
    ...rows.map(([name, value]) => `  ${name.padEnd(14)}${value}`),
  ].join('\n');
}

/** Shows a certificate, whose signature was verified. Exit 3 where its key is not trusted. Throws certificate_unknown, certificate_invalid. */
export async function certificatesShow(context: CommandContext, asked: string, { json }: Json): Promise<ExitCode> {
  const config = await configOf(context);

  return withServices<ExitCode>(context, config, 'command', async (services) => {
    const certificates = await readAll([asked], services);
    answer(context, json, { certificates: certificates.map(shown) }, () => certificates.map(inWords));

    return certificates.every(({ trusted }) => trusted) ? 0 : 3;
  });
}

type ExportOptions = { output: string; force: boolean; json: boolean };

/**
 * Writes certificates into a file, for a person or an authority that wants the proof. Exit 3 where the key of one is not trusted. Throws
 * certificate_unknown, certificate_invalid, usage, output_unwritable.
 */
export async function certificatesExport(
  context: CommandContext,
  asked: readonly string[],
  { output, force, json }: ExportOptions,
): Promise<ExitCode> {
  requireFileName(output);
  const config = await configOf(context);
  const target = { file: output, replace: force };
  await refuseTaken(target);

  return withServices<ExitCode>(context, config, 'command', async (services) => {
    const certificates = await readAll(asked, services);
    // What is known of our own copies is nobody else's matter.
    const exported = certificates.map(({ content, kid, jws }) => ({ ...content, kid, jws }));
    const text = `${JSON.stringify({ certificates: exported }, undefined, 2)}\n`;
    await appearWhole(
      target,
      (handle) => writing(() => handle.writeFile(text)),
      () => Promise.resolve(),
    );
    const numbers = certificates.map(({ content }) => content.number);
    const untrusted = certificates.filter(({ trusted }) => !trusted).map(({ content }) => content.number);
    answer(context, json, { file: output, certificates: numbers, untrusted }, () => [
      ...untrusted.map((number) => `${number}: signed by a key that is not trusted`),
      `${counted(numbers.length, 'certificate')} in ${output}`,
    ]);

    return untrusted.length === 0 ? 0 : 3;
  });
}
