import * as z from 'zod';
import type { Actor } from '../../access/actor.ts';
import { auditOf } from '../../access/audit.ts';
import { makeNumberReader } from '../../call/plan/callerStore.ts';
import { prepareSearch } from '../../catalogue/numberKeys.ts';
import { logEmptied, logWaitMs } from '../../catalogue/sqlite/emptyLog.ts';
import type { PersonRequestRow } from '../../catalogue/retention/askedErasures.ts';
import type { RecordingRow } from '../../catalogue/rows.ts';
import { recordingStatuses } from '../../catalogue/statuses.ts';
import { ownCalls } from '../../config/controllerSchema.ts';
import { asController } from '../../config/controllerView.ts';
import { purposeOf } from '../../config/purposeRules.ts';
import { isoTime } from '../../core/clock.ts';
import { PreavisError } from '../../core/errors.ts';
import { timeLimit } from '../../core/timeLimit.ts';
import { answerPage, languageOf, preparePage } from '../../dataSubject/answerFor.ts';
import { eraseForPerson, type SubjectErasureOrder } from '../../dataSubject/erase.ts';
import { exportForPerson } from '../../dataSubject/export.ts';
import type { Person } from '../../dataSubject/findCalls.ts';
import { subjectLanguages, type SubjectLanguage } from '../../dataSubject/languages.ts';
import { requestNow, type SubjectErasure } from '../../dataSubject/personRequest.ts';
import { shownErasure } from '../../dataSubject/shownErasure.ts';
import { erasureBy } from '../../retention/asked.ts';
import { lockInArchive } from '../../retention/erasure.ts';
import { knownControllers } from '../../services/controllers.ts';
import { handOut } from '../handOut.ts';
import { hashOf } from '../number.ts';
import type { WebPorts } from '../ports.ts';
import { refusal, RequestInvalid } from '../problems.ts';
import { route, type Route } from '../route.ts';
import { id, named, nameGiven, referenceGiven } from '../schemas.ts';
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
export const personFound = named('PersonFound', found);
const asked = {
  id: z.string().describe('By which it can be read again, until `until`.'),
  askedBy: z.string().describe('As the audit trail names them.'),
  askedAt: z.iso.datetime(),
  until: z.iso.datetime().describe('Until when it can be read again: 30 days.'),
  reference: z.string().nullable(),
  controller: z.string().describe('The company that was asked, or `own`.'),
};
const answerForm = z
  .object({ language: z.enum(subjectLanguages), html: z.string() })
  .nullable()
  .describe(
    'The answer to the person, a page that needs nothing else. Read it before you send it. null: something is still to be erased, and the next retention run does it.',
  );
const erasedAgain = named('PersonErasure', found.extend({ ...asked, answer: answerForm }));
export const personErased = named(
  'PersonErased',
  found.extend({ ...asked, logEmptied: z.boolean(), answer: answerForm }),
);
export const erasures = named('PersonErasures', z.object({ erasures: z.array(z.object(asked)) }));

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
  const names = await knownControllers(config, catalogue);
  const fault = (message: string): RequestInvalid => new RequestInvalid([{ where: 'body.controller', message }]);
  if (asked === undefined && names.length > 0) throw fault('is missing: there are several companies');
  // Before it is said whether there is such a company: whoever sees one of them learns no other's name.
  const seen = actor.controllers === undefined || actor.controllers.includes(asked ?? ownCalls);
  if (!seen) throw refusal('company');
  if (asked !== undefined && asked !== ownCalls && !names.includes(asked)) throw fault('is not a company');
  if (names.length === 0) return undefined;

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

type Order = Pick<SubjectErasureOrder, 'apply' | 'includeEvidence' | 'request' | 'signal'>;

function erasing(actor: Actor, { person, controller }: Asked, order: Order, ports: WebPorts): Promise<SubjectErasure> {
  const { config } = ports;
  const operator = actor.name;

  return eraseForPerson(
    { ...ports, ...erasureBy({ rule: 'subject', operator }, ports), operator },
    { ...order, person, controller, kindOf: (purpose) => purposeOf(config.purposes, purpose)?.kind, waitMs },
  );
}

const requestOf = (
  ports: WebPorts,
  who: Asked,
  reference: string | undefined,
  language: SubjectLanguage,
): Order['request'] => ({
  id: ports.ids.request(),
  reference: reference ?? null,
  told: { language, keysNotSearched: who.keysNotSearched },
});

const find = route({
  method: 'POST',
  path: '/persons/find',
  summary: 'Find what is kept of somebody by their number, and tell what an erasure would do',
  description: 'Nothing is changed. That somebody has looked is a step of the audit trail; the number is not.',
  act: 'answerPersons',
  body: z.strictObject({ ...personAsked, includeEvidence }),
  withinMs,
  answer: { status: 200, schema: personFound, description: 'What there is, and what would become of it.' },
  handle: async ({ actor, body, signal }, ports) => {
    const who = await personOf(body, actor, ports);
    const { includeEvidence, reference } = body;
    // Nothing is written in this language.
    const request = requestOf(ports, who, reference, 'en');
    const result = await erasing(actor, who, { apply: false, includeEvidence, request, signal }, ports);

    return { kind: 'json', body: { ...shownErasure(result, false), keysNotSearched: who.keysNotSearched } };
  },
});

