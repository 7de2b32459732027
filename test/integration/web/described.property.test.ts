import fc from 'fast-check';
import { useS3Server } from '../../support/archive/s3Server.ts';
import { hostileText } from '../../support/hostileValues.ts';
import { tried } from '../../support/properties.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';
import { asDescribed, operations, type Described, type Filled } from '../../support/web/describedRequests.ts';
import { faultsIn } from '../../support/web/description.ts';
import { byToken, callerNumber, everybody, fromElsewhere, openHouse, type House } from '../../support/web/house.ts';
import type { Answered, Asking } from '../../support/web/webProcess.ts';

/** The API against docs/openapi.json: whatever it is sent, its answers are those that are described. */

const folder = temporaryFolder();
const s3 = useS3Server({ recordings: {} });
let house: House;
let ids: string[] = [];

beforeAll(async () => {
  house = await openHouse(folder.path(), s3.server);
  ids = [...house.calls.values()].flatMap(({ call, recording }) => [call, recording]);
});

afterAll(async () => {
  await house.stop();
});

const askers = everybody.filter(({ name }) => name.endsWith('-0'));
const asker = fc.constantFrom(...askers.map(byToken));
/** In all that is sent and wrong: it must neither come back nor be in the log. */
const mark = 'zqmark';
const marked = hostileText().map((text) => `${mark}${text.replaceAll(/[\ud800-\udfff]/g, '')}`);

const queryOf = (query: Readonly<Record<string, string>>): string => {
  const text = new URLSearchParams(query).toString();

  return text === '' ? '' : `?${text}`;
};

