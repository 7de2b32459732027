import { callsAgreement, callsErase, callsExemplary, callsRecord } from '../../../../src/cli/commands/callsMark.ts';
import type { Change } from '../../../../src/call/watch/timeline.ts';
import { useAskedServe } from '../../../support/catalogue/askedServe.ts';

const stage = useAskedServe();
const { context, printed, asked } = stage;

type Case = { name: string; event: string; command: typeof callsErase; change: Change; fields: object; exit: 0 | 3 };

/** In this order: of an agreement that was marked, nothing is said any more of one that was not told. */
const cases: readonly Case[] = [
  {
    name: 'record',
    event: 'preavisRecord',
    command: callsRecord,
    change: 'recordAsked',
    fields: { recorded: true },
    exit: 0,
  },
  {
    name: 'erase',
    event: 'preavisErase',
    command: callsErase,
    change: 'eraseAsked',
    fields: { erased: true },
    exit: 0,
  },
  {
    name: 'agreement, of which the notice said nothing',
    event: 'preavisAgreement',
    command: callsAgreement,
    change: 'agreementUntold',
    fields: { agreement: false },
    exit: 3,
  },
  {
    name: 'agreement',
    event: 'preavisAgreement',
    command: callsAgreement,
    change: 'agreementMarked',
    fields: { agreement: true },
    exit: 0,
  },
  {
    name: 'exemplary',
    event: 'preavisExemplary',
    command: callsExemplary,
    change: 'exemplaryMarked',
    fields: { exemplary: true },
    exit: 0,
  },
];

test('a call that is over is asked for nothing', async () => {
  for (const { command } of cases) {
    await expect(command(context, stage.ended.facts.id, { json: false })).rejects.toMatchObject({
      code: 'code_not_done',
      message: 'nobody talks in this call now',
    });
  }
  expect(asked).toEqual([]);
});

test.each<[string, typeof callsErase, string]>([
  ['recorded every call', callsRecord, 'its line did not record on request (records: onRequest) when the call came'],
  [
    'was without codes.agreement',
    callsAgreement,
    'its line had no purpose for agreements (codes.agreement) when the call came',
  ],
])(
  'a call whose line %s when it came is asked for nothing of that kind, and says so at once',
  async (_, command, message) => {
    const { id } = stage.plain.facts;
    await expect(command(context, id, { json: false })).rejects.toMatchObject({ code: 'code_not_done', message });
    expect(asked).toEqual([]);
  },
);

test('without a serve that has the application nothing is done, and it says so', async () => {
  stage.status = 404;
  await expect(callsErase(context, stage.talking.facts.id, { json: false })).rejects.toMatchObject({
    code: 'code_not_done',
    message: 'no serve is connected to Asterisk',
  });
});

test('a serve that does not do it is waited for, and then it is an error', async () => {
  await expect(callsErase(context, stage.talking.facts.id, { json: false })).rejects.toMatchObject({
    code: 'code_not_done',
    message: 'serve did not erase it in time',
  });
});

test.each(cases)('$name is asked of serve, and told once the catalogue has it', async (each) => {
  stage.done = each.change;
  const { id } = stage.talking.facts;
  expect(await each.command(context, id, { json: true })).toBe(each.exit);
  expect(asked).toEqual([`POST /ari/events/user/${each.event}?application=preavis {"variables":{"call":"${id}"}}`]);
  expect(JSON.parse(printed.join(''))).toEqual({ call: id, ...each.fields });
  printed.length = 0;
  await each.command(context, id, { json: false });
  expect(printed).toHaveLength(1);
});
