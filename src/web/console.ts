import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { extname, join, relative, sep } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { basePath } from './route.ts';

/**
 * The pages for people: what `console/` was built into. They ask the API for everything, by the session of who looks at them. All files are read
 * at the start, and an address is looked up among their names: no request opens a file.
 */

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.md': 'text/markdown; charset=utf-8',
};

/** The addresses that are pages: the browser's part decides what each shows. */
const pages = [
  '/',
  '/calls',
  '/calls/:id',
  '/live',
  '/unrecorded',
  '/collections',
  '/collections/:name',
  '/retention',
  '/retention/:list',
  '/persons',
  '/approvals',
  '/approvals/own',
  '/audit',
  '/figures',
  '/system',
] as const;

/** Stands in index.html where the number of each answer goes. */
const noncePlace = '{{nonce}}';

type ConsoleFile = { type: string; body: Buffer; gzip: Buffer; etag: string };

/** By their addresses, such as `/assets/main-C3vG.js`. */
export type ConsoleFiles = { index: string; assets: ReadonlyMap<string, ConsoleFile> };

/** undefined where the console was not built, as where Préavis runs from its sources. */
export function readConsole(folder: string): ConsoleFiles | undefined {
  const index = join(folder, 'index.html');
  if (!existsSync(index)) return undefined;
  const assets = new Map<string, ConsoleFile>();
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const type = types[extname(entry.name)];
    if (!entry.isFile() || path === index || type === undefined) continue;
    const body = readFileSync(path);
    const etag = `"${createHash('sha256').update(body).digest('base64url')}"`;
    assets.set(`/${relative(folder, path).split(sep).join('/')}`, { type, body, gzip: gzipSync(body), etag });
  }

  return { index: readFileSync(index, 'utf8'), assets };
}

/**
 * Scripts, styles and sounds of this address alone, and nothing within the page itself. The waveform brings a style sheet of its own, which the
 * number lets in.
 */
const policyOf = (nonce: string): string =>
  [
    "default-src 'none'",
    "script-src 'self'",
    `style-src 'self' 'nonce-${nonce}'`,
    "img-src 'self'",
    "media-src 'self'",
    "connect-src 'self'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ].join('; ');

const acceptsGzip = ({ headers }: FastifyRequest): boolean =>
  /\bgzip\b/.test([headers['accept-encoding'] ?? ''].join());

/** Of files whose names change with what is in them; others are asked for again. */
const cacheOf = (url: string): string =>
  url.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache';

function sendAsset(file: ConsoleFile, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  void reply.header('cache-control', cacheOf(request.url)).header('etag', file.etag).header('vary', 'accept-encoding');
  if (request.headers['if-none-match'] === file.etag) return reply.code(304).send();
  if (acceptsGzip(request)) return reply.type(file.type).header('content-encoding', 'gzip').send(file.gzip);

  return reply.type(file.type).send(file.body);
}

function sendPage({ index }: ConsoleFiles, reply: FastifyReply): FastifyReply {
  const nonce = randomBytes(16).toString('base64url');

  return reply
    .header('content-security-policy', policyOf(nonce))
    .header('cache-control', 'no-store')
    .type('text/html; charset=utf-8')
    .send(index.replaceAll(noncePlace, nonce));
}

/** Whether somebody has opened it in a browser, and no program asks the API. */
const isOfPeople = ({ method, url, headers }: FastifyRequest): boolean =>
  method === 'GET' && !url.startsWith(basePath) && (headers.accept ?? '').includes('text/html');

/** The console says in words that there is nothing; false where a program has asked. */
export function sendNothing(files: ConsoleFiles | undefined, request: FastifyRequest, reply: FastifyReply): boolean {
  if (files === undefined || !isOfPeople(request)) return false;
  void sendPage(files, reply.code(404));

  return true;
}

/** An address without the name of anything, `/calls/`, comes to the route of one, and is no page. */
const isNamed = ({ url }: FastifyRequest): boolean => !/^\/.+\/($|\?)/.test(url);

export function addConsole(app: FastifyInstance, files: ConsoleFiles): void {
  for (const url of pages)
    app.route({
      method: ['GET', 'HEAD'],
      url,
      handler: (request, reply) => sendPage(files, isNamed(request) ? reply : reply.code(404)),
    });
  for (const [url, file] of files.assets)
    app.route({ method: ['GET', 'HEAD'], url, handler: (request, reply) => sendAsset(file, request, reply) });
}
