/** Which number of the company the caller dialled is kept of calls by both ways, wherever the dialplan has sent them, and they are found by it. */
import { continuousTone } from '../../../lab/telephones/audio.ts';
import { placeCall, startAgent } from '../../../lab/telephones/sip.ts';
import { useBriefNotice } from '../../support/call/briefNotice.ts';
import { asPhone, endpointConf } from '../../support/call/followedCalls.ts';
import { endedCall, finishedRecording, useRig } from '../../support/rig/rigs.ts';

type Way = { to: string; dialled: string | null; headers?: string[] };

/** By the line of each call. */
const ways: Readonly<Record<string, Way>> = {
  bridge: { to: '025550100', dialled: '+3225550100' },
  follow: { to: '3225550101', dialled: '+3225550101' },
  menu: { to: '025550102', dialled: '+3225550102' },
  local: { to: '025550103', dialled: '+3225550103' },
  queue: { to: '025550104', dialled: '+3225550104' },
  account: { to: 'account', dialled: '+3225550105', headers: ['X-Did: 025550105,line=bridge'] },
  unsaid: { to: 'sales', dialled: 'sales' },
  direct: { to: '101', dialled: '101' },
  staff: { to: '025550106', dialled: null, headers: [asPhone('anna')] },
  away: { to: '025550107', dialled: null, headers: [asPhone('anna')] },
  said: { to: '025550108', dialled: '+3225550108' },
  'said-by-staff': { to: '025550109', dialled: null, headers: [asPhone('anna')] },
};

const notice = useBriefNotice(1_000);

const at = useRig(async () => {
  const { dialString } = await at.keep(
    startAgent({ behaviour: 'answer', tone: await continuousTone(1_000), hangUpAfterMs: 2_000, ringMs: 100 }),
  );
  const told = (line: string, more = ''): string => `Gosub(preavis-tell,s,1(line=${line}${more}))`;
  const dial = [` same => n,Dial(${dialString},20)`, ' same => n,Hangup()'];
  const did = ',did=${FILTER(0-9+,${PJSIP_HEADER(read,X-Did)})}';

  return {
    idle: true,
    extensions: {
      '025550100': `${dialString},20,line=bridge`,
      '101': `${dialString},20,line=direct`,
      '025550106': `${dialString},20,line=staff`,
    },
    lines: [
      ...[`exten => 3225550101,1,${told('follow')}`, ...dial],
      'exten => 025550102,1,Goto(menu,s,1)',
      'exten => 025550103,1,Dial(Local/600@inside/n,20)',
      'exten => 025550107,1,Dial(Local/601@inside/n,20)',
      'exten => 025550108,1,Dial(Local/602@inside/n,20)',
      'exten => 025550109,1,Dial(Local/603@inside/n,20)',
      ...[`exten => 025550104,1,${told('queue')}`, ' same => n,Queue(sales,,,,20)', ' same => n,Hangup()'],
      ...[`exten => account,1,${told('account', did)}`, ...dial],
      ...[`exten => sales,1,${told('unsaid', did)}`, ...dial],
      ...['[menu]', 'exten => s,1,Answer()', ` same => n,${told('menu')}`, ...dial],
      ...['[inside]', `exten => 600,1,Gosub(preavis,s,1(${dialString},20,line=local))`, ' same => n,Hangup()'],
      ...[`exten => 601,1,${told('away')}`, ...dial],
      ...[`exten => 602,1,${told('said', ',did=025550108')}`, ...dial],
      ...[`exten => 603,1,${told('said-by-staff', ',did=025550109')}`, ...dial],
      ...['[member]', `exten => 700,1,Dial(${dialString},20)`],
    ],
    conf: {
      '+pjsip.conf': endpointConf('anna', []),
      'app_queue.conf': '',
      'queues.conf':
        '[general]\npersistentmembers = no\n[sales]\nstrategy = ringall\ntimeout = 15\nmember => Local/700@member/n\n',
    },
    config: {
      notice: notice.config(),
      lines: Object.fromEntries(
        Object.keys(ways).map((line) => [line, { purposes: ['training'], defaultLanguages: ['fr'] }]),
      ),
      staff: { extensions: ['anna'] },
      privacy: { dialledDays: 30 },
    },
  };
});

beforeAll(async () => {
  await notice.install(at.rig.asterisk.soundsFolder);
  await at.rig.startServe();
});

type Listed = { calls: { id: string; line: string; dialled: string | null }[] };
const listed = (...by: string[]): Promise<Listed> => at.rig.preavisJson<Listed>('calls', 'list', ...by);

test.each(Object.entries(ways))(
  'the number that was dialled is kept of a call by %s, and finds it',
  async (line, { to, dialled, headers = [] }) => {
    const { rig } = at;
    const { id } = await at.onTime(line, async () => {
      const { sipPort } = rig.asterisk;
      const call = await at.keep(placeCall({ sipPort, to, headers, tone: await continuousTone(440) }));
      expect(await call.ended).toMatchObject({ status: 'answered', endedBy: 'callee' });
      expect(await endedCall(rig, line)).toMatchObject({ result: 'recorded', direction: 'incoming' });
      return finishedRecording(rig, line);
    });
    const { id: call } = await endedCall(rig, line);
    const [kept] = (await listed('--line', line)).calls;
    expect(kept).toMatchObject({ id: call, dialled });
    const shown = (await rig.preavis('calls', 'show', call)).stdout;
    if (dialled === null) {
      expect(shown).not.toMatch(/^ +dialled/m);
      return;
    }
    expect(shown).toMatch(new RegExp(`^ +dialled +${dialled.replace('+', '\\+')}$`, 'm'));
    expect((await listed('--dialled', dialled.replace('+322', '02 '))).calls.map((each) => each.id)).toContain(call);
    const { recordings } = await rig.preavisJson<{ recordings: { id: string }[] }>(
      'recordings',
      'list',
      '--dialled',
      dialled,
    );
    expect(recordings.map((each) => each.id)).toContain(id);
  },
);

test('the number that was dialled is in no line of the log', () => {
  const log = JSON.stringify(at.rig.log());
  expect(log).toContain('call state changed');
  expect(log).not.toMatch(/25550/);
});
