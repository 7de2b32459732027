/**
 * DNS SRV alone in front of PBXs, as docs/pbx/several.md has it: the carrier is an Asterisk that looks up each name as calls come. Calls are
 * spread by weight, a PBX that is dead costs each caller what the carrier waits for it, and each call is told and recorded at the other one.
 */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Answer } from 'dns-packet';
import { incomingContext, startAsterisk, type LabAsterisk } from '../../../lab/asterisk/asterisk.ts';
import { startNameServer, type NameServer } from '../../../lab/nameServer.ts';
import { startRig, type Rig, type RigOptions } from '../../../lab/rig.ts';
import { continuousTone } from '../../../lab/telephones/audio.ts';
import { placeCall, placeCalls, startAgent, type CallEnd } from '../../../lab/telephones/sip.ts';
import { presentMs, readWav } from '../../support/audio/audio.ts';
import { useBriefNotice } from '../../support/call/briefNotice.ts';
import { eventually } from '../../support/poll.ts';
import { onTime } from '../../support/rig/onTime.ts';
import { withCatalogue } from '../../support/rig/rigCatalogue.ts';
import { endedCall, finishedRecording, spooledWav, useRig } from '../../support/rig/rigs.ts';

const [callerHz, agentHz] = [440, 1_000];
const talkMs = 2_000;
/** T1 of the carrier. That of RFC 3261 is 500 ms, which would have each test wait for 32 s. */
const t1Ms = 100;
/** What the page says: the carrier waits so long for a PBX that answers nothing (timer B). */
const silentMs = 64 * t1Ms;
/** What a call takes besides, on a machine that keeps its time: with the look-up of the name. */
const besidesMs = 1_500;
/** Many, so that their part at each PBX is told from chance. */
const spreadCalls = 120;
/** As calls are placed again where the lab was late: each has a number, and a line, of its own. */
const numbers = Array.from({ length: 60 }, (_none, n) => String(n).padStart(2, '0'));
const lineOf = (number: string): string => `number-${number}`;

/** The names of the page below `.example`, at ports of this machine. */
function recordsOf(north: number, centre: number, south: number): Answer[] {
  const srv = (name: string, priority: number, weight: number, port: number, target: string): Answer => ({
    type: 'SRV',
    name,
    ttl: 60,
    data: { priority, weight, port, target },
  });

  return [
    ...['north', 'centre', 'south'].map((name): Answer => ({
      type: 'A',
      name: `${name}.example`,
      ttl: 60,
      data: '127.0.0.1',
    })),
    srv('_sip._udp.spread.example', 10, 50, north, 'north.example'),
    srv('_sip._udp.spread.example', 10, 25, centre, 'centre.example'),
    srv('_sip._udp.spread.example', 20, 0, south, 'south.example'),
    srv('_sip._udp.ordered.example', 10, 0, north, 'north.example'),
    srv('_sip._udp.ordered.example', 20, 0, centre, 'centre.example'),
    srv('_sip._tcp.connected.example', 10, 0, north, 'north.example'),
    srv('_sip._tcp.connected.example', 20, 0, centre, 'centre.example'),
  ];
}

/** Of the carrier: a trunk for each of the page's ways. */
function carrierConf(north: number, centre: number): string {
  const trunk = (name: string, transport: string, contact: string, asked = ''): string => `
[${name}]
type = endpoint
transport = ${transport}
aors = ${name}
context = ${incomingContext}
disallow = all
allow = alaw
direct_media = no
[${name}]
type = aor
contact = ${contact}
${asked}
`;
  const asked = 'qualify_frequency = 1\nqualify_timeout = 0.5\n';

  return `
[system](+)
timer_t1 = ${t1Ms}
timer_b = ${silentMs}

[tcp]
type = transport
protocol = tcp
bind = 127.0.0.1:0
${trunk('spread', 'udp', 'sip:spread.example')}${trunk('ordered', 'udp', 'sip:ordered.example')}
${trunk('connected', 'tcp', 'sip:connected.example\\;transport=tcp')}
${trunk('north', 'udp', `sip:127.0.0.1:${north}`, asked)}${trunk('centre', 'udp', `sip:127.0.0.1:${centre}`, asked)}`;
}

const carrierDialplan = `[${incomingContext}]
exten => _spread-.,1,Dial(PJSIP/\${EXTEN:7}@spread)
exten => _ordered-.,1,Dial(PJSIP/\${EXTEN:8}@ordered)
exten => _wired-.,1,Dial(PJSIP/\${EXTEN:6}@connected)
exten => _asked-.,1,Dial(PJSIP/\${EXTEN:6}@north)
 same => n,GotoIf($["\${DIALSTATUS}" = "ANSWER"]?over)
 same => n,Dial(PJSIP/\${EXTEN:6}@centre)
 same => n(over),Hangup()
`;

