import { webhookKey, webhookEvents } from '../../../src/config/webhookSchema.ts';
import { openCatalogue, type Catalogue } from '../../../src/catalogue/catalogue.ts';
import { openSqlite } from '../../../src/catalogue/sqlite/sqlite.ts';
import type { RecordingId } from '../../../src/core/ids.ts';
import { Deliverer, type DeliverPorts } from '../../../src/webhooks/deliverer.ts';
import { makePoster, type Poster } from '../../../src/webhooks/post.ts';
import { startWebhookJob } from '../../../src/webhooks/webhookJob.ts';
import { elsewhere } from '../../support/catalogue/holders.ts';
import { callStart } from '../../support/call/calls.ts';
import { clockAt, dayMs, saveCall } from '../../support/catalogue/catalogues.ts';
import { collectingLog } from '../../support/logLines.ts';
import { ownMs } from '../../support/ownTime.ts';
import { eventually } from '../../support/poll.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';
import { alwaysAnswers, isSigned, receivers, typesOf, webhookSecret } from '../../support/webhookReceiver.ts';

const folder = temporaryFolder();
const start = receivers();
const note = { event: 'test', actor: 'test' };
const never = new AbortController().signal;
const undo: (() => unknown)[] = [];
let files = 0;

afterEach(async () => {
  for (const step of undo.splice(0)) await step();
});

/** A catalogue whose webhooks are real receivers, and a deliverer for it. */
function stage(urls: Record<string, string>, { timeoutMs = 5_000, events = webhookEvents } = {}) {
  const clock = clockAt(callStart + 200_000);
  const subscribers = Object.keys(urls).map((name) => ({ name, events }));
  const file = folder.path(`${(files += 1)}.db`);
  const catalogue = openCatalogue(file, clock, { webhooks: subscribers });
  const poster = makePoster({ timeoutMs });
  undo.push(
    () => poster.close(),
    () => {
      catalogue.close();
    },
  );
  const key = webhookKey(webhookSecret) ?? Buffer.alloc(0);
  const { log, lines, text } = collectingLog();
  const failures: string[] = [];
  const post: Poster['post'] = (...message) => poster.post(...message);
  const ports: DeliverPorts = {
    catalogue,
    endpoints: Object.entries(urls).map(([name, url]) => ({ name, url, key, events })),
    post,
    clock,
    random: () => 0,
    log,
    failed: (name) => failures.push(name),
  };
  const deliverer = new Deliverer(ports);

  return {
    another: (over: Partial<DeliverPorts>) => new Deliverer({ ...ports, ...over }),
    /** How many rows there are, whatever their status. */
    rows: (): unknown => {
      const database = openSqlite(file);
      try {
        return database.prepare('SELECT count(*) FROM deliveries').pluck().get();
      } finally {
        database.close();
      }
    },
    catalogue,
    clock,
    log,
    lines,
    text,
    failures,
    deliverer,
    pass: () => deliverer.pass(never, never),
    archived: async (): Promise<RecordingId> => {
      const { id } = await saveCall(catalogue);
      await catalogue.recordings.move(id, 'recording', 'recorded', {}, note);
      await catalogue.recordings.move(id, 'recorded', 'archived', {}, note);

      return id;
    },
    figures: (): ReturnType<Catalogue['deliveries']['figures']> => catalogue.deliveries.figures(),
  };
}

