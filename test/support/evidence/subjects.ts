import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fromBuffer } from 'yauzl';
import { buffer } from 'node:stream/consumers';
import { ulid } from 'ulid';
import { uploadPass } from '../../../src/archive/uploadPass.ts';
import { makeCallerKeeper } from '../../../src/call/plan/callerStore.ts';
import { makeCallerHash } from '../../../src/call/plan/preferences.ts';
import type { CommandContext } from '../../../src/cli/context.ts';
import { subjectErase, subjectExport } from '../../../src/cli/commands/subject.ts';
import { subjectFind } from '../../../src/cli/commands/subjectFind.ts';
import type { PersonOptions } from '../../../src/cli/personAsked.ts';
import type { CallId, RecordingId } from '../../../src/core/ids.ts';
import { makeIds } from '../../../src/core/ids.ts';
import { archiveStage, type ArchiveStage } from '../archive/archiving.ts';
import { aRequest, anOrder, callStart, configTree } from '../call/calls.ts';
import { saveCall } from '../catalogue/catalogues.ts';

/** Persons who have called, and the commands that answer their requests. */

export const hashKey = 'h'.repeat(40);
export const numberKey = 'n'.repeat(40);
/** The same number as people write it, and as trunks give it. */
export const number = '+3225550123';
export const forms = ['+32 2 555 01 23', '0032 2 555 01 23', '02/555.01.23'];
export const hash = makeCallerHash(hashKey, 'BE')(number) ?? '';

/** Kinds: training, evidence, obligation; `gone` is one that the configuration does not have. */
const keepDays = { training: 28, agreement: 395, orders: 1_900, gone: 395 };
const policy = `policy-of-${keepDays.agreement}-days`;

export type SubjectStage = ArchiveStage & {
  at: string;
  /** A recorded call of this number; archived unless told. */
  called(
    from: string,
    options?: {
      purposes?: string[];
      line?: string;
      archived?: boolean;
      startedAt?: number;
      /** The telephone that answered. */
      extension?: string;
      /** The number of the company that the caller dialled. */
      dialled?: string;
    },
  ): Promise<{ call: CallId; id: RecordingId; wav: Buffer }>;
  /** A call that nothing was recorded of. */
  calledOnly(from: string, line?: string, extension?: string, dialled?: string): Promise<CallId>;
  /** The configuration that the commands read. */
  configFile: string;
  listed(options: PersonOptions & { json?: boolean }): Promise<Answer>;
  exported(options?: Partial<Parameters<typeof subjectExport>[1]>): Promise<Answer>;
  erased(options?: Partial<Parameters<typeof subjectErase>[1]>): Promise<Answer>;
};
export type Answer = { code: number; text: string; json: Record<string, unknown> };