describe('DNS SRV before two PBXs', () => {
  const notice = useBriefNotice(1_000);
  let centre: Rig | undefined;
  let carrier: LabAsterisk | undefined;
  let names: NameServer | undefined;
  /** A third PBX, which nobody should come to while the others are there. */
  let south: Socket | undefined;
  let cameSouth = 0;
  // Before the first rig, which looks whether anything is left.
  afterAll(async () => {
    await carrier?.stop();
    await centre?.stop();
    await names?.close();
    south?.close();
  });

  const at = useRig(async () => {
    const tone = await continuousTone(agentHz);
    const agent = await at.keep(startAgent({ behaviour: 'answer', tone, hangUpAfterMs: talkMs, atOnce: 8 }));
    const optionsOf = (pbx: string): RigOptions => ({
      idle: true,
      rtpPorts: 100,
      lines: [
        `exten => _0255501XX,1,Gosub(preavis,s,1(${agent.dialString},20,line=number-\${EXTEN:-2}))`,
        ' same => n,Hangup()',
        'exten => counted,1,Log(NOTICE,counted)',
        ' same => n,Hangup(17)',
      ],
      config: {
        notice: notice.config(),
        lines: Object.fromEntries(
          numbers.map((number) => [lineOf(number), { purposes: ['training'], defaultLanguages: ['fr'] }]),
        ),
        ari: { pbx },
      },
    });
    centre = await startRig(optionsOf('centre'));

    return optionsOf('north');
  });
  const other = (): Rig => {
    if (centre === undefined) throw new Error('there is one PBX only');
    return centre;
  };
  const front = (): LabAsterisk => {
    if (carrier === undefined) throw new Error('there is no carrier yet');
    return carrier;
  };

  beforeAll(async () => {
    for (const { asterisk } of [at.rig, other()]) {
      await notice.install(asterisk.soundsFolder);
      // At the port of its SIP by UDP.
      const tcp = `
[tcp]
type = transport
protocol = tcp
bind = 127.0.0.1:${asterisk.sipPort}

[connected]
type = endpoint
context = ${incomingContext}
disallow = all
allow = alaw
direct_media = no
trust_id_inbound = yes

[connected]
type = identify
endpoint = connected
match_header = Via: /^SIP.2.0.TCP/
`;
      appendFileSync(join(asterisk.folder, 'etc/pjsip.conf'), tcp);
      await asterisk.cli('module reload res_pjsip.so');
    }
    await at.rig.startServe();
    await other().startServe();
    south = createSocket('udp4').on('message', () => (cameSouth += 1));
    south.bind(0, '127.0.0.1');
    await once(south, 'listening');
    const ports = [at.rig.asterisk.sipPort, other().asterisk.sipPort] as const;
    names = await startNameServer(recordsOf(...ports, south.address().port));
    carrier = await startAsterisk({
      rtpPorts: 100,
      dialplan: carrierDialplan,
      conf: {
        '+pjsip.conf': carrierConf(...ports),
        // By its name the lab knows that this module is wanted.
        'res_resolver_unbound.conf': '',
        'resolver_unbound.conf': `[general]\nhosts =\nresolv =\nnameserver = 127.0.0.1@${names.port}\n`,
      },
    });
  });

  const free = [...numbers];
  const callBy = async (way: string, count = 1): Promise<{ asked: string[]; ends: CallEnd[] }> => {
    const asked = free.splice(0, count);
    const calls = [];
    for (const number of asked) {
      const to = `${way}-0255501${number}`;
      calls.push(await at.keep(placeCall({ sipPort: front().sipPort, to, tone: await continuousTone(callerHz) })));
    }

    return { asked, ends: await Promise.all(calls.map(({ ended }) => ended)) };
  };
  /** Each was told and recorded at this PBX, with the sound of both, and is not known at any other. */
  const expectRecordedAt = async (rig: Rig, asked: readonly string[]): Promise<void> => {
    for (const number of asked) {
      expect(await endedCall(rig, lineOf(number))).toMatchObject({ result: 'recorded' });
      const { id, flags } = await finishedRecording(rig, lineOf(number));
      const samples = readWav(spooledWav(rig, id));
      const heard = [callerHz, agentHz].map((hz) => presentMs(samples, hz) > talkMs / 2);
      expect({ number, flags, heard }).toEqual({ number, flags: [], heard: [true, true] });
      for (const each of [at.rig, other()].filter((one) => one !== rig)) {
        const calls = await withCatalogue(each, (all) => all.calls.list(99, {}));
        expect(calls.map(({ line }) => line)).not.toContain(lineOf(number));
      }
    }
  };
  const expectAnsweredWithin = (ends: readonly CallEnd[], fromMs: number, toMs: number): void => {
    expect(ends.map(({ status }) => status)).toEqual(ends.map(() => 'answered'));
    for (const { answeredAfterMs = Infinity } of ends) {
      expect(answeredAfterMs).toBeGreaterThanOrEqual(fromMs);
      expect(answeredAfterMs).toBeLessThan(toMs);
    }
  };
  const countedAt = (rig: Rig): number => rig.asterisk.logs().split(': counted\n').length - 1;

  test('calls are spread by the weights of the lowest priority, and none comes to another', () =>
    onTime({
      what: `${spreadCalls} calls by a name with weights`,
      act: async () => {
        const before = [countedAt(at.rig), countedAt(other())] as const;
        await placeCalls({
          ...{ sipPort: front().sipPort, to: 'spread-counted' },
          ...{ calls: spreadCalls, perSecond: 20, holdMs: 100 },
        });
        const counted = (): number[] => [at.rig, other()].map((rig, index) => countedAt(rig) - (before[index] ?? 0));
        // Asterisk writes its log in a thread of its own.
        const [north = NaN] = await eventually(() => {
          const both = counted();
          expect(both.reduce((sum, each) => sum + each, 0)).toBe(spreadCalls);

          return both;
        });
        // Two thirds, give or take six times its standard deviation (5.2).
        expect(north).toBeGreaterThan(spreadCalls * (2 / 3) - 31);
        expect(north).toBeLessThan(spreadCalls * (2 / 3) + 31);
        expect(cameSouth).toBe(0);
        expect(names?.asked).toContain('SRV _sip._udp.spread.example');
      },
    }));

  test('calls come to the PBX of the lowest priority while it is there, by UDP and by TCP', () =>
    onTime({
      what: 'a call to the first PBX by UDP, and one by TCP',
      act: async () => {
        for (const way of ['ordered', 'wired', 'asked']) {
          const { asked, ends } = await callBy(way);
          expectAnsweredWithin(ends, 0, besidesMs);
          await expectRecordedAt(at.rig, asked);
        }
      },
    }));

  test('each caller reaches the next PBX once the carrier has waited for a dead one, and is told there', async () => {
    await at.rig.asterisk.kill();
    await onTime({
      what: 'two calls by UDP while the first PBX is dead',
      act: async () => {
        const { asked, ends } = await callBy('ordered', 2);
        expectAnsweredWithin(ends, silentMs, silentMs + besidesMs);
        await expectRecordedAt(other(), asked);
      },
    });
    // It has learnt nothing.
    await onTime({
      what: 'a later call by UDP while the first PBX is dead',
      act: async () => {
        expectAnsweredWithin((await callBy('ordered')).ends, silentMs, silentMs + besidesMs);
      },
    });
  });

  test('a caller reaches the next PBX at once where the connection to a dead one is refused', () =>
    onTime({
      what: 'a call by TCP while the first PBX is dead',
      act: async () => {
        const { asked, ends } = await callBy('wired');
        expectAnsweredWithin(ends, 0, besidesMs);
        await expectRecordedAt(other(), asked);
      },
    }));

  test('a PBX that is asked by OPTIONS and is dead is passed over at once', async () => {
    await eventually(async () => {
      expect(await front().cli('pjsip show contacts')).toMatch(/north\/\S+ +\S+ +Unavail/);
    });
    await onTime({
      what: 'a call while the first PBX is known to be dead',
      act: async () => {
        const { asked, ends } = await callBy('asked');
        expectAnsweredWithin(ends, 0, besidesMs);
        await expectRecordedAt(other(), asked);
      },
    });
  });

  test('the first PBX gets calls again as soon as it is back', async () => {
    await at.rig.asterisk.start();
    await eventually(async () => {
      expect((await fetch(`http://127.0.0.1:${at.rig.healthPort}/health`)).status).toBe(200);
    });
    await onTime({
      what: 'a call while the first PBX is back',
      act: async () => {
        const { asked, ends } = await callBy('ordered');
        expectAnsweredWithin(ends, 0, besidesMs);
        await expectRecordedAt(at.rig, asked);
      },
    });
  });
});