function wire({ method }: Described, { path, query, body }: Filled, headers: Record<string, string>): [string, Asking] {
  const asJson = body === undefined ? {} : { 'content-type': 'application/json' };

  return [
    `${path}${queryOf(query)}`,
    {
      method,
      headers: { ...fromElsewhere(), ...asJson, ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    },
  ];
}

/** What no answer may be, whatever was asked; empty where nothing is wrong. */
function faultOf(answer: Answered, method: string, path: string): string {
  const { status, headers, body } = answer;
  const type = headers['content-type'] ?? '';
  const isText = /json|text/.test(type);
  const text = isText ? body.toString('utf8') : '';
  // What is asked of a call that goes on is asked of Asterisk, and none is there.
  const isAway = status === 503 && path.startsWith('/live/') && answer.code === 'ari_unreachable';
  if (status >= 500 && !isAway) return `${status} ${answer.code}`;
  if (/\n\s+at |node_modules|\.ts:\d|SQLITE|preavis\.yaml/.test(text)) return 'it tells of the inside';
  if (text.includes(mark)) return 'it repeats what was sent';
  if (method === 'HEAD') return '';

  return faultsIn({ status, type, body: text }, method, path);
}

/** Each try is a request: a failure is told as it was found, and not made smaller by thousands of others. */
const asFound = { endOnFailure: true } as const;
const succeeded = new Map<string, number>();

test.each(operations.map((operation) => [`${operation.method} ${operation.path}`, operation] as const))(
  '%s answers what is asked as it describes with what it describes',
  async (name, operation) => {
    await fc.assert(
      fc.asyncProperty(asDescribed(operation, ids), asker, async (filled, headers) => {
        const answer = await house.web.ask(...wire(operation, filled, headers));
        expect(faultOf(answer, operation.method, operation.path)).toBe('');
        // What has the form that is described is not refused for its form, but for what it asks for.
        if (answer.status === 400) expect(operation.method).toMatch(/GET|POST|PUT/);
        if (answer.status < 300) succeeded.set(name, (succeeded.get(name) ?? 0) + 1);
      }),
      { ...tried(name === 'POST /session' ? 8 : 40), ...asFound },
    );
    // Those that need a call that somebody talks in, a hold, a password that is right, an identity provider, the version that was read, a
    // question that waits, a prompt, or what a person asked to have erased.
    const isHard =
      /^POST .live|holds|^POST .session|^GET .session.openid|rating$|tags$|\{comment\}|approvals$|answer$|\{prompt\}|erasures.\{id\}/;
    if (!isHard.test(name)) expect(succeeded.get(name)).toBeGreaterThan(0);
  },
);

type Spoiled = { sent: [string, Asking]; mayBe: 'refused' | 'any' };
type Spoiler = (operation: Described, filled: Filled, headers: Record<string, string>) => fc.Arbitrary<Spoiled>;

const refused = (sent: [string, Asking]): Spoiled => ({ sent, mayBe: 'refused' });
const withHeaders = ([path, how]: [string, Asking], more: Record<string, string | string[]>): [string, Asking] => [
  path,
  { ...how, headers: { ...how.headers, ...more } },
];
const withBody = (
  [path, how]: [string, Asking],
  body: string | Buffer,
  type = 'application/json',
): [string, Asking] => [path, { ...how, body, headers: { ...how.headers, 'content-type': type } }];
/** Header values: what Node lets anybody send. */
const headerText = marked.map((text) => text.replaceAll(/[^\x20-\x7e]/g, '').trim());

const spoilers: Readonly<Record<string, Spoiler>> = {
  'a query that nobody knows': (operation, filled, headers) =>
    marked.map((name) => refused(wire(operation, { ...filled, query: { ...filled.query, [name]: '1' } }, headers))),
  'a query of another form': (operation, filled, headers) =>
    fc
      .tuple(fc.constantFrom('limit', 'from', 'cursor', 'download', 'status'), marked)
      .map(([name, value]) =>
        refused(wire(operation, { ...filled, query: { ...filled.query, [name]: value } }, headers)),
      ),
  'a query twice': (operation, filled, headers) => {
    const [path, how] = wire(operation, { ...filled, query: {} }, headers);

    return fc.constant(refused([`${path}?limit=1&limit=${mark}`, how]));
  },
  'an id that is none': (operation, filled, headers) =>
    marked.map((text) => {
      const path = operation.path.replace(/\{\w+\}/g, encodeURIComponent(text).slice(0, 60));
      const isSame = path === operation.path;

      return { sent: wire(operation, { ...filled, path }, headers), mayBe: isSame ? 'any' : 'refused' };
    }),
  'a way out of its folder': (operation, filled, headers) =>
    fc.constantFrom('../', '..%2f', '%2e%2e/', '....//', '%5c..%5c', '%00', '%zz', '%', ';', '//', '.').map((way) => {
      const [, how] = wire(operation, filled, headers);

      return { sent: [`/calls/${way}${mark}${way}etc/passwd`, { ...how, method: 'GET' }], mayBe: 'refused' };
    }),
  'another method': (operation, filled, headers) =>
    fc.constantFrom('PUT', 'PATCH', 'OPTIONS', 'TRACE', 'PROPFIND', 'HEAD', 'DELETE', 'POST').map((method) => {
      const [path, how] = wire(operation, { ...filled, body: undefined }, headers);

      return { sent: [path, { ...how, method }], mayBe: 'any' };
    }),
  'a body of wrong types': (operation, filled, headers) =>
    fc.jsonValue().map((value) => ({
      sent: withBody(wire(operation, filled, headers), JSON.stringify({ value, [mark]: value })),
      mayBe: 'any',
    })),
  'a body with one part of another type': (operation, filled, headers) =>
    fc
      .tuple(fc.constantFrom('x', ...Object.keys((filled.body as object | undefined) ?? {})), fc.jsonValue())
      .map(([name, value]) => ({
        sent: withBody(
          wire(operation, filled, headers),
          JSON.stringify({ ...((filled.body as object | undefined) ?? {}), [name]: { [mark]: value } }),
        ),
        mayBe: 'any',
      })),
  'a body of another kind': (operation, filled, headers) =>
    fc
      .tuple(
        fc.constantFrom('text/plain', 'text/xml', 'multipart/form-data; boundary=x', 'application/json', 'x', ''),
        fc.constantFrom(mark, '{"', '[', '', '\u0000', '{"__proto__":{"role":"admin"}}', `<!DOCTYPE ${mark}>`),
      )
      .map(([type, body]) => ({ sent: withBody(wire(operation, filled, headers), body, type), mayBe: 'any' })),
  'a body of bytes': (operation, filled, headers) =>
    fc
      .uint8Array({ minLength: 1, maxLength: 200 })
      .map((bytes) => ({ sent: withBody(wire(operation, filled, headers), Buffer.from(bytes)), mayBe: 'any' })),
  'a body that is too large': (operation, filled, headers) =>
    fc.integer({ min: 66_000, max: 300_000 }).map((length) => ({
      sent: withBody(wire(operation, filled, headers), JSON.stringify({ [mark]: 'x'.repeat(length) })),
      mayBe: 'any',
    })),
  'a deep body': (operation, filled, headers) =>
    fc
      .integer({ min: 1_000, max: 20_000 })
      .map((depth) => ({ sent: withBody(wire(operation, filled, headers), '['.repeat(depth)), mayBe: 'any' })),
  'strange headers': (operation, filled, headers) =>
    fc
      .dictionary(
        fc.constantFrom(
          'range',
          'if-range',
          'origin',
          'cookie',
          'accept',
          'accept-encoding',
          'x-forwarded-for',
          'x-http-method-override',
          'upgrade',
          'if-none-match',
          'host',
        ),
        headerText,
        { maxKeys: 4 },
      )
      .map((more) => ({ sent: withHeaders(wire(operation, filled, headers), more), mayBe: 'any' })),
  'too many headers': (operation, filled, headers) =>
    fc.integer({ min: 100, max: 1_500 }).map((count) => {
      const many = Object.fromEntries(
        Array.from({ length: count }, (_, index) => [`x-${mark}-${index}`, 'y'.repeat(20)]),
      );

      return { sent: withHeaders(wire(operation, filled, headers), many), mayBe: 'any' };
    }),
  'a credential of another kind': (operation, filled) =>
    headerText.map((text) => ({
      sent: withHeaders(wire(operation, filled, {}), { authorization: `Bearer ${text}`, 'x-preavis-request': '1' }),
      mayBe: 'any',
    })),
};

test.each(Object.entries(spoilers))(
  'with %s every route answers what is described, and nothing of what was sent',
  async (_, spoil) => {
    const spoiled = fc.constantFrom(...operations).chain((operation) =>
      fc
        .tuple(asDescribed(operation, ids), asker)
        .chain(([filled, headers]) => spoil(operation, filled, headers))
        .map((each) => ({ operation, ...each })),
    );
    await fc.assert(
      fc.asyncProperty(spoiled, async ({ operation, sent, mayBe }) => {
        const answer = await house.web.ask(...sent);
        const [, { method = 'GET' }] = sent;
        expect(faultOf(answer, method, operation.path)).toBe('');
        if (mayBe === 'refused') expect(answer.status).toBeGreaterThanOrEqual(400);
      }),
      { ...tried(60), ...asFound },
    );
  },
);

test('nothing of what was sent is in the log, no number, and no error of ours', () => {
  const log = house.web.log();
  expect(log).not.toContain(mark);
  expect(log).not.toContain(callerNumber.slice(3));
  const errors = log
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as { level: string; code?: string })
    .filter(({ level, code }) => level === 'error' && code !== 'ari_unreachable');
  expect(errors).toEqual([]);
});
