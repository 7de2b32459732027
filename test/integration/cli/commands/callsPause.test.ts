import { callsPause, callsResume } from '../../../../src/cli/commands/callsPause.ts';
import { callStart } from '../../../support/call/calls.ts';
import { useAskedServe } from '../../../support/catalogue/askedServe.ts';

const stage = useAskedServe();
const { context, printed, asked } = stage;

test('a pause is asked of serve through Asterisk, and is told once the catalogue has it', async () => {
  stage.done = 'pauseBegan';
  const { id } = stage.talking.facts;
  expect(await callsPause(context, id, { json: false })).toBe(0);
  expect(asked).toEqual([`POST /ari/events/user/preavisPause?application=preavis {"variables":{"call":"${id}"}}`]);
  expect(printed).toEqual(['the recording is paused']);
});

test('so is its end', async () => {
  stage.done = 'pauseEnded';
  const { id } = stage.talking.facts;
  expect(await callsResume(context, id, { json: true })).toBe(0);
  expect(JSON.parse(printed.join(''))).toEqual({ call: id, paused: false });
  expect(asked[0]).toMatch(/^POST \/ari\/events\/user\/preavisResume/);
});

test('without a serve that has the application nothing is paused, and it says so', async () => {
  stage.status = 404;
  await expect(callsPause(context, stage.talking.facts.id, { json: false })).rejects.toMatchObject({
    code: 'pause_not_done',
    message: 'no serve is connected to Asterisk',
  });
});

test('a call that is over is asked for nothing', async () => {
  const { id } = stage.ended.facts;
  await expect(callsPause(context, id, { json: false })).rejects.toMatchObject({ code: 'pause_not_done' });
  await expect(callsPause(context, 'nobody', { json: false })).rejects.toMatchObject({ code: 'call_unknown' });
  expect(asked).toEqual([]);
});

test('a serve that does not do it is waited for, and then it is an error', async () => {
  await expect(callsPause(context, stage.talking.facts.id, { json: false })).rejects.toMatchObject({
    code: 'pause_not_done',
    message: 'serve did not pause it in time',
  });
});

test('what was begun before a process died is written down once, however often it is told', async () => {
  const { catalogue, talking } = stage;
  const before = (await catalogue.timeline.changes(talking.facts.id)).length;
  for (let each = 0; each < 3; each += 1) {
    await catalogue.journal.addToTimeline(talking.facts.id, { kind: 'change', change: 'pauseBegan', at: callStart });
  }
  expect((await catalogue.timeline.changes(talking.facts.id)).length - before).toBe(1);
});
