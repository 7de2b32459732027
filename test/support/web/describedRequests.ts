import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { callerNumber } from './house.ts';

/** Requests made from docs/openapi.json: as it describes them, and as it does not. */

const companies = ['acme', 'other', 'own'];
/** Nobody has called from there. */
const nobodysNumber = '+32475999999';

type Schema = {
  type?: string;
  enum?: readonly string[];
  const?: string;
  pattern?: string;
  format?: string;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
  items?: Schema | false;
  prefixItems?: readonly Schema[];
  oneOf?: readonly Schema[];
  anyOf?: readonly Schema[];
  properties?: Readonly<Record<string, Schema>>;
  required?: readonly string[];
};
type Parameter = { name: string; in: 'path' | 'query'; required: boolean; schema: Schema };
type Operation = {
  parameters: readonly Parameter[];
  requestBody?: { content: { 'application/json': { schema: Schema } } };
};
export type Described = { method: string; path: string; operation: Operation };

const description = JSON.parse(readFileSync(new URL('../../../docs/openapi.json', import.meta.url), 'utf8')) as {
  paths: Record<string, Record<string, Operation>>;
};

export const operations: readonly Described[] = Object.entries(description.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
);

/** A day of the years that somebody might ask for: the pattern of the description would give any. */
const day = fc.date({ min: new Date('2020-01-01'), max: new Date('2030-01-01'), noInvalidDate: true });

/** Any value of this schema: of what the schemas of the API use, no more. */
export function valueOf(schema: Schema): fc.Arbitrary<unknown> {
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  if (schema.format === 'date-time') return day.map((each) => each.toISOString());
  if (schema.format === 'date') return day.map((each) => each.toISOString().slice(0, 10));
  const choices = schema.oneOf ?? schema.anyOf;
  if (choices !== undefined) return fc.oneof(...choices.map(valueOf));
  if (schema.pattern !== undefined) return fc.stringMatching(new RegExp(schema.pattern));
  const { minimum: min = -1e9, maximum: max = 1e9 } = schema;
  switch (schema.type) {
    case 'integer':
      return fc.integer({ min, max });
    case 'number':
      return fc.double({ min, max, noNaN: true });
    case 'null':
      return fc.constant(null);
    case 'boolean':
      return fc.boolean();
    case 'string':
      return fc.string({ minLength: schema.minLength ?? 0, maxLength: Math.min(60, schema.maxLength ?? 60) });
    case 'array': {
      const { prefixItems, items, minItems = 0, maxItems = 5 } = schema;
      if (prefixItems !== undefined) return fc.tuple(...prefixItems.map(valueOf));
      if (items === undefined || items === false) throw new Error('an array of nothing in the description');

      return fc.array(valueOf(items), { minLength: minItems, maxLength: Math.min(5, maxItems) });
    }
    case 'object': {
      const { properties = {}, required = [] } = schema;

      return fc.record(Object.fromEntries(Object.entries(properties).map(([name, each]) => [name, valueOf(each)])), {
        requiredKeys: [...required],
      });
    }
    case undefined:
    default:
      throw new Error(`values of ${JSON.stringify(schema)} are not made yet: add them to test/support/web`);
  }
}

export type Filled = { path: string; query: Record<string, string>; body: unknown };

/** A request as it is described. `ids`: of calls and recordings that are there, among those that are not. */
export function asDescribed({ path, operation }: Described, ids: readonly string[]): fc.Arbitrary<Filled> {
  const { parameters, requestBody } = operation;
  const known = fc.constantFrom(...ids);
  const idOr = (schema: Schema): fc.Arbitrary<unknown> =>
    schema.pattern?.includes('{26}') === true
      ? fc.oneof({ weight: 3, arbitrary: known }, valueOf(schema))
      : valueOf(schema);
  const inPathOr = ({ name, schema }: Parameter): fc.Arbitrary<unknown> =>
    name === 'collection' ? fc.oneof(fc.constantFrom('exemplary', 'needs-work'), valueOf(schema)) : idOr(schema);
  const inPath = parameters.filter((each) => each.in === 'path');
  const inQuery = parameters.filter((each) => each.in === 'query' && each.name !== 'cursor');
  const ofPath = fc.record(Object.fromEntries(inPath.map((each) => [each.name, inPathOr(each)])));
  const ofQuery = fc.record(Object.fromEntries(inQuery.map(({ name, schema }) => [name, valueOf(schema)])), {
    requiredKeys: [],
  });
  const schema = requestBody?.content['application/json'].schema;
  const ofBody = schema === undefined ? fc.constant(undefined) : bodyOf(schema, known);

  return fc.tuple(ofPath, ofQuery, ofBody).map(([given, query, body]) => ({
    path: path.replace(/\{(\w+)\}/g, (_, name: string) => String(given[name])),
    query: Object.fromEntries(Object.entries(query).map(([name, value]) => [name, String(value)])),
    body,
  }));
}

/** Lists of ids have some that are there, and companies are those of the house; a cursor is none that anybody would make up. */
function bodyOf(schema: Schema, known: fc.Arbitrary<string>): fc.Arbitrary<unknown> {
  const { controller } = schema.properties ?? {};
  const company = controller === undefined ? fc.constant({}) : fc.record({ controller: fc.constantFrom(...companies) });

  return fc
    .tuple(valueOf(schema), fc.uniqueArray(known, { minLength: 1, maxLength: 3 }), company)
    .map(([value, ids, named]) => {
      const given: Record<string, unknown> = { ...(value as Record<string, unknown>), ...named };
      delete given['cursor'];

      return {
        ...given,
        ...('recordings' in given ? { recordings: ids } : {}),
        // Who is asked for by company might be erased with all that the others are asked for.
        ...('number' in given ? { number: controller === undefined ? callerNumber : nobodysNumber } : {}),
      };
    });
}
