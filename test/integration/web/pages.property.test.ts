import fc from 'fast-check';
import { makeIds } from '../../../src/core/ids.ts';
import { useS3Server } from '../../support/archive/s3Server.ts';
import { dayMs } from '../../support/catalogue/catalogues.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';
import {
  byToken,
  callerNumber,
  everybody,
  fromElsewhere,
  openHouse,
  type House,
  type Who,
} from '../../support/web/house.ts';
import { sees } from '../../support/web/rights.ts';
import type { StagedCall } from '../../support/web/stagedCalls.ts';

/**
 * What whoever reads lists page by page learns of what is out of their scope: nothing, neither from what is shown, nor from cursors, however
 * they are decoded, nor by counting pages. Everybody of the house asks the real `preavis web`.
 */

const folder = temporaryFolder();
const s3 = useS3Server({ recordings: {} });

let house: House;
/** By what they tell of, in no particular order. */
const secrets = new Map<string, StagedCall>();

beforeAll(async () => {
  house = await openHouse(folder.path(), s3.server);
  const made = makeIds();
  for (const staged of house.calls.values()) {
    const { call, recording, status } = staged;
    secrets.set(call, staged).set(recording, staged);
    if (!['recorded', 'archived'].includes(status)) continue;
    const at = Date.now();
    // Two of one recording, and many that most readers do not see before and behind what they see.
    for (const reason of ['one', 'other']) {
      const id = made.hold();
      const dates = { reviewAt: at + dayMs, expiresAt: at + 2 * dayMs };
      await house.catalogue.legalHolds.set({ id, recording, ground: 'authority', reason, author: 'test', ...dates });
      secrets.set(id, staged);
    }
    const placing = { recording, collection: 'exemplary', after: undefined, by: 'test', at };
    await house.catalogue.collections.place(placing, { event: 'annotated', actor: 'test', detail: {} });
    const id = made.approval();
    const question = { id, recording, purpose: 'careful', asker: 'user:somebody', reason: 'to learn from it' };
    await house.catalogue.approvals.ask({ ...question, askedAt: at, openUntil: at + dayMs });
    secrets.set(id, staged);
  }
});

afterAll(async () => {
  await house.stop();
});

const lists = [
  'GET /calls',
  'GET /calls?direction=incoming',
  'GET /calls?purpose=training',
  'GET /recordings',
  'GET /recordings?held=true',
  'GET /recordings?collection=exemplary',
  'POST /calls/search',
  'GET /retention/due',
  'GET /retention/overdue',
  'GET /retention/upcoming',
  'GET /retention/doubtful',
  'GET /retention/held',
  'GET /collections/exemplary/recordings',
  'GET /approvals',
  'GET /approvals/own',
  'GET /certificates',
] as const;
type List = (typeof lists)[number];
const endsByClock = lists.filter((list) => / .(calls|recordings)/.test(list));

type Page = { ids: string[]; next: string | null; text: string; status: number };

async function ask(list: List, who: Who, { limit, cursor }: { limit: number; cursor?: string }): Promise<Page> {
  const [method = '', path = ''] = list.split(' ');
  const headers = { ...fromElsewhere(), ...byToken(who), 'content-type': 'application/json' };
  const of = { limit, ...(cursor === undefined ? {} : { cursor }) };
  const query = new URLSearchParams(Object.entries(of).map(([name, value]) => [name, `${value}`]));
  const answer =
    method === 'POST'
      ? await house.web.ask(path, {
          method,
          headers,
          body: JSON.stringify({ number: callerNumber, ground: 'person', ...of }),
        })
      : await house.web.ask(`${path}${path.includes('?') ? '&' : '?'}${query.toString()}`, { headers });
  const text = answer.body.toString('utf8');
  const read = JSON.parse(text) as { next?: string | null } & Record<string, { id: string }[] | undefined>;
  const rows = read['calls'] ?? read['recordings'] ?? read['approvals'] ?? [];

  return { ids: rows.map(({ id }) => id), next: read.next ?? null, text, status: answer.status };
}

