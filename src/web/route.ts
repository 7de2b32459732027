import type { Readable } from 'node:stream';
import type { z } from 'zod';
import type { Act, Actor } from '../access/actor.ts';
import type { Pages } from './cursor.ts';
import type { Credentials, WebPorts } from './ports.ts';

export const basePath = '/api/v1';

/** One route: what it takes, who may ask for it and what it answers. The API and its description are made of these. */

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

/** What a handler is given; all of it has its form. */
export type Asked<Params, Query, Body> = {
  params: Params;
  query: Query;
  body: Body;
  credentials: Credentials;
  /** Of a list. */
  pages: Pages;
  /** Names of headers in lower case. */
  headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Only the headers are asked for: what costs much need not be done. */
  isHead: boolean;
  /** Fires when whoever asked has left, and when the server stops. */
  signal: AbortSignal;
};

export type Reply =
  /** `body` is cut down to the schema of the route. */
  | { kind: 'json'; body: unknown; status?: number; headers?: Readonly<Record<string, string | string[]>> }
  | {
      kind: 'bytes';
      body: Readable | Buffer | string;
      status: number;
      headers: Readonly<Record<string, string | string[]>>;
    }
  | { kind: 'nothing'; headers?: Readonly<Record<string, string>> };

export type Answer =
  | { status: 200 | 201; schema: z.ZodType; description: string }
  | { status: 204 | 302; description: string }
  | { status: 200; contentType: string; description: string; isPartial?: true };

type Form<Params, Query, Body> = {
  method: Method;
  /** As OpenAPI writes it, below /api/v1: `/calls/{id}`. */
  path: string;
  /** In the imperative. */
  summary: string;
  description?: string;
  params?: z.ZodType<Params>;
  query?: z.ZodType<Query>;
  body?: z.ZodType<Body>;
  answer: Answer;
  /** Requests in a minute from one address; default: that of the whole API. */
  perMinute?: number;
  /** How long it may take until the answer begins, ms; default: that of the whole API. */
  withinMs?: number;
};

export type ActorsRoute<Params, Query, Body> = Form<Params, Query, Body> & {
  /** What is asked of `decideAccess`; signedIn: whoever is known. */
  act: Act | 'signedIn';
  handle: (asked: Asked<Params, Query, Body> & { actor: Actor }, ports: WebPorts) => Promise<Reply>;
};
export type PublicRoute<Params, Query, Body> = Form<Params, Query, Body> & {
  act: 'anybody';
  handle: (asked: Asked<Params, Query, Body>, ports: WebPorts) => Promise<Reply>;
};

export type Route = ActorsRoute<unknown, unknown, unknown> | PublicRoute<unknown, unknown, unknown>;

/** A route for who is known. What it is given was checked against its schemas before. */
export function route<Params = unknown, Query = unknown, Body = unknown>(
  definition: ActorsRoute<Params, Query, Body>,
): Route {
  return definition as unknown as Route;
}

/** A route for anybody. */
export function publicRoute<Params = unknown, Query = unknown, Body = unknown>(
  definition: PublicRoute<Params, Query, Body>,
): Route {
  return definition as unknown as Route;
}
