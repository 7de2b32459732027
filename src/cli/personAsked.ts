import type { Catalogue, CataloguePart } from '../catalogue/catalogue.ts';
import { prepareSearch } from '../catalogue/numberKeys.ts';
import { isEndpoint, matcherOf } from '../config/newcomers.ts';
import type { Config } from '../config/schema.ts';
import { PreavisError } from '../core/errors.ts';
import { dialledNumberAsked, hashOfNumber, notSearched } from '../dataSubject/callerNumber.ts';
import { callsOfPerson, callsToDirect, type Person } from '../dataSubject/findCalls.ts';
import { knownControllers } from '../services/controllers.ts';
import { requiredController } from './filters.ts';
import { parseDay, type Day } from './localTime.ts';

/** Whose data a command is asked for: a caller by their number, an employee by their telephone. */

export type PersonOptions = {
  /** `-`: the first line of standard input, where no shell keeps it. */
  number?: string | undefined;
  /** The same of the name of an endpoint of Asterisk. */
  extension?: string | undefined;
  /** With an extension: the direct number of who asks. */
  direct?: string | undefined;
  /** The first and the last day on which the telephone was that of who asks. */
  from?: string | undefined;
  to?: string | undefined;
  controller?: string | undefined;
};

/** Throws usage, which repeats nothing of what was typed, and config_invalid. */
export async function personAsked(
  { number, extension, direct, from, to }: PersonOptions,
  input: () => Promise<string>,
  config: Config,
  now: number,
): Promise<Person> {
  if ((number === undefined) === (extension === undefined)) {
    throw new PreavisError('usage', 'give --number, for a caller, or --extension, for an employee');
  }
  if (extension === undefined) {
    if (from !== undefined || to !== undefined) throw new PreavisError('usage', '--from and --to are for --extension');
    if (direct !== undefined) throw new PreavisError('usage', '--direct is for --extension');

    return { kind: 'caller', hash: await hashOfNumber(number ?? '', input, config) };
  }
  const begun = daysAsked(from, to, now);
  const endpoint = (extension === '-' ? await input() : extension).trim();
  if (!isEndpoint(endpoint)) {
    throw new PreavisError('usage', '--extension is the name of one endpoint of Asterisk, such as 101');
  }

  const dialled = direct === undefined ? undefined : dialledNumberAsked(direct, config);
  if (direct !== undefined && dialled === undefined) {
    throw new PreavisError('usage', '--direct is a number of yours, such as +32 2 555 01 01, or an extension');
  }

  return { kind: 'employee', extension: endpoint, direct: dialled, begun };
}

/** Both days are in it. */
function daysAsked(from: string | undefined, to: string | undefined, now: number): Day | undefined {
  if (from === undefined) {
    if (to !== undefined) throw new PreavisError('usage', '--to needs --from');

    return undefined;
  }
  const begun = {
    from: parseDay(from, now, '--from').from,
    to: to === undefined ? now : parseDay(to, now, '--to').to,
  };
  if (begun.from >= begun.to) throw new PreavisError('usage', '--from is not before --to, or is in the future');

  return begun;
}

/** undefined where there is one company alone, and has been. Throws usage. */
export async function controllerAsked(
  named: string | undefined,
  config: Config,
  catalogue: CataloguePart<{ recordings: 'controllers' }>,
): Promise<string | null | undefined> {
  const names = await knownControllers(config, catalogue);

  return names.length === 0 && named === undefined ? undefined : requiredController(named, names);
}

/** What may be kept of a person beside what is found. */
export type Search = {
  /** For programs. */
  shown: { unsearchedKeys: string[]; extensionsKept?: boolean };
  /** For people: what was not searched, or not kept. */
  gaps: string[];
  /** For people: that there is nothing. */
  none: string[];
  /** For people, beside what is found: what whoever answers must know. */
  notes: string[];
};

/** Throws number_key_wrong, and what the catalogue throws. */
export async function searchFor(person: Person, catalogue: Catalogue, config: Config): Promise<Search> {
  if (person.kind === 'caller') {
    const unsearchedKeys = await prepareSearch(catalogue, person.hash);

    return {
      shown: { unsearchedKeys },
      gaps: notSearched(unsearchedKeys),
      none: ['no calls of this number'],
      notes: [],
    };
  }
  const extensionsKept = config.privacy.keepExtensions;
  const lists = [config.staff.extensions, ...Object.values(config.lines).map(({ staff }) => staff ?? [])];
  const isListed = lists.some((list) => matcherOf(list)(person.extension));

  return {
    shown: { unsearchedKeys: [], extensionsKept },
    gaps: [
      ...(extensionsKept ? [] : ['privacy.keepExtensions is false: it is not kept which telephones are in calls now']),
      ...(person.direct === undefined || config.privacy.dialledDays > 0
        ? []
        : ['privacy.dialledDays is 0: it is not kept which numbers are dialled now']),
    ],
    none: [
      'no calls of this extension',
      ...(isListed
        ? []
        : ['staff.extensions and the staff of lines do not have it: is it written as Asterisk has it?']),
    ],
    notes: [
      'of each call one telephone is kept, the first of the company: calls passed on to this one are not among them',
      ...(person.begun === undefined
        ? [
            'these are all calls of this telephone, whoever had it: --from and --to name the days on which it was theirs',
          ]
        : []),
    ],
  };
}

/** Whether anything is kept of a person's calls with this company. */
export async function hasCalls(
  catalogue: Catalogue,
  person: Person,
  controller: string | null | undefined,
): Promise<boolean> {
  const first = await callsOfPerson(catalogue, person, controller).next();
  if (first.done !== true) return true;
  const dialled = person.kind === 'employee' ? await callsToDirect(catalogue, person, controller).next() : undefined;

  return dialled?.done === false;
}
