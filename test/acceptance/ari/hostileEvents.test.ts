import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { burstTone, continuousTone } from '../../../lab/telephones/audio.ts';
import { placeCall, startAgent } from '../../../lab/telephones/sip.ts';
import { ariSamples } from '../../support/ari/ariSamples.ts';
import { startAriProxy, type AriProxy } from '../../support/ari/ariProxy.ts';
import { everyReplacement } from '../../support/hostileValues.ts';
import { eventually } from '../../support/poll.ts';
import { endedCall, expectNobodyConnected, finishedRecording, useRig } from '../../support/rig/rigs.ts';

const line = { purposes: ['training'], language: 'fr', defaultLanguages: ['fr'] };
const mark = 'hostilemark';
let proxy: AriProxy;

const at = useRig(async () => {
  proxy = await at.keep(startAriProxy());
  const agent = await at.keep(startAgent({ behaviour: 'answer', tone: await burstTone(1000), hangUpAfterMs: 1500 }));
  return {
    idle: true,
    extensions: { during: `${agent.dialString},20,line=during`, after: `${agent.dialString},20,line=after` },
    config: { ari: { url: proxy.url }, lines: { default: line, during: line, after: line } },
  };
});

const deep = (levels: number): string => `${'['.repeat(levels)}${']'.repeat(levels)}`;

/** What no Asterisk sends, and events of the right form about what is not there. */
const hostile: readonly (string | Buffer)[] = [
  '',
  mark,
  'null',
  '[]',
  '{}',
  '{"type":7}',
  '{"type":"StasisStart"',
  `{"type":"${mark.repeat(100_000)}"}`,
  `{"type":"StasisStart","args":${deep(100_000)}}`,
  deep(1_000_000),
  `{"type":"StasisStart","timestamp":"2026-08-24T12:00:00.123+0200","channel":{"id":"${mark.repeat(400_000)}"}}`,
  '{"__proto__":{"type":"StasisStart"},"constructor":{"prototype":{"id":"x"}}}',
  Buffer.from([0, 1, 2, 0xff, 0xfe, 0xc3, 0x28, 0xed, 0xa0, 0x80]),
  Buffer.alloc(200_000, 0x41),
  ...ariSamples.flatMap((sample) =>
    [...everyReplacement(sample, [undefined, null, [], {}, mark.repeat(1_000)])].map((event) => JSON.stringify(event)),
  ),
].filter((content) => typeof content !== 'string' || !content.includes('ApplicationReplaced'));

/** As a proxy with config/ari-requests.txt would see it. */
function isListed(request: string): boolean {
  const list = readFileSync(join(import.meta.dirname, '..', '..', '..', 'config', 'ari-requests.txt'), 'utf8').split(
    '\n',
  );
  const patterns = list.filter((each) => /^[A-Z]+ \//.test(each)).map((each) => each.replaceAll('*', '[^/]+'));

  return patterns.some((pattern) => new RegExp(`^${pattern}$`).test(request));
}

const callOf = async (to: string) =>
  at.keep(placeCall({ sipPort: at.rig.asterisk.sipPort, to, tone: await continuousTone(440) }));

it('goes on through events that no Asterisk sends, records the calls beside and after them, and asks ARI only what is listed', async () => {
  const { rig } = at;
  proxy.leadTo(rig.asterisk.ariUrl);
  await rig.startServe();
  // A call that arrives while Préavis still looks at the channels from before, behind so many events, may be given back unrecorded.
  await eventually(() => rig.log().some(({ msg }) => msg === 'spool, catalogue and archive consistent'));
  const pid = rig.servePid();
  expect(hostile.length).toBeGreaterThan(400);

  const during = await callOf('during');
  for (const content of hostile) proxy.say(content);
  expect(await during.ended).toMatchObject({ status: 'answered', endedBy: 'callee' });
  expect(await endedCall(rig, 'during')).toMatchObject({ result: 'recorded' });
  await finishedRecording(rig, 'during');

  const after = await callOf('after');
  expect(await after.ended).toMatchObject({ status: 'answered', endedBy: 'callee' });
  expect(await endedCall(rig, 'after')).toMatchObject({ result: 'recorded' });
  await finishedRecording(rig, 'after');
  // The calls that were made up here have come to their end as well.
  await eventually(async () => {
    const health = (await (await fetch(`http://127.0.0.1:${rig.healthPort}/health`)).json()) as object;
    expect(health).toMatchObject({ status: 'ok', calls: 0 });
  });
  await expectNobodyConnected(rig);

  expect(rig.servePid()).toBe(pid);
  const log = rig.log();
  const leftAside = log.filter(({ code }) => code === 'ari_event_invalid');
  expect(leftAside.length).toBeGreaterThan(200);
  // The call of a sample names a line that is not there; nothing else is a fault.
  const faults = log.filter(({ level, code }) => level === 'error' || code === 'internal').map(({ code }) => code);
  expect(new Set(faults)).toEqual(new Set(['arguments_invalid']));
  expect(JSON.stringify(log)).not.toContain(mark);
  expect(log.filter(({ msg }) => msg === 'connected to Asterisk')).toHaveLength(1);

  const requests = [...new Set(proxy.requests())];
  expect(requests.length).toBeGreaterThan(10);
  expect(requests.filter((request) => !isListed(request))).toEqual([]);
});
