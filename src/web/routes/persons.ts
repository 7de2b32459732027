import * as z from 'zod';
import type { Actor } from '../../access/actor.ts';
import { auditOf } from '../../access/audit.ts';
import { makeNumberReader } from '../../call/plan/callerStore.ts';
import { prepareSearch } from '../../catalogue/numberKeys.ts';
import { logEmptied, logWaitMs } from '../../catalogue/sqlite/emptyLog.ts';
import { recordingStatuses } from '../../catalogue/statuses.ts';
import { ownCalls } from '../../config/controllerSchema.ts';
import { asController } from '../../config/controllerView.ts';
import { purposeOf } from '../../config/purposeRules.ts';
import { PreavisError } from '../../core/errors.ts';
import { timeLimit } from '../../core/timeLimit.ts';
import { languageOf, preparePage } from '../../dataSubject/answerFor.ts';
import { eraseForPerson, type SubjectErasure } from '../../dataSubject/erase.ts';
import { exportForPerson } from '../../dataSubject/export.ts';
import type { Person } from '../../dataSubject/findCalls.ts';
import { subjectLanguages } from '../../dataSubject/languages.ts';
import { shownErasure } from '../../dataSubject/shownErasure.ts';
import { copyMissingCertificates } from '../../retention/certificates/copies.ts';
import { eraseRecording, lockInArchive } from '../../retention/erasure.ts';
import { handOut } from '../handOut.ts';
import { hashOf } from '../number.ts';
import type { WebPorts } from '../ports.ts';
import { refusal, RequestInvalid } from '../problems.ts';
import { route, type Route } from '../route.ts';
import { named, nameGiven, referenceGiven } from '../schemas.ts';
import { stillSignedIn } from '../subjects.ts';
import { exception } from './erasure.ts';

/** So long another job that has the catalogue is waited for, ms. */
const waitMs = 10_000;
/** A person may have many calls, each of which is read from the archive or erased there, ms. */
const withinMs = 10 * 60_000;
const mostExports = 2;

const personAsked = {
  number: z.string().min(1).max(40).describe('In any national or international form, or a tel: URI.'),
  controller: nameGiven
    .optional()
    .describe('The company that is asked, of `controllers`, or `own`; needed where there are several.'),
  reference: referenceGiven.optional(),
};
const language = z
  .enum(subjectLanguages)
  .optional()
  .describe('Of what the person is given. Default: that in which they were last spoken to.');
const includeEvidence = z.boolean().default(false).describe('Also what is kept as evidence: you have weighed it.');

const outcome = z.object({
  kind: z.enum(['erase', 'erased', 'kept', 'failed', 'unfinished', 'lost', 'gone']),
  certificate: z.int().optional().describe('Its number.'),
  exceptions: z.array(exception).optional().describe('What keeps it.'),
  ended: z.array(z.string()).optional().describe('The purposes that end now.'),
  code: z.string().optional().describe('Why it could not be erased; one of docs/errors.md.'),
});

const found = z.object({
  applied: z.boolean(),
  calls: z.int(),
  recordings: z.array(
    z.object({
      id: z.string(),
      startedAt: z.iso.datetime().nullable(),
      status: z.enum(recordingStatuses),
      purposes: z.array(z.string()),
      outcome,
    }),
  ),
  unrecordedCalls: z.int().describe('Calls without a recording: whose they were is forgotten.'),
  openCalls: z.array(z.string()).describe('Calls that go on: ask again after them.'),
  unreadableCalls: z.array(z.string()),
  languageRemembered: z.boolean(),
  copyFailure: z.string().nullable(),
  keysNotSearched: z.array(z.string()).describe('What is kept under other keys of numbers is not found.'),
});
const preview = named('PersonFound', found);
const erased = named(
  'PersonErased',
  found.extend({
    logEmptied: z.boolean(),
    answer: z
      .object({ language: z.enum(subjectLanguages), html: z.string() })
      .describe('The answer to the person, a page that needs nothing else. Read it before you send it.'),
  }),
);

type Asked = {
  person: Extract<Person, { kind: 'caller' }>;
  controller: string | null | undefined;
  keysNotSearched: string[];
};

/** Whoever asks names the company where there are several, and sees it. Throws request_invalid and access_refused. */
async function controllerOf(
  asked: string | undefined,
  actor: Actor,
  { config, catalogue }: WebPorts,
): Promise<string | null | undefined> {
  const names = new Set([...Object.keys(config.controllers), ...(await catalogue.recordings.controllers())]);
  const fault = (message: string): RequestInvalid => new RequestInvalid([{ where: 'body.controller', message }]);
  if (asked === undefined && names.size > 0) throw fault('is missing: there are several companies');
  // Before it is said whether there is such a company: whoever sees one of them learns no other's name.
  const seen = actor.controllers === undefined || actor.controllers.includes(asked ?? ownCalls);
  if (!seen) throw refusal('company');
  if (asked !== undefined && asked !== ownCalls && !names.has(asked)) throw fault('is not a company');
  if (names.size === 0) return undefined;

  return asked === ownCalls ? null : asked;
}

