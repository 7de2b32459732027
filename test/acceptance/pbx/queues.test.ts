/** docs/pbx/queues.md, followed to its end: its own dialplan and its own lines, with telephones and a queue in the place of yours. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { continuousTone } from '../../../lab/telephones/audio.ts';
import { startRtpReceiver } from '../../../lab/telephones/rtpReceiver.ts';
import { placeCall, startAgent, type Agent } from '../../../lab/telephones/sip.ts';
import { presentMs, readWav } from '../../support/audio/audio.ts';
import { eventually } from '../../support/poll.ts';
import { toneWav } from '../../support/policy/promptFolder.ts';
import { callRecordOf, callRecordsConf, callRecordsOf, makeCallRecordsFolder } from '../../support/rig/callRecords.ts';
import { endedCall, finishedRecording, listRecordings, spooledWav, useRig } from '../../support/rig/rigs.ts';

const page = readFileSync(new URL('../../../docs/pbx/queues.md', import.meta.url), 'utf8');
const blocks = (language: string): string[] =>
  [...page.matchAll(new RegExp(`^ *\`\`\`${language}\n([^]*?)^ *\`\`\``, 'gm'))].map(([, block = '']) => block);
const [dialplan = '', , withUserField = ''] = blocks('ini');
const [lines = ''] = blocks('yaml');

const callerHz = 440;
const agentHz = 1_000;
const talkMs = 3_000;

let nobody: Agent;

const at = useRig(async () => {
  const agent = await at.keep(
    startAgent({ behaviour: 'answer', tone: await continuousTone(agentHz), hangUpAfterMs: talkMs, ringMs: 300 }),
  );
  nobody = await at.keep(startAgent({ behaviour: 'noAnswer', atOnce: 4 }));
  // The telephones of the page have names of their own.
  const withAgent = (text: string): string => text.replaceAll('PJSIP/101&PJSIP/102', agent.dialString);

  return {
    idle: true,
    lines: [
      'exten => number,1,Goto(from-trunk,025501000,1)',
      'exten => field,1,Goto(field,s,1)',
      'exten => waiting,1,Gosub(preavis-tell,s,1(line=default))',
      ' same => n,Queue(absent,,,,60)',
      ' same => n,Hangup()',
      ...withAgent(dialplan).split('\n'),
      '[field]',
      ...withUserField.split('\n'),
      '[telephones]',
      `exten => 101,1,Dial(${agent.dialString},20)`,
      `exten => 102,1,Dial(${nobody.dialString},20)`,
    ],
    conf: {
      ...callRecordsConf,
      'app_queue.conf': '',
      'queues.conf':
        '[general]\npersistentmembers = no\n[sales]\nstrategy = ringall\ntimeout = 15\nmember => Local/101@telephones\n' +
        '[absent]\nstrategy = ringall\ntimeout = 30\nmember => Local/102@telephones\n',
    },
    config: parse(lines) as Record<string, Record<string, unknown>>,
  };
});

beforeAll(async () => {
  const sounds = join(at.rig.asterisk.soundsFolder, 'en');
  mkdirSync(sounds, { recursive: true });
  // The caller presses while they hear it, as the telephone learns from its sound where to send the key.
  writeFileSync(join(sounds, 'main-menu.wav'), toneWav(600, 4_000));
  makeCallRecordsFolder(at.rig);
  await at.rig.startServe();
});

test.each([
  ['sales', '1'],
  ['support', '2'],
])('whoever chooses %s in the menu is told, and recorded with who answers', async (line, digit) => {
  await at.onTime(line, async () => {
    const receiver = await at.keep(startRtpReceiver());
    const call = await at.keep(
      placeCall({
        sipPort: at.rig.asterisk.sipPort,
        to: 'number',
        fromNumber: '+3242345678',
        tone: await continuousTone(callerHz),
        receiver,
        digits: [{ afterMs: 1_000, digit }],
      }),
    );
    expect(await call.ended).toMatchObject({ status: 'answered', endedBy: 'callee' });
    const { id } = await finishedRecording(at.rig, line);
    const samples = readWav(spooledWav(at.rig, id));
    for (const hz of [callerHz, agentHz]) expect(presentMs(samples, hz)).toBeGreaterThan(talkMs - 300);
  });
});

test('the CDR has the id of the recording where the page sets it', async () => {
  await at.onTime('field', async () => {
    const tone = await continuousTone(callerHz);
    const call = await at.keep(
      placeCall({ sipPort: at.rig.asterisk.sipPort, to: 'field', fromNumber: '+3242345678', tone }),
    );
    expect(await call.ended).toMatchObject({ status: 'answered', endedBy: 'callee' });
  });
  const set = [...at.rig.asterisk.logs().matchAll(/"CDR\(userfield\)=(\w{26})"/g)].at(-1)?.[1];
  expect((await listRecordings(at.rig)).map(({ id }) => id)).toContain(set);
});

/** What the queue has logged of this event so far, behind its name. */
function logged(queue: string, event: string): string[][] {
  const file = join(at.rig.asterisk.folder, 'log/queue_log');
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
  const lines = text.split('\n').slice(0, -1);

  return lines
    .map((line) => line.split('|'))
    .filter(([, , name, , what]) => name === queue && what === event)
    .map((fields) => fields.slice(5));
}

test('the notice is in the billsec of a caller who gives up, and in no time that the queue counts', () =>
  at.onTime('default', async () => {
    const before = nobody.calls();
    const [records, left] = [callRecordsOf(at.rig, 'waiting'), logged('absent', 'ABANDON').length];
    const call = await at.keep(
      placeCall({
        sipPort: at.rig.asterisk.sipPort,
        to: 'waiting',
        fromNumber: '+3242345678',
        tone: await continuousTone(callerHz),
      }),
    );
    await eventually(() => nobody.calls() > before);
    await call.hangUp();
    // From the answer to the end, by the caller's own clock: how long an answer takes is another matter, as long as the notice comes behind it.
    const { answeredAfterMs, durationMs } = await call.ended;
    expect(answeredAfterMs).toBeLessThan(4_000);
    await endedCall(at.rig, 'default');
    const [, , waited = ''] = await eventually(() => logged('absent', 'ABANDON')[left] ?? false);
    const { disposition, billsec } = await callRecordOf(at.rig, 'waiting', records);
    expect({ disposition, inBillsec: Math.abs(billsec * 1_000 - (durationMs ?? NaN)) < 1_000 }).toEqual({
      // An agent rang.
      disposition: 'NO ANSWER',
      inBillsec: true,
    });
    // The notice takes more than five seconds, and both are whole seconds.
    expect(Number(waited)).toBeLessThan(billsec - 4);
    // Whoever was served waited for a second or two at most, and talked for three.
    const [heldSeconds = '', talkedSeconds = ''] = await eventually(
      () => logged('sales', 'COMPLETEAGENT').at(-1) ?? false,
    );
    expect(Number(heldSeconds)).toBeLessThanOrEqual(2);
    expect(Math.abs(Number(talkedSeconds) * 1_000 - talkMs)).toBeLessThanOrEqual(1_000);
  }));