describe('a message', () => {
  test('comes once, signed, and not again after it was taken', async () => {
    const receiver = await start();
    const { archived, pass, clock, lines, text, figures } = stage({ crm: receiver.url });
    const id = await archived();
    await pass();
    await pass();
    clock.at += dayMs;
    await pass();
    expect(receiver.received).toHaveLength(1);
    const [message] = receiver.received;
    if (message === undefined) throw new Error('nothing came');
    expect(isSigned(message, webhookSecret, callStart + 200_000)).toBe(true);
    expect(JSON.parse(message.body)).toMatchObject({ type: 'recording.archived', data: { recording: id } });
    expect(await figures()).toEqual([]);
    expect(text()).not.toContain(webhookSecret.slice(6));
    expect(text()).not.toContain('/preavis');
    expect(lines.map(({ level }) => level)).toEqual(['debug']);
  });

  test('is sent again after a 500, later each time, under the same id, until it is taken', async () => {
    const receiver = await start();
    const { archived, pass, clock, failures, lines } = stage({ crm: receiver.url });
    receiver.answer = alwaysAnswers(500);
    await archived();
    const at: number[] = [];
    for (let second = 0; second < 100 && receiver.received.length < 5; second += 1) {
      if (second === 40) receiver.answer = alwaysAnswers(200);
      const before = receiver.received.length;
      await pass();
      if (receiver.received.length > before) at.push(second);
      clock.at += 1_000;
    }
    // 5, 10, 20 s after the one before.
    expect(at).toEqual([0, 5, 15, 35, 75]);
    expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
    // The time that is signed is that of the attempt: a receiver refuses an old one.
    expect(new Set(receiver.received.map(({ headers }) => headers['webhook-timestamp'])).size).toBe(5);
    expect(failures).toEqual(['crm', 'crm', 'crm', 'crm']);
    expect(lines.filter(({ level }) => level !== 'debug').map(({ level, msg }) => [level, msg])).toEqual([
      ['warn', 'webhook message not delivered; will retry'],
      ['info', 'webhook available again'],
    ]);
  });

  test('waits for a receiver that is not there, and comes when it is', async () => {
    const first = await start();
    const { port, url } = first;
    await first.close();
    const { archived, pass, clock, catalogue } = stage({ crm: url });
    await archived();
    await pass();
    expect(await catalogue.deliveries.list(10)).toMatchObject([
      { status: 'waiting', attempts: 1, failure: 'webhook_unreachable', answer: null },
    ]);
    const receiver = await start(port);
    clock.at += 5_000;
    await pass();
    expect(typesOf(receiver)).toEqual(['recording.archived']);
  });

  test.each([301, 302, 307, 308])('is not sent where an answer of %d points to', async (status) => {
    const other = await start();
    const receiver = await start();
    receiver.answer = alwaysAnswers(status, { location: other.url });
    const { archived, pass, catalogue } = stage({ crm: receiver.url });
    await archived();
    await pass();
    expect(other.received).toEqual([]);
    expect(await catalogue.deliveries.list(10)).toMatchObject([{ failure: 'webhook_refused', answer: status }]);
  });

  test('waits no longer than the limit for an answer', async () => {
    const receiver = await start();
    receiver.answer = () => undefined;
    const { archived, pass, catalogue } = stage({ crm: receiver.url }, { timeoutMs: 200 });
    await archived();
    expect(await ownMs(pass)).toBeLessThan(5_000);
    expect(await catalogue.deliveries.list(10)).toMatchObject([{ status: 'waiting', failure: 'webhook_unreachable' }]);
  });

  test('is delivered by an answer that never ends, of which little is read', async () => {
    const receiver = await start();
    let written = 0;
    receiver.answer = (_, response) => {
      response.writeHead(200);
      const more = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536))) written += 65_536;
      };
      response.on('drain', more);
      more();
    };
    const { archived, pass, figures } = stage({ crm: receiver.url }, { timeoutMs: 10_000 });
    await archived();
    expect(await ownMs(pass)).toBeLessThan(5_000);
    expect(await figures()).toEqual([]);
    expect(written).toBeLessThan(16 * 1_048_576);
  });

  test('was tried once more when the process died between the answer and its row', async () => {
    const receiver = await start();
    const { archived, catalogue, pass, another } = stage({ crm: receiver.url });
    await archived();
    const dying = another({
      catalogue: {
        ...catalogue,
        deliveries: { ...catalogue.deliveries, noteDelivered: () => Promise.reject(new Error('killed')) },
      },
    });
    await expect(dying.pass(never, never)).rejects.toThrow('killed');
    await pass();
    const ids = receiver.received.map(({ headers }) => headers['webhook-id']);
    expect(ids).toHaveLength(2);
    expect(new Set(ids).size).toBe(1);
  });
});