async function personOf(
  {
    number,
    controller,
    reference,
  }: { number: string; controller?: string | undefined; reference?: string | undefined },
  actor: Actor,
  ports: WebPorts,
): Promise<Asked> {
  const chosen = await controllerOf(controller, actor, ports);
  const hash = await hashOf(number, ports.config);
  const keysNotSearched = await prepareSearch(ports.catalogue, hash);
  const why = { ground: 'person' as const, ...(reference === undefined ? {} : { reference }) };
  await ports.catalogue.auditTrail.append(null, auditOf(actor, { did: 'searchedByNumber', ...why }));

  return { person: { kind: 'caller', hash }, controller: chosen, keysNotSearched };
}

function erasing(
  actor: Actor,
  { person, controller }: Asked,
  { apply, includeEvidence }: { apply: boolean; includeEvidence: boolean },
  ports: WebPorts,
): Promise<SubjectErasure> {
  const { config, ledger } = ports;
  const operator = actor.name;

  return eraseForPerson(
    {
      ...ports,
      operator,
      erase: (row) => eraseRecording(row, { rule: 'subject', operator }, ports),
      lockInArchive: (row, signal) => lockInArchive(row, ports, signal),
      checkLedger: () => ledger.check(),
      copyCertificates: () => copyMissingCertificates(ports),
    },
    {
      person,
      controller,
      apply,
      includeEvidence,
      kindOf: (purpose) => purposeOf(config.purposes, purpose)?.kind,
      waitMs,
      // Who has left may not stop it in the middle.
      signal: timeLimit(withinMs),
    },
  );
}

const find = route({
  method: 'POST',
  path: '/persons/find',
  summary: 'Find what is kept of somebody by their number, and tell what an erasure would do',
  description: 'Nothing is changed. That somebody has looked is a step of the audit trail; the number is not.',
  act: 'answerPersons',
  body: z.strictObject({ ...personAsked, includeEvidence }),
  withinMs,
  answer: { status: 200, schema: preview, description: 'What there is, and what would become of it.' },
  handle: async ({ actor, body }, ports) => {
    const who = await personOf(body, actor, ports);
    const result = await erasing(actor, who, { apply: false, includeEvidence: body.includeEvidence }, ports);

    return { kind: 'json', body: { ...shownErasure(result, false), keysNotSearched: who.keysNotSearched } };
  },
});

const erase = route({
  method: 'POST',
  path: '/persons/erase',
  summary: 'Erase what is kept of somebody, but for what must be kept, and write the answer to them (GDPR art. 17)',
  description:
    'As `preavis subject erase --apply`. It goes on when whoever asked has left. The answer is in this response alone: afterwards nobody knows any more whose calls they were.',
  act: 'answerPersons',
  body: z.strictObject({ ...personAsked, includeEvidence, language }),
  withinMs: withinMs + waitMs,
  answer: { status: 200, schema: erased, description: 'What became of each recording, and the answer to the person.' },
  handle: async ({ actor, body }, ports) => {
    const who = await personOf(body, actor, ports);
    const { language: chosen, page } = await preparePage(body.language, who, ports);
    const result = await erasing(actor, who, { apply: true, includeEvidence: body.includeEvidence }, ports);
    const isLogEmptied = await logEmptied(ports.catalogue, logWaitMs);
    const html = page(result, who.keysNotSearched.length > 0);

    return {
      kind: 'json',
      body: {
        ...shownErasure(result, true),
        keysNotSearched: who.keysNotSearched,
        logEmptied: isLogEmptied,
        answer: { language: chosen, html },
      },
    };
  },
});

function exporting(): Route {
  let underWay = 0;

  return route({
    method: 'POST',
    path: '/persons/export',
    summary: 'Download what is kept of somebody, for them (GDPR art. 15)',
    description:
      'A ZIP, as `preavis subject export` makes it. It holds the voices of others, too: look through it before you give it away (art. 15(4)). The headers Preavis-Calls and Preavis-Missing count the calls in it, and what could not be put in.',
    act: 'answerPersons',
    body: z.strictObject({ ...personAsked, language }),
    withinMs,
    answer: { status: 200, contentType: 'application/zip', description: 'The file for the person.' },
    handle: async ({ actor, credentials, body, signal }, ports) => {
      if (underWay >= mostExports) throw new PreavisError('too_busy', 'too many exports are being made');
      underWay += 1;
      try {
        const who = await personOf(body, actor, ports);
        const { person, controller } = who;
        const { config, catalogue } = ports;
        const exportPorts = {
          ...ports,
          config: asController(config, controller ?? null),
          numberOf: makeNumberReader(config.privacy.numberKey),
          operator: actor.name,
        };
        const chosen = await languageOf(body.language, who, catalogue, config);
        let calls = 0;
        let missing = who.keysNotSearched.length;
        const { body: zip, bytes } = await handOut(config, async (file) => {
          const target = { file, replace: false };
          const order = { person, controller, language: chosen, target, progress: () => undefined, signal };
          const made = await exportForPerson(exportPorts, order);
          calls = made.calls;
          missing += made.absent.length + made.unreadable.length + Number(made.numberUnread);
          await stillSignedIn(actor, credentials, ports);
        });

        return {
          kind: 'bytes',
          body: zip,
          status: 200,
          headers: {
            'content-type': 'application/zip',
            'content-length': String(bytes),
            'content-disposition': 'attachment; filename="person.zip"',
            'preavis-calls': String(calls),
            'preavis-missing': String(missing),
          },
        };
      } finally {
        underWay -= 1;
      }
    },
  });
}

export const personRoutes = (): readonly Route[] => [find, exporting(), erase];