const nowPorts = (ports: WebPorts) => ({
  ...ports,
  lockInArchive: (row: RecordingRow, signal: AbortSignal) => lockInArchive(row, ports, signal),
});

const erase = route({
  method: 'POST',
  path: '/persons/erase',
  summary: 'Erase what is kept of somebody, but for what must be kept, and write the answer to them (GDPR art. 17)',
  description:
    'As `preavis subject erase --apply`. It goes on when whoever asked has left, and the next retention run does what a crash has left. What became of it, and the answer, can be read again for 30 days.',
  act: 'answerPersons',
  body: z.strictObject({ ...personAsked, includeEvidence, language }),
  withinMs: withinMs + waitMs,
  answer: {
    status: 200,
    schema: personErased,
    description: 'What became of each recording, and the answer to the person.',
  },
  handle: async ({ actor, body }, ports) => {
    const who = await personOf(body, actor, ports);
    const { language: chosen, page } = await preparePage(body.language, who, ports);
    const { includeEvidence, reference } = body;
    const request = requestOf(ports, who, reference, chosen);
    // Who has left may not stop it in the middle.
    const order = { apply: true, includeEvidence, request, signal: timeLimit(withinMs) };
    const result = await erasing(actor, who, order, ports);
    const isLogEmptied = await logEmptied(ports.catalogue, logWaitMs);
    const row = await ports.catalogue.askedErasures.request(request.id, ports.clock.now());
    if (row === undefined) throw new PreavisError('internal', 'a request that was just written is not there');
    // What is left to the next run is not answered yet.
    const now = await requestNow(row, nowPorts(ports));
    const html = now?.isFinished === true ? page(now.result, who.keysNotSearched.length > 0) : undefined;

    return {
      kind: 'json',
      body: {
        ...shownErasure(now?.result ?? result, true),
        ...shownRequest(row),
        keysNotSearched: who.keysNotSearched,
        logEmptied: isLogEmptied,
        answer: html === undefined ? null : { language: chosen, html },
      },
    };
  },
});

const shownRequest = ({ id, askedBy, askedAt, endsAt, reference, controller }: PersonRequestRow) => ({
  ...{ id, askedBy, reference, controller: controller ?? ownCalls },
  askedAt: isoTime(askedAt),
  until: isoTime(endsAt),
});

/** The newest of a month. */
const mostErasures = 200;

const companiesOf = ({ controllers }: Actor): (string | null)[] | undefined =>
  controllers?.map((each) => (each === ownCalls ? null : each));

const listErasures = route({
  method: 'GET',
  path: '/persons/erasures',
  summary: 'List what persons have asked to have erased, the newest first',
  description: 'Those of the last 30 days, at most 200, with neither number nor name.',
  act: 'answerPersons',
  answer: { status: 200, schema: erasures, description: 'The requests.' },
  handle: async ({ actor }, { catalogue, clock }) => {
    const rows = await catalogue.askedErasures.requests(companiesOf(actor), clock.now(), mostErasures);

    return { kind: 'json', body: { erasures: rows.map(shownRequest) } };
  },
});

const readErasure = route({
  method: 'GET',
  path: '/persons/erasures/{id}',
  summary: 'Read again what became of an erasure that a person asked for, with the answer to them',
  description:
    'As it is now: what the retention run has erased since is in it, and what keeps the rest. That somebody has read it is a step of the audit trail.',
  act: 'answerPersons',
  params: id,
  answer: {
    status: 200,
    schema: erasedAgain,
    description: 'What became of each recording, and the answer to the person.',
  },
  handle: async ({ actor, params }, ports) => {
    const { catalogue, clock } = ports;
    const row = await catalogue.askedErasures.request(params.id, clock.now());
    const companies = companiesOf(actor);
    if (row === undefined || companies?.includes(row.controller) === false) throw refusal('outOfScope');
    const now = await requestNow(row, nowPorts(ports));
    if (now === undefined) throw refusal('outOfScope');
    await catalogue.auditTrail.append(null, auditOf(actor, { did: 'readErasure', request: row.id }));
    const { told, result, isFinished } = now;
    // Of a caller the page says nothing that only their number tells.
    const page = await answerPage(told.language, { kind: 'caller', hash: '' }, row.controller, ports);
    const html = isFinished ? page(result, told.keysNotSearched.length > 0) : undefined;

    return {
      kind: 'json',
      body: {
        ...shownErasure(result, true),
        ...shownRequest(row),
        keysNotSearched: told.keysNotSearched,
        answer: html === undefined ? null : { language: told.language, html },
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

export const personRoutes = (): readonly Route[] => [find, exporting(), erase, listErasures, readErasure];