export async function subjectStage(
  at: string,
  open: Parameters<typeof archiveStage>[1],
  privacy: Record<string, unknown> = { hashKey, numberKey },
  /** Companies beside the one of the installation, each with a line of its name. */
  companies: readonly string[] = [],
): Promise<SubjectStage> {
  await mkdir(at);
  const set = await archiveStage(at, open);
  const { catalogue, clock } = set;
  let made = 0;
  // Of the time of the calls, as ids are, and in rising order.
  const ids = makeIds(() => ulid(callStart + (made += 1)));
  const tree = configTree() as Record<'purposes' | 'lines', Record<string, Record<string, unknown>>>;
  const purposes = {
    ...tree.purposes,
    orders: {
      ...tree.purposes['agreement'],
      kind: 'obligation',
      legalBasis: 'GDPR art. 6(1)(c), Directive 2014/65/EU art. 16(7)',
      keepDays: keepDays.orders,
    },
  };
  const config = join(at, 'preavis.yaml');
  const lines = Object.fromEntries(
    companies.map((company) => [company, { ...tree.lines['default'], controller: company }]),
  );
  const content = {
    ...tree,
    lines: { ...tree.lines, ...lines },
    controllers: Object.fromEntries(
      companies.map((company) => [company, { name: `Company ${company}`, contact: `${company}@example.com` }]),
    ),
    purposes,
    privacy,
    controller: { name: 'Exemple & Fils SA', contact: 'privacy@example.com' },
    recording: { spoolFolder: set.spoolFolder, minimumFreeMib: 0 },
    catalogue: { file: join(at, 'catalogue.db') },
    archive: { directory: { folder: join(at, 'archive') } },
  };
  await writeFile(config, JSON.stringify(content), { mode: 0o600 });
  const why = { justification: 'since <we> must', legalBasis: 'law & order' };
  await catalogue.calls.savePolicy(
    policy,
    JSON.stringify({
      purposes: Object.fromEntries(Object.entries(keepDays).map(([id, days]) => [id, { ...why, keepDays: days }])),
      controllerOfLine: Object.fromEntries(companies.map((company) => [company, company])),
    }),
  );
  const keeper = makeCallerKeeper({
    table: catalogue.callers,
    hashKey: typeof privacy['hashKey'] === 'string' ? privacy['hashKey'] : undefined,
    numberKey: typeof privacy['numberKey'] === 'string' ? privacy['numberKey'] : undefined,
    defaultCountry: 'BE',
  });
  const answered = async (run: (context: CommandContext) => Promise<number>): Promise<Answer> => {
    const printed: string[] = [];
    const context = { configFile: config, environment: {}, clock, print: (line: string) => printed.push(line) };
    const code = await run(context);
    const text = printed.join('\n');

    return { code, text, json: text.startsWith('{') ? (JSON.parse(text) as Record<string, unknown>) : {} };
  };
  const noInput = { firstLine: (): Promise<string> => Promise.reject(new Error('standard input was read')) };

  return {
    ...set,
    at,
    configFile: config,
    called: async (
      from,
      { purposes: wanted = ['training'], line = 'default', archived = true, extension, dialled } = {},
    ) => {
      const order = anOrder(ids, { request: aRequest({ purposes: wanted, line }) });
      const shape = { order, policyVersion: policy, request: order.request };
      const call = await set.finished(undefined, { keepDays: keepDays.agreement, shape });
      await keeper.keep(call.facts.id, from);
      if (extension !== undefined) await catalogue.extensions.keep(call.facts.id, extension);
      if (dialled !== undefined) await catalogue.dialled.keep(call.facts.id, dialled);
      if (archived) await uploadPass(set, { waitMs: 0, signal: new AbortController().signal, all: true });

      return { call: call.facts.id, id: call.id, wav: call.wav };
    },
    calledOnly: async (from, line = 'default', extension, dialled) => {
      const order = anOrder(ids, { request: aRequest({ line }) });
      const { facts } = await saveCall(catalogue, {
        ...{ keepDays: keepDays.agreement, shape: { order, policyVersion: policy, request: order.request } },
        events: () => [{ type: 'callerLeft', at: clock.now() }],
      });
      await keeper.keep(facts.id, from);
      if (extension !== undefined) await catalogue.extensions.keep(facts.id, extension);
      if (dialled !== undefined) await catalogue.dialled.keep(facts.id, dialled);

      return facts.id;
    },
    listed: (options) => answered((context) => subjectFind(context, { json: true, ...options }, noInput)),
    exported: (options = {}) =>
      answered((context) =>
        subjectExport(
          context,
          { number, output: join(at, 'out.zip'), language: 'en', force: false, json: true, ...options },
          noInput,
        ),
      ),
    erased: (options = {}) =>
      answered((context) =>
        subjectErase(context, { number, apply: true, includeEvidence: false, json: true, ...options }, noInput),
      ),
  };
}

/** Every file in a ZIP. */
export function unzipped(zip: Buffer): Promise<Map<string, Buffer>> {
  return new Promise((resolve, reject) => {
    const files = new Map<string, Buffer>();
    fromBuffer(zip, { lazyEntries: true }, (error, archive) => {
      if (error !== null) {
        reject(error);
        return;
      }
      archive.on('error', reject);
      archive.on('end', () => {
        resolve(files);
      });
      archive.on('entry', (entry: { fileName: string }) => {
        archive.openReadStream(entry as never, (fault, stream) => {
          if (fault !== null) {
            reject(fault);
            return;
          }
          buffer(stream).then((bytes) => {
            files.set(entry.fileName, bytes);
            archive.readEntry();
          }, reject);
        });
      });
      archive.readEntry();
    });
  });
}
