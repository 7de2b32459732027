import * as z from 'zod';
import type { Act, Actor } from '../../access/actor.ts';
import { auditOf } from '../../access/audit.ts';
import { seesOwnPurposesOnly, type Decision } from '../../access/decide.ts';
import type { CallSearch } from '../../catalogue/calls/searchConditions.ts';
import { prepareSearch } from '../../catalogue/numberKeys.ts';
import { makeHoldsAllowed } from '../../config/purposeRules.ts';
import { ownCalls } from '../../config/controllerSchema.ts';
import type { Config } from '../../config/schema.ts';
import type { CallId } from '../../core/ids.ts';
import { receiptOfCall } from '../../receipt/receipt.ts';
import type { WebPorts } from '../ports.ts';
import { groundsFor } from '../../retention/legalHolds.ts';
import { dialledOf, hashOf } from '../number.ts';
import { refusal } from '../problems.ts';
import { route, type Route } from '../route.ts';
import { callDetail, callPage, foundCalls, id, listQuery, searchBody, type Filters } from '../schemas.ts';
import { shownCallOfList, shownHold, shownListedCall } from '../shown.ts';
import { allowed, decided, knownCall, listedCalls, type ListedCall } from '../subjects.ts';

/** So many parts of an index are gone through for one page of what an actor may see. */
const mostRounds = 8;
/** Looked at together, behind the first part: a small page goes as far as a large one, so that pages count nothing that is not theirs. */
const batch = 100;
/** None is begun after so long, ms: where the catalogue is read from a slow disk, pages are shorter, and come as soon. */
const lookForMs = 20;

/**
 * A page of what they may see of what they look for, newest first. Where they see a part of it only, that part is looked for, and each call
 * is decided by itself.
 */
export async function foundBy(
  actor: Actor,
  wanted: CallSearch,
  { after, limit }: { after: string | undefined; limit: number },
  ports: WebPorts,
): Promise<{ found: ListedCall[]; next: CallId | undefined }> {
  const { catalogue, clock, config } = ports;
  const search = withinScope(wanted, actor, config);
  const found: ListedCall[] = [];
  let before = after;
  const began = clock.now();
  for (let round = 0, most = limit + 1; round < mostRounds; round += 1, most = batch) {
    const page = await catalogue.search.calls(search, clock.now(), before, most);
    found.push(...(await listedCalls(ports, actor, page.ids)));
    if (found.length > limit) {
      const shown = found.slice(0, limit);

      return { found: shown, next: shown.at(-1)?.call.id };
    }
    before = page.next;
    if (before === undefined || clock.now() - began >= lookForMs) break;
  }

  return { found, next: before as CallId | undefined };
}

/** What nobody but them may see need not be looked at; `decided` has the last word. */
function withinScope(wanted: CallSearch, actor: Actor, { purposes: configured }: Pick<Config, 'purposes'>): CallSearch {
  const { lines, controllers, extensions, role } = actor;
  const named = Object.entries(configured).flatMap(([name, { mayListen }]) => (mayListen.includes(role) ? [name] : []));
  const purposes = seesOwnPurposesOnly.includes(role) ? (actor.purposes ?? named) : actor.purposes;

  return {
    ...wanted,
    lines: ofBoth(wanted.lines, lines),
    controllers: ofBoth(wanted.controllers, controllers?.map(controllerOf)),
    extensions: ofBoth(wanted.extensions, extensions),
    // A call may have several: one that they may not see is no reason to leave it out.
    purposes: wanted.purposes ?? purposes,
  };
}

/** As the catalogue has a company: null is none of `controllers`. */
const controllerOf = (name: string): string | null => (name === ownCalls ? null : name);

function ofBoth<T>(asked: readonly T[] | undefined, scope: readonly T[] | undefined): readonly T[] | undefined {
  return asked === undefined || scope === undefined ? (asked ?? scope) : asked.filter((each) => scope.includes(each));
}

/**
 * What the filters ask for. Throws request_invalid.
 *
 * @param part of the request that they stand in
 */