describe('many messages', () => {
  test('of one recording come in their order, side by side with those of others', async () => {
    const receiver = await start();
    const answered = new Set<string>();
    const overtaken: string[] = [];
    receiver.answer = ({ body }, response) => {
      const { type, data } = JSON.parse(body) as { type: string; data: { recording: string } };
      if (type === 'recording.erased' && !answered.has(data.recording)) overtaken.push(data.recording);
      setTimeout(() => {
        answered.add(data.recording);
        response.writeHead(204).end();
      }, 20);
    };
    const { archived, pass, catalogue } = stage({ crm: receiver.url });
    const ids: RecordingId[] = [];
    for (let index = 0; index < 12; index += 1) {
      const id = await archived();
      await catalogue.recordings.move(id, 'archived', 'erased', {}, note);
      ids.push(id);
    }
    await pass();
    expect(receiver.received).toHaveLength(24);
    expect(overtaken).toEqual([]);
    for (const id of ids) {
      const own = receiver.received.filter(({ body }) => body.includes(id));
      expect(own.map(({ body }) => (JSON.parse(body) as { type: string }).type)).toEqual([
        'recording.archived',
        'recording.erased',
      ]);
    }
    expect(receiver.mostAtOnce()).toBeGreaterThan(1);
    expect(receiver.mostAtOnce()).toBeLessThanOrEqual(4);
  });

  test('for a dead endpoint cost it a few requests a round, and hold up no other', async () => {
    const dead = await start();
    dead.answer = alwaysAnswers(503);
    const alive = await start();
    const { archived, pass, clock, catalogue, figures } = stage({ dead: dead.url, alive: alive.url });
    for (let index = 0; index < 40; index += 1) await archived();
    await pass();
    expect(alive.received).toHaveLength(40);
    expect(dead.received.length).toBeGreaterThanOrEqual(5);
    expect(dead.received.length).toBeLessThanOrEqual(8);
    // Each has had its attempt, so that none of them waits for three days of its own behind the others.
    const waiting = (await catalogue.deliveries.list(100)).filter(({ status }) => status === 'waiting');
    expect(waiting.map(({ attempts }) => attempts)).toEqual(Array<number>(40).fill(1));
    dead.answer = alwaysAnswers(200);
    clock.at += 10_000;
    await pass();
    expect(await figures()).toEqual([]);
  });

  test('of which one is always refused are not held up by it', async () => {
    const receiver = await start();
    const { archived, pass, catalogue, figures } = stage({ crm: receiver.url });
    const poison = await archived();
    receiver.answer = ({ body }, response) => response.writeHead(body.includes(poison) ? 400 : 200).end();
    for (let index = 0; index < 20; index += 1) await archived();
    await pass();
    expect(await figures()).toMatchObject([{ waiting: 1, failed: 0 }]);
    expect(await catalogue.deliveries.list(10)).toMatchObject([{ recording: poison, answer: 400 }]);
  });
});

