import type { Catalogue } from '../../../src/catalogue/catalogue.ts';
import type { Subscriber } from '../../../src/catalogue/jobs/deliveries.ts';
import { webhookEvents } from '../../../src/config/webhookSchema.ts';
import { ulid } from 'ulid';
import { makeIds } from '../../../src/core/ids.ts';
import { anOrder, aRequest, callStart } from '../call/calls.ts';
import { clockAt, saveCall, type ConnectCatalogue } from './catalogues.ts';

/**
 * What deliveries do, whatever database they are in.
 *
 * @param newDatabase makes an empty one
 */
export function deliveryContract(newDatabase: () => ConnectCatalogue): void {
  const note = { event: 'test', actor: 'test' };
  const crm: Subscriber = { name: 'crm', events: webhookEvents };

  async function stage(webhooks: readonly Subscriber[]) {
    const clock = clockAt(callStart + 200_000);

    return { catalogue: await newDatabase()(clock, webhooks), clock };
  }

  const bodies = async (catalogue: Catalogue): Promise<unknown[]> =>
    (await catalogue.deliveries.list(100)).toReversed().map(({ body }) => JSON.parse(body) as unknown);

  describe('what is to be told', () => {
    test('is written with the step that it tells of, to each that asked for it', async () => {
      const erasures: Subscriber = { name: 'auditors', events: ['recording.erased'] };
      const { catalogue } = await stage([crm, erasures]);
      const { id, facts } = await saveCall(catalogue);
      await catalogue.recordings.move(id, 'recording', 'recorded', { keepUntil: callStart + 1_000_000 }, note);
      expect(await catalogue.deliveries.list(10)).toEqual([]);
      await catalogue.recordings.move(id, 'recorded', 'archived', {}, note);
      await catalogue.recordings.move(id, 'archived', 'erased', {}, note);
      const data = {
        recording: id,
        call: facts.id,
        line: 'default',
        controller: null,
        purposes: ['training'],
        keepUntil: new Date(callStart + 1_000_000).toISOString(),
        failure: null,
      };
      const timestamp = new Date(callStart + 200_000).toISOString();
      expect(await bodies(catalogue)).toEqual([
        { type: 'recording.archived', timestamp, data: { ...data, status: 'archived' } },
        { type: 'recording.erased', timestamp, data: { ...data, status: 'erased' } },
        { type: 'recording.erased', timestamp, data: { ...data, status: 'erased' } },
      ]);
      const rows = (await catalogue.deliveries.list(10)).toReversed();
      expect(rows.map(({ endpoint }) => endpoint)).toEqual(['crm', 'crm', 'auditors']);
      expect(new Set(rows.map((row) => row.id)).size).toBe(3);
    });

    test('of one company goes to those who asked for it, and names it', async () => {
      const events = ['recording.archived'] as const;
      const { catalogue } = await stage([
        { name: 'all', events },
        { name: 'acme', events, controllers: ['acme'] },
        { name: 'own', events, controllers: [null] },
        { name: 'both', events, controllers: [null, 'acme'] },
      ]);
      await catalogue.calls.savePolicy(
        'of-two',
        JSON.stringify({
          purposes: { training: { justification: 'to learn', legalBasis: 'consent', keepDays: 28 } },
          controllerOfLine: { acme: 'acme' },
        }),
      );
      const ids = makeIds(() => ulid());
      for (const line of ['acme', 'default']) {
        const order = anOrder(ids, { request: aRequest({ line }) });
        const { id } = await saveCall(catalogue, { shape: { order, policyVersion: 'of-two', request: order.request } });
        await catalogue.recordings.move(id, 'recording', 'recorded', {}, note);
        await catalogue.recordings.move(id, 'recorded', 'archived', {}, note);
      }
      const rows = (await catalogue.deliveries.list(10)).toReversed();
      const told = rows.map(({ endpoint, body }) => {
        const { data } = JSON.parse(body) as { data: { controller: string | null } };

        return [endpoint, data.controller];
      });
      expect(told).toEqual([
        ['all', 'acme'],
        ['acme', 'acme'],
        ['both', 'acme'],
        ['all', null],
        ['own', null],
        ['both', null],
      ]);
    });

    test.each(['failed', 'lost'] as const)('says that a recording is %s, and why', async (to) => {
      const { catalogue } = await stage([crm]);
      const { id } = await saveCall(catalogue);
      await catalogue.recordings.move(id, 'recording', to, { failure: 'wav_invalid' }, note);
      expect(await bodies(catalogue)).toMatchObject([
        { type: 'recording.failed', data: { recording: id, status: to, failure: 'wav_invalid' } },
      ]);
    });

    test('is nothing where nobody asked, and nothing piles up', async () => {
      const { catalogue } = await stage([{ name: 'crm', events: ['hold.set'] }]);
      const { id } = await saveCall(catalogue);
      await catalogue.recordings.move(id, 'recording', 'recorded', {}, note);
      await catalogue.recordings.move(id, 'recorded', 'archived', {}, note);
      expect(await catalogue.deliveries.list(10)).toEqual([]);
    });

    test('is nothing where the step was refused', async () => {
      const { catalogue } = await stage([crm]);
      const { id } = await saveCall(catalogue);
      await expect(catalogue.recordings.move(id, 'archived', 'erased', {}, note)).rejects.toMatchObject({
        code: 'status_conflict',
      });
      expect(await catalogue.deliveries.list(10)).toEqual([]);
    });

    test('has no number, name or dial string in it', async () => {
      const { catalogue } = await stage([crm]);
      const { id } = await saveCall(catalogue);
      await catalogue.recordings.move(id, 'recording', 'recorded', {}, note);
      await catalogue.recordings.move(id, 'recorded', 'archived', { objectKey: 'recordings/x.wav' }, note);
      const [body] = (await bodies(catalogue)) as { data: object }[];
      // What may be in it, and nothing else: each of these is an id, a code, a time or a name of the configuration.
      expect(Object.keys(body ?? {})).toEqual(['type', 'timestamp', 'data']);
      const keys = ['recording', 'call', 'status', 'line', 'controller', 'purposes', 'keepUntil', 'failure'];
      expect(Object.keys(body?.data ?? {})).toEqual(keys);
      expect(JSON.stringify(body)).not.toMatch(/\+?\d{9,12}[^\d:.]|PJSIP|SIP\/|sip:/);
    });
  });

  describe('the table of deliveries', () => {
    async function archived(count: number) {
      const made = await stage([crm]);
      for (let index = 0; index < count; index += 1) {
        const { id } = await saveCall(made.catalogue);
        await made.catalogue.recordings.move(id, 'recording', 'recorded', {}, note);
        await made.catalogue.recordings.move(id, 'recorded', 'archived', {}, note);
      }

      return made;
    }
    const failure = { code: 'webhook_refused', answer: 500 } as const;

    test('gives of one recording only the first that is due', async () => {
      const { catalogue, clock } = await archived(1);
      const [row] = await catalogue.deliveries.due('crm', clock.at, 10);
      if (row === undefined) throw new Error('nothing is due');
      await catalogue.recordings.move(row.recording as never, 'archived', 'erased', {}, note);
      expect((await catalogue.deliveries.due('crm', clock.at, 10)).map(({ event }) => event)).toEqual([
        'recording.archived',
      ]);
      await catalogue.deliveries.postpone(row.id, clock.at + 1_000, failure);
      expect((await catalogue.deliveries.due('crm', clock.at, 10)).map(({ event }) => event)).toEqual([
        'recording.erased',
      ]);
      // Due again together: in their order again.
      clock.at += 2_000;
      expect((await catalogue.deliveries.due('crm', clock.at, 10)).map(({ event }) => event)).toEqual([
        'recording.archived',
      ]);
    });

    test('gives what was postponed before the clock was put back', async () => {
      const { catalogue, clock } = await archived(1);
      const [row] = await catalogue.deliveries.due('crm', clock.at, 10);
      await catalogue.deliveries.postpone(row?.id ?? '', clock.at + 3_600_000, failure);
      expect(await catalogue.deliveries.endpointsDue(['crm'], clock.at)).toEqual([]);
      clock.at -= 30 * 86_400_000;
      expect(await catalogue.deliveries.endpointsDue(['crm'], clock.at)).toEqual(['crm']);
      expect(await catalogue.deliveries.due('crm', clock.at, 10)).toHaveLength(1);
    });

    test('gives nothing of another endpoint', async () => {
      const { catalogue, clock } = await archived(1);
      expect(await catalogue.deliveries.endpointsDue(['auditors'], clock.at)).toEqual([]);
      expect(await catalogue.deliveries.due('auditors', clock.at, 10)).toEqual([]);
    });

    test('puts off all of an endpoint that is due, and nothing of another', async () => {
      const { catalogue, clock } = await stage([crm, { name: 'auditors', events: webhookEvents }]);
      for (let index = 0; index < 2; index += 1) {
        const { id } = await saveCall(catalogue);
        await catalogue.recordings.move(id, 'recording', 'failed', { failure: 'wav_invalid' }, note);
      }
      await catalogue.deliveries.postponeAll('crm', clock.at + 1_000, failure);
      expect(await catalogue.deliveries.endpointsDue(['crm', 'auditors'], clock.at)).toEqual(['auditors']);
      clock.at += 1_000;
      expect(await catalogue.deliveries.due('crm', clock.at, 10)).toMatchObject([
        { attempts: 1, failure: 'webhook_refused', answer: 500 },
        { attempts: 1, failure: 'webhook_refused', answer: 500 },
      ]);
    });

    test('gives up what was first tried so long ago, keeps it for a while, and sends it again when it is asked to', async () => {
      const { catalogue, clock } = await archived(2);
      const tried = clock.at;
      const [row] = await catalogue.deliveries.due('crm', tried, 1);
      await catalogue.deliveries.postpone(row?.id ?? '', tried + 1, failure);
      clock.at += 10;
      await catalogue.deliveries.postpone(row?.id ?? '', clock.at + 1, failure);
      expect(await catalogue.deliveries.giveUp(tried - 1)).toEqual([]);
      expect(await catalogue.deliveries.giveUp(tried)).toEqual([{ endpoint: 'crm', count: 1 }]);
      expect(await catalogue.deliveries.figures()).toMatchObject([{ endpoint: 'crm', waiting: 1, failed: 1 }]);
      await catalogue.deliveries.sweep({ delivered: clock.at + 1, failed: clock.at });
      expect(await catalogue.deliveries.list(10)).toHaveLength(2);
      expect(await catalogue.deliveries.retry('auditors')).toBe(0);
      expect(await catalogue.deliveries.retry('crm')).toBe(2);
      expect(await catalogue.deliveries.due('crm', clock.at, 10)).toMatchObject([{ attempts: 0 }, { attempts: 0 }]);
      expect(await catalogue.deliveries.giveUpEndpoint('crm', 'webhook_gone')).toBe(2);
      await catalogue.deliveries.sweep({ delivered: 0, failed: clock.at + 1 });
      expect(await catalogue.deliveries.figures()).toEqual([]);
    });

    test('has what was delivered no more among what waits, and remembers an endpoint as gone until it is tried again', async () => {
      const { catalogue, clock } = await archived(1);
      const [row] = await catalogue.deliveries.due('crm', clock.at, 10);
      await catalogue.deliveries.noteDelivered(row?.id ?? '');
      expect(await catalogue.deliveries.due('crm', clock.at, 10)).toEqual([]);
      expect(await catalogue.deliveries.list(10)).toEqual([]);
      await catalogue.deliveries.disableEndpoint('crm', 'digest');
      expect(await catalogue.deliveries.disabledEndpoints()).toEqual([
        { endpoint: 'crm', address: 'digest', at: clock.at },
      ]);
      // What was delivered is not sent again.
      expect(await catalogue.deliveries.retry(undefined)).toBe(0);
      expect(await catalogue.deliveries.disabledEndpoints()).toEqual([]);
    });
  });
}