export function searchOf(query: Filters, part: 'query' | 'body', config: Config): CallSearch {
  const { line, purpose, extension, dialled, held, exemplary } = query;
  const { from, to, language, direction, result, reason, status, flag, tag, collection } = query;
  const { controller, pbx, scoreFrom, scoreTo, lengthFrom, lengthTo } = query;

  return {
    from,
    to,
    language,
    direction,
    result,
    reason,
    status,
    flag,
    tag,
    collection,
    pbx,
    controllers: controller === undefined ? undefined : [controllerOf(controller)],
    scores: scoreFrom === undefined && scoreTo === undefined ? undefined : { from: scoreFrom ?? 0, to: scoreTo ?? 100 },
    lengths:
      lengthFrom === undefined && lengthTo === undefined
        ? undefined
        : { from: (lengthFrom ?? 0) * 1_000, to: lengthTo === undefined ? Number.MAX_SAFE_INTEGER : lengthTo * 1_000 },
    lines: line === undefined ? undefined : [line],
    purposes: purpose === undefined ? undefined : [purpose],
    extensions: extension === undefined ? undefined : [extension],
    dialled: dialled === undefined ? undefined : dialledOf(dialled, part, config),
    held: held === undefined ? undefined : true,
    exemplary: exemplary === undefined ? undefined : true,
  };
}

const list = route({
  method: 'GET',
  path: '/calls',
  summary: 'List calls, newest first, recorded or not',
  act: 'list',
  query: listQuery,
  answer: { status: 200, schema: callPage, description: 'A page of calls.' },
  handle: async ({ actor, pages, query }, ports) => {
    const at = { after: pages.begin(z.string()), limit: query.limit };
    const { found, next } = await foundBy(actor, searchOf(query, 'query', ports.config), at, ports);
    const calls = found.map((each) => shownCallOfList(each, ports.clock.now()));

    return { kind: 'json', body: { calls, next: pages.next(next) } };
  },
});

const byNumber = route({
  method: 'POST',
  path: '/calls/search',
  summary: 'Find the calls of one telephone number',
  description:
    'The number is looked up by its keyed hash (privacy.hashKey). That somebody has looked, and why, is a step of the audit trail; the number is not.',
  act: 'searchByNumber',
  body: searchBody,
  answer: { status: 200, schema: foundCalls, description: 'A page of calls.' },
  handle: async ({ actor, pages, body }, ports) => {
    const { catalogue, config } = ports;
    const at = { after: pages.begin(z.string()), limit: body.limit };
    const caller = await hashOf(body.number, config);
    const keysNotSearched = await prepareSearch(catalogue, caller);
    const { found, next } = await foundBy(actor, { ...searchOf(body, 'body', config), caller }, at, ports);
    const { ground, reference } = body;
    const why = { ground, ...(reference === undefined ? {} : { reference }) };
    const step = auditOf(actor, { did: 'searchedByNumber', ...why, found: found.length });
    await catalogue.auditTrail.append(null, step);
    const calls = found.map((each) => shownCallOfList(each, ports.clock.now()));

    return { kind: 'json', body: { calls, next: pages.next(next), keysNotSearched } };
  },
});

const show = route({
  method: 'GET',
  path: '/calls/{id}',
  summary: 'Show one call: who was told when, in which words, what they answered, what was recorded',
  act: 'read',
  params: id,
  answer: { status: 200, schema: callDetail, description: 'The call, with its receipt: the proof.' },
  handle: async ({ actor, params }, ports) => {
    const { catalogue } = ports;
    const known = await allowed(ports, actor, 'read', await knownCall(ports, params.id));
    const { recording, holds } = known;
    const may = async (act: Act): Promise<Decision> => decided(ports, actor, act, known);
    const maySetHolds = (await may('release')).allowed;
    const hearing = await may('listen');
    const certificates = recording === undefined ? [] : await catalogue.certificates.of(recording.id);

    return {
      kind: 'json',
      body: {
        call: await shownListedCall(known, ports),
        receipt: await receiptOfCall(catalogue, known.call.id),
        holds: holds.map((each) => shownHold(each, maySetHolds)),
        certificates,
        unheard: recording === undefined || hearing.allowed ? null : refusal(hearing.reason).code,
        holdGrounds: (await may('hold')).allowed ? groundsFor(known.call.purposes, makeHoldsAllowed(ports.config)) : [],
      },
    };
  },
});

export const callRoutes: readonly Route[] = [list, byNumber, show];
