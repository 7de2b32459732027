import { inLanguage } from '../core/text/inLanguage.ts';
import { asController, sectionOf } from '../config/controllerView.ts';
import type { Config } from '../config/schema.ts';
import { markdownBullets, markdownFacts, markdownLine } from '../core/text/markdown.ts';
import { processingFacts } from './processingFacts.ts';
import { measuresOf } from './processingRegister.ts';

/** The register of whoever runs this installation for others (GDPR art. 30(2)): one part for each company of `controllers`. */
export type ProcessorRegister = {
  register: 1;
  printedAt: string;
  processor: Responsible;
  subprocessors: readonly string[];
  onBehalfOf: readonly {
    id: string;
    controller: Responsible;
    /** Categories of processing. */
    processing: readonly string[];
    lines: readonly string[];
    purposes: readonly string[];
    transfers: string | null;
    /** Whether the keys of its recordings are wrapped by a key that is its own. */
    ownKey: boolean;
  }[];
  measures: readonly string[];
  /** Keys of the configuration that a complete register needs and that are not set. */
  missing: readonly string[];
};

type Responsible = { name: string | null; contact: string | null; dataProtectionOfficer: string | null };

const responsible = ({
  name,
  contact,
  dataProtectionOfficer,
}: {
  name?: string | undefined;
  contact?: string | undefined;
  dataProtectionOfficer?: string | undefined;
}): Responsible => ({
  name: name ?? null,
  contact: contact ?? null,
  dataProtectionOfficer: dataProtectionOfficer ?? null,
});

const processing = [
  'Tells those who are on the telephone that the call may be recorded, and takes their answer',
  'Records calls, keeps the recordings in an archive, and erases them when their time is over',
  'Hands recordings and evidence out to those whom the controller names, and answers requests of persons for it',
];

/** @param language of the texts that a company gives in several */
export function processorRegister(config: Config, printedAt: string, language = 'en'): ProcessorRegister {
  const { processor, controllers } = config;
  const missingOf = (at: string, given: Readonly<Record<string, unknown>>): string[] =>
    Object.entries(given).flatMap(([key, value]) => (value === undefined ? [`${at}.${key}`] : []));

  return {
    register: 1,
    printedAt,
    processor: responsible(processor),
    subprocessors: processor.subprocessors,
    onBehalfOf: Object.entries(controllers).map(([id, customer]) => {
      const { lines, purposes } = asController(config, id);

      return {
        id,
        controller: responsible(customer),
        processing,
        lines: Object.keys(lines),
        purposes: Object.keys(purposes),
        transfers: customer.transfers === undefined ? null : inLanguage(customer.transfers, language),
        ownKey: (customer.encryption.key ?? customer.encryption.keyId) !== undefined,
      };
    }),
    measures: measuresOf(processingFacts(config, config)),
    missing: [
      ...missingOf('processor', { name: processor.name, contact: processor.contact }),
      ...Object.entries(controllers).flatMap(([id, { name, contact, transfers }]) =>
        missingOf(sectionOf(id), { name, contact, transfers }),
      ),
    ],
  };
}

const stated = (text: string | null): string => text ?? 'not stated';

const facts = ({ name, contact, dataProtectionOfficer }: Responsible, who: string): [string, string][] => [
  [who, stated(name)],
  ['Contact', stated(contact)],
  ['Data protection officer', stated(dataProtectionOfficer)],
];

export function processorRegisterMarkdown(register: ProcessorRegister): string {
  const { missing, processor, subprocessors, onBehalfOf } = register;
  const lines = [
    '# Register of processing on behalf of others: recording of telephone calls',
    '',
    `GDPR art. 30(2). Printed ${register.printedAt}.`,
    '',
    ...(missing.length === 0 ? [] : [`**Not complete:** the configuration does not set ${missing.join(', ')}.`, '']),
    ...markdownFacts([
      ...facts(processor, 'Processor'),
      ['Other processors', subprocessors.join('; ') || 'none stated'],
    ]),
    '',
    ...onBehalfOf.flatMap((each) => [
      `## ${markdownLine(each.id)}`,
      '',
      ...markdownFacts([
        ...facts(each.controller, 'Controller'),
        ['Categories of processing', each.processing.join('; ')],
        ['Lines', each.lines.join(', ') || '-'],
        ['Purposes', each.purposes.join(', ') || '-'],
        ['Transfers outside the EEA', stated(each.transfers)],
        ['Key of its recordings', each.ownKey ? 'its own' : 'the common one, or none'],
      ]),
      '',
    ]),
    '## Technical and organisational measures',
    '',
    ...markdownBullets(register.measures),
  ];

  return `${lines.join('\n')}\n`;
}