describe('what cannot be delivered', () => {
  test('is tried for three days and more than fifty times, then given up with an alarm', async () => {
    const receiver = await start();
    receiver.answer = alwaysAnswers(500);
    const { archived, pass, clock, figures, lines } = stage({ crm: receiver.url });
    await archived();
    const began = clock.at;
    while (clock.at - began < 4 * dayMs && (await figures())[0]?.failed !== 1) {
      await pass();
      clock.at += 5 * 60_000;
    }
    expect(clock.at - began).toBeGreaterThanOrEqual(3 * dayMs);
    expect(clock.at - began).toBeLessThan(3.1 * dayMs);
    expect(receiver.received.length).toBeGreaterThan(50);
    expect(receiver.received.length).toBeLessThan(120);
    expect(lines.filter(({ level }) => level === 'error')).toMatchObject([{ webhook: 'crm', count: 1 }]);
  });

  test('is sent again when somebody asks for it', async () => {
    const receiver = await start();
    receiver.answer = alwaysAnswers(500);
    const { archived, pass, clock, catalogue, figures } = stage({ crm: receiver.url });
    await archived();
    await pass();
    await catalogue.deliveries.giveUp(clock.at);
    expect(await figures()).toMatchObject([{ waiting: 0, failed: 1 }]);
    receiver.answer = alwaysAnswers(200);
    await pass();
    expect(receiver.received).toHaveLength(1);
    expect(await catalogue.deliveries.retry('other')).toBe(0);
    expect(await catalogue.deliveries.retry('crm')).toBe(1);
    await pass();
    expect(receiver.received).toHaveLength(2);
    expect(await figures()).toEqual([]);
  });

  test('is not sent at all any more where the receiver says that it is gone, until it has another url or is retried', async () => {
    const receiver = await start();
    receiver.answer = alwaysAnswers(410);
    const { archived, pass, catalogue, figures, lines } = stage({ crm: receiver.url });
    await archived();
    await pass();
    expect(await figures()).toMatchObject([{ waiting: 0, failed: 1 }]);
    expect(lines.filter(({ level }) => level === 'error')).toMatchObject([{ webhook: 'crm', code: 'webhook_gone' }]);
    await archived();
    await pass();
    expect(receiver.received).toHaveLength(1);
    expect(await figures()).toMatchObject([{ waiting: 0, failed: 2 }]);
    receiver.answer = alwaysAnswers(200);
    await catalogue.deliveries.retry(undefined);
    await pass();
    expect(receiver.received).toHaveLength(3);
    // With another url it is another one, though nobody has retried.
    await catalogue.deliveries.disableEndpoint('crm', 'digest of an earlier url');
    await archived();
    await pass();
    expect(receiver.received).toHaveLength(4);
  });

  test('because nobody is configured any more is given up', async () => {
    const receiver = await start();
    const { archived, deliverer, another, figures, lines } = stage({ crm: receiver.url });
    await archived();
    await deliverer.tidy();
    expect(await figures()).toMatchObject([{ waiting: 1 }]);
    const bare = another({ endpoints: [] });
    await bare.tidy();
    expect(await figures()).toMatchObject([{ waiting: 0, failed: 1 }]);
    expect(lines).toMatchObject([{ level: 'warn', webhook: 'crm', count: 1 }]);
  });
});

describe('rows', () => {
  test('are removed seven days after they were delivered, thirty after they were given up', async () => {
    const receiver = await start();
    const { archived, pass, clock, catalogue, deliverer, figures, rows } = stage({ crm: receiver.url });
    await archived();
    await pass();
    await archived();
    await catalogue.deliveries.giveUpEndpoint('crm', 'webhook_unknown');
    clock.at += 7 * dayMs;
    await deliverer.tidy();
    expect(rows()).toBe(2);
    clock.at += 1;
    await deliverer.tidy();
    expect(rows()).toBe(1);
    expect(await figures()).toMatchObject([{ failed: 1 }]);
    clock.at += 23 * dayMs;
    await deliverer.tidy();
    expect(rows()).toBe(0);
  });
});

describe('the job', () => {
  test('delivers what is written while it runs, and stops with what is under way', async () => {
    const receiver = await start();
    const { archived, deliverer, log, figures } = stage({ crm: receiver.url });
    const forced = new AbortController();
    const job = startWebhookJob(deliverer, log, forced.signal);
    await archived();
    await eventually(() => receiver.received.length === 1);
    let answer: (() => void) | undefined;
    receiver.answer = (_, response) => {
      answer = () => response.writeHead(200).end();
    };
    await archived();
    await eventually(() => answer !== undefined);
    const stopped = job.stop();
    answer?.();
    await stopped;
    expect(await figures()).toEqual([]);
  });

  test('that is hurried leaves what is under way to the next start, as if it had not been tried', async () => {
    const receiver = await start();
    receiver.answer = () => undefined;
    const { archived, deliverer, log, catalogue } = stage({ crm: receiver.url });
    const forced = new AbortController();
    await archived();
    const job = startWebhookJob(deliverer, log, forced.signal);
    await eventually(() => receiver.received.length === 1);
    forced.abort();
    await job.stop();
    expect(await catalogue.deliveries.list(10)).toMatchObject([{ status: 'waiting', attempts: 0, failure: null }]);
  });

  test('does not deliver while another process does', async () => {
    const receiver = await start();
    const { archived, pass, catalogue } = stage({ crm: receiver.url });
    await archived();
    await catalogue.leases.take('webhooks', elsewhere());
    await expect(pass()).rejects.toMatchObject({ code: 'job_busy' });
    expect(receiver.received).toEqual([]);
  });
});
