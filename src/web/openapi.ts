import * as z from 'zod';
import { acts } from '../access/actor.ts';
import { problem, problemType } from './problems.ts';
import type { Answer, Route } from './route.ts';
import { components } from './schemas.ts';

/** The description of the API (OpenAPI 3.1), made of its routes. docs/openapi.json is compared with it by a test. */

type Json = Readonly<Record<string, unknown>>;

const uri = (id: string): string => `#/components/schemas/${id}`;

const without = (schema: Json, names: readonly string[]): Json =>
  Object.fromEntries(Object.entries(schema).filter(([name]) => !names.includes(name)));

function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): Json {
  const id = io === 'output' ? components.get(schema)?.id : undefined;
  if (id !== undefined) return { $ref: uri(id) };

  return without(z.toJSONSchema(schema, { io, unrepresentable: 'any' }), ['$schema']);
}

const parametersOf = (schema: z.ZodType | undefined, place: 'path' | 'query'): Json[] => {
  if (schema === undefined) return [];
  const { properties = {}, required = [] } = jsonSchema(schema, 'input') as {
    properties?: Record<string, Json>;
    required?: string[];
  };

  return Object.entries(properties).map(([name, { description, ...each }]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    ...(description === undefined ? {} : { description }),
    schema: each,
  }));
};

function answersOf(answer: Answer): Json {
  const { description } = answer;
  if ('schema' in answer) {
    return {
      [answer.status]: {
        description,
        content: { 'application/json': { schema: jsonSchema(answer.schema, 'output') } },
      },
    };
  }
  if (!('contentType' in answer)) return { [answer.status]: { description } };
  const content = { [answer.contentType]: {} };

  return {
    200: { description, content },
    ...(answer.isPartial === true ? { 206: { description: 'The part that Range asks for.', content } } : {}),
  };
}

const granted = (act: Route['act']): string => {
  if (act === 'anybody') return 'For anybody.';

  return act === 'signedIn' ? 'For whoever is known.' : `Needs the right to ${act}.`;
};

function operationOf(route: Route): Json {
  const { summary, description, params, query, body, answer, act, path } = route;

  return {
    operationId: `${route.method.toLowerCase()}${path.replace(/[^A-Za-z]+(\w?)/g, (_, letter: string) => letter.toUpperCase())}`,
    summary,
    description: [description, granted(act)].filter((each) => each !== undefined).join(' '),
    ...(act === 'anybody' ? { security: [] } : {}),
    parameters: [...parametersOf(params, 'path'), ...parametersOf(query, 'query')],
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            required: !body.safeParse({}).success,
            content: { 'application/json': { schema: jsonSchema(body, 'input') } },
          },
        }),
    responses: {
      ...answersOf(answer),
      default: {
        description: 'What went wrong (RFC 9457).',
        content: { [problemType]: { schema: { $ref: uri('Problem') } } },
      },
    },
  };
}

export function openApi(routes: readonly Route[]): Json {
  if (components.get(problem) === undefined) components.add(problem, { id: 'Problem' });
  const { schemas } = z.toJSONSchema(components, { uri, io: 'output', unrepresentable: 'any' });
  const paths: Record<string, Record<string, Json>> = {};
  for (const route of routes) {
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operationOf(route) };
  }

  return {
    openapi: '3.1.0',
    info: {
      title: 'Préavis',
      version: '1',
      description: `Calls, recordings and their proofs. What a role may do is decided for each request and each recording; what is out of scope is 404. The rights are ${acts.join(', ')}. Each GET answers HEAD, too. docs/api.md has examples.`,
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/api/v1' }],
    security: [{ token: [] }, { session: [] }],
    paths,
    components: {
      schemas: Object.fromEntries(
        // By name: in which order the modules that add them are evaluated differs between releases of Node.
        Object.entries(schemas)
          .toSorted(([one], [other]) => (one < other ? -1 : 1))
          .map(([id, schema]) => [id, without(schema, ['$schema', '$id'])]),
      ),
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', description: 'A token of access.tokens.' },
        session: {
          type: 'apiKey',
          in: 'cookie',
          name: '__Host-preavis',
          description: 'Of POST /session. Every request that changes something needs the header x-preavis-request: 1.',
        },
      },
    },
  };
}

export const openApiText = (routes: readonly Route[]): string => `${JSON.stringify(openApi(routes), undefined, 2)}\n`;
