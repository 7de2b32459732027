import * as z from 'zod';
import { encryptionKeyFault, encryptionKeyOf, keyIdPattern } from './encryptionKey.ts';
import { key, name, section } from './field.ts';
import { localText } from './localText.ts';

/** Who is responsible for recordings: the company itself, and on a PBX of many customers each of them. */

/** In the place of a name of `controllers`: the calls of lines that belong to none of them. */
export const ownCalls = 'own';

/** What is wrong with a list of companies; undefined where nothing is. */
export function unknownCompanies(
  named: readonly string[] | undefined,
  companies: Readonly<Record<string, unknown>>,
): string | undefined {
  const unknown = (named ?? []).filter((each) => each !== ownCalls && !Object.hasOwn(companies, each));

  return unknown.length === 0 ? undefined : `${unknown.join(', ')}: is neither a name of controllers nor ${ownCalls}`;
}

/** Whether transfers as a company states them are that there are none, as the documentation tells to write it. */
export const isNoTransfer = (stated: string): boolean => stated.trim().toLowerCase() === 'none';

const text = z.string().trim().min(1);

const responsible = {
  name: key(text.optional(), 'Who is responsible for the recordings: the company.'),
  contact: key(text.optional(), 'How to reach it, in one line.'),
  dataProtectionOfficer: key(text.optional(), 'How to reach its data protection officer, if it has one.'),
  recipients: key(
    z.array(text).default([]),
    'Who else receives recordings, for example the company that hosts the archive.',
  ),
  transfers: key(
    localText(text).optional(),
    'Transfers to countries outside the EEA and their safeguards, or that there are none. One text, or one for each language of the readers.',
  ),
};

/** The part `controller` of the configuration. */
export const controller = section(responsible);

const wrappingKey = z.string().refine((line) => encryptionKeyOf(line) !== undefined, encryptionKeyFault);
const keyId = z.string().regex(keyIdPattern, 'is not the id of a key');

/** One of `controllers`. */
const customer = z.strictObject({
  ...responsible,
  encryption: section({
    key: key(
      wrappingKey.optional(),
      'Key that wraps the keys of its recordings, and of no others (archive.encryption.mode client); better given by a file.',
      { secret: true },
    ),
    keyFile: key(z.string().min(1).optional(), 'File that holds it in its first line.'),
    oldKeys: key(
      z.array(wrappingKey).min(1).optional(),
      'Earlier such keys, with which is only read; better given by files.',
      { secret: true },
    ),
    oldKeyFiles: key(z.array(z.string().min(1)).default([]), 'Files that hold one of them each, in the first line.'),
    keyId: key(keyId.optional(), 'The id of its key in the KMS of archive.encryption.kmsCommand, in the place of key.'),
    oldKeyIds: key(z.array(keyId).default([]), 'Ids of its earlier keys there, with which is only read.'),
  }),
});

export const controllers = z
  .record(name, customer)
  .refine((all) => !Object.hasOwn(all, ownCalls), `has the name ${ownCalls}, which stands for lines without one`);

/** The part `processor` of the configuration. */
export const processor = section({
  name: key(text.optional(), 'Who runs this installation for the companies of controllers (GDPR art. 28).'),
  contact: key(text.optional(), 'How to reach it, in one line.'),
  dataProtectionOfficer: key(text.optional(), 'How to reach its data protection officer, if it has one.'),
  subprocessors: key(z.array(text).default([]), 'Who else processes for them on its behalf, such as a data centre.'),
});

type CustomerConfig = z.output<typeof customer>;

type Given = {
  controllers: Readonly<Record<string, CustomerConfig>>;
  lines: Readonly<Record<string, { controller?: string | undefined }>>;
  archive: { encryption: { mode: string; kmsCommand?: readonly string[] | undefined } };
};

/** What does not go together. */
export function controllerFaults({ controllers, lines, archive }: Given): { path: string[]; message: string }[] {
  const { mode, kmsCommand } = archive.encryption;
  const ofLines = Object.entries(lines).flatMap(([line, { controller: named }]) =>
    named === undefined || Object.hasOwn(controllers, named)
      ? []
      : [{ path: ['lines', line, 'controller'], message: 'is not a name of controllers' }],
  );
  const ofKeys = Object.entries(controllers).flatMap(([id, { encryption }]) => {
    const at = (last: string, message: string) => [{ path: ['controllers', id, 'encryption', last], message }];
    const hasKey = (encryption.key ?? encryption.keyFile) !== undefined;
    const hasId = encryption.keyId !== undefined;
    if (hasKey && hasId) return at('keyId', 'is the id of a key in the KMS, and there is a key beside it');
    if ((hasId || encryption.oldKeyIds.length > 0) && kmsCommand === undefined) {
      return at('keyId', 'needs archive.encryption.kmsCommand, which is missing');
    }
    if ((hasKey || hasId) && mode !== 'client') {
      return at(hasKey ? 'key' : 'keyId', 'needs archive.encryption.mode: client');
    }

    return [];
  });

  return [...ofLines, ...ofKeys];
}