async function allPages(list: List, who: Who, limit: number): Promise<Page[]> {
  const pages = [await ask(list, who, { limit })];
  for (let last = pages[0]; last !== undefined && last.next !== null; last = pages.at(-1)) {
    pages.push(await ask(list, who, { limit, cursor: last.next }));
  }

  return pages;
}

/** As somebody would try to read a cursor. */
const decoded = (text: string): string =>
  [text, ...text.split('.')]
    .flatMap((part) => [
      part,
      ...(['base64url', 'hex'] as const).map((how) => Buffer.from(part, how).toString('latin1')),
    ])
    .join('\n');

const asked = fc.record({
  who: fc.constantFrom(...everybody),
  list: fc.constantFrom(...lists),
  limit: fc.integer({ min: 1, max: 4 }),
});

test('no id of what is out of scope is in any page of any list, nor in a cursor, and pages count what is seen alone', async () => {
  await fc.assert(
    fc.asyncProperty(asked, async ({ who, list, limit }) => {
      const { status } = await ask(list, who, { limit: 100 });
      if (status !== 200) {
        expect(status).toBe(403);
        return;
      }
      const inLarge = await allPages(list, who, 100);
      const seen = inLarge.flatMap(({ ids }) => ids);
      const pages = await allPages(list, who, limit);
      expect(pages.flatMap(({ ids }) => ids)).toEqual(seen);
      // The last page of questions may be empty. Where little is found among many, a page ends by the clock, too.
      const most = Math.max(1, Math.ceil(seen.length / limit)) + Number(list.includes('approvals'));
      if (!endsByClock.includes(list)) expect(pages.length).toBeLessThanOrEqual(most);
      const told = pages.map(({ text, next }) => `${text}\n${decoded(next ?? '')}`).join('\n');
      // Their own questions name what they have asked for.
      const isOwn = list === 'GET /approvals/own';
      for (const [id, staged] of secrets) {
        if (!isOwn && !sees(who.role, who.scope, staged)) expect(told).not.toContain(id);
      }
      for (const { next } of pages) {
        for (const id of secrets.keys()) expect(decoded(next ?? '')).not.toContain(id);
      }
    }),
    { numRuns: 250 },
  );
});

test('a cursor that was made up, changed, or made for somebody else, another list or other filters is refused', async () => {
  const officer = everybody.find(({ name }) => name === 'officer-0');
  const auditor = everybody.find(({ name }) => name === 'auditor-0');
  if (officer === undefined || auditor === undefined) throw new Error('nobody sees everything');
  const refused = async (list: List, who: Who, cursor: string): Promise<void> => {
    const { status, text } = await ask(list, who, { limit: 2, cursor });
    expect([list, status, text]).toEqual([list, 400, expect.stringContaining('"code":"request_invalid"')]);
    expect(text).toContain(list.startsWith('POST') ? 'body.cursor' : 'query.cursor');
    expect(text).not.toContain(cursor);
  };
  const old = ['MS4wMUFSWjNOREVLVFNWNFJSRkZRNjlHNUZBVg', '2.1024', '3.0.01ARZ3NDEKTSV4RRFFQ69G5FAV', '17'];
  for (const list of lists) {
    const { next } = await ask(list, officer, { limit: 1 });
    const other = lists.find((each) => each !== list) ?? list;
    for (const made of [...old, '01ARZ3NDEKTSV4RRFFQ69G5FAV', '1.', `1.${'A'.repeat(80)}`]) {
      await refused(list, officer, made);
    }
    if (next === null) continue;
    await refused(list, officer, `${next.slice(0, -4)}${next.endsWith('AAAA') ? 'BBBB' : 'AAAA'}`);
    await refused(other, officer, next);
    if (!list.includes('approvals') && !list.startsWith('POST')) await refused(list, auditor, next);
  }
});
