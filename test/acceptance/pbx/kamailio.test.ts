/**
 * config/kamailio/kamailio.cfg in front of three PBXs, as docs/pbx/several.md has it: calls are spread, what the carrier says of them arrives, and
 * each is recorded whole. A PBX that is dead gets none, and none is lost; when it is back, it gets its part again.
 */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { hasKamailio, startKamailio, type LabKamailio } from '../../../lab/kamailio.ts';
import { startRig, type Rig, type RigOptions } from '../../../lab/rig.ts';
import { continuousTone } from '../../../lab/telephones/audio.ts';
import {
  placeCall,
  placeCalls,
  startAgent,
  type Call,
  type CallEnd,
  type CallOptions,
} from '../../../lab/telephones/sip.ts';
import { receiptOfCall } from '../../../src/receipt/receipt.ts';
import { presentMs, readWav } from '../../support/audio/audio.ts';
import { useBriefNotice } from '../../support/call/briefNotice.ts';
import { eventually } from '../../support/poll.ts';
import { onTime } from '../../support/rig/onTime.ts';
import { withCatalogue } from '../../support/rig/rigCatalogue.ts';
import {
  catalogueCalls,
  endedCall,
  expectNobodyConnected,
  finishedRecording,
  spooledWav,
  useRig,
} from '../../support/rig/rigs.ts';

const [callerHz, agentHz] = [440, 1_000];
const talkMs = 3_000;
/** With four processes in Kamailio the answers to 2 to 7 in 100 of such calls overtook each other. */
const heardCalls = 200;
/** What the page says: SILENT_MS of the file, for each PBX that has just died. */
const passedOverMs = 2_000;
/** Not the 10 s of the file, which would have each test wait. */
const tryingMs = 4_000;
/** What a call takes besides, on a machine that keeps its time. */
const besidesMs = 1_000;
/** As calls are placed again where the lab was late: each has a number, and a line, of its own. */
const numbers = Array.from({ length: 100 }, (_none, n) => String(n).padStart(2, '0'));
const names = ['north', 'centre', 'south'] as const;
const lineOf = (number: string): string => `number-${number}`;

/** On the port of a PBX that is dead: it answers nothing, as if its whole machine were; or says of a call that it tries, and then nothing. */
class Silence {
  /** The calls that it was asked to take. */
  readonly invited = new Set<string>();
  probes = 0;
  tries = false;
  readonly #socket: Socket;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('message', (packet, { port }) => {
      const text = packet.toString();
      if (text.startsWith('OPTIONS ')) this.probes += 1;
      if (!text.startsWith('INVITE ')) return;
      this.invited.add(/^Call-ID: *(.*)$/im.exec(text)?.[1] ?? '');
      const same = text.split('\r\n').filter((line) => /^(Via|From|To|Call-ID|CSeq):/i.test(line));
      if (this.tries)
        socket.send(`SIP/2.0 100 Trying\r\n${same.join('\r\n')}\r\nContent-Length: 0\r\n\r\n`, port, '127.0.0.1');
    });
  }

  static async on(port: number): Promise<Silence> {
    const socket = createSocket('udp4');
    socket.bind(port, '127.0.0.1');
    await once(socket, 'listening');

    return new Silence(socket);
  }

  async end(): Promise<void> {
    this.#socket.close();
    await once(this.#socket, 'close');
  }
}

(hasKamailio ? describe : describe.skip)("Kamailio before three PBXs (needs Debian's package kamailio)", () => {
  const notice = useBriefNotice(1_000, {}, ['fr', 'nl', 'de']);
  const others: Rig[] = [];
  let kamailio: LabKamailio | undefined;
  let silence: Silence | undefined;
  // Before the first rig, which looks whether anything is left.
  afterAll(async () => {
    await silence?.end();
    await kamailio?.stop();
    for (const rig of others) await rig.stop();
  });

  const at = useRig(async () => {
    const tone = await continuousTone(agentHz);
    const agent = await at.keep(startAgent({ behaviour: 'answer', tone, hangUpAfterMs: talkMs, atOnce: 12 }));
    const seen = '${CALLERID(dnid)} ${CALLERID(num)} ${REDIRECTING(from-num)} ${PJSIP_HEADER(read,X-Ticket)}';
    const optionsOf = (pbx: string): RigOptions => ({
      idle: true,
      rtpPorts: 100,
      lines: [
        `exten => _0255501XX,1,Log(NOTICE,seen ${seen})`,
        ` same => n,Gosub(preavis,s,1(${agent.dialString},20,line=number-\${EXTEN:-2}))`,
        ' same => n,Hangup()',
        'exten => full,1,Log(NOTICE,full)',
        ' same => n,Hangup(34)',
        'exten => away,1,Log(NOTICE,away)',
        ' same => n,Progress()',
        ' same => n,Hangup(34)',
      ],
      config: {
        notice: notice.config(),
        lines: Object.fromEntries(
          numbers.map((number) => [lineOf(number), { purposes: ['training'], defaultLanguages: ['fr'] }]),
        ),
        privacy: { dialledDays: 30 },
        ari: { pbx },
      },
    });
    const [first, ...rest] = names;
    for (const name of rest) others.push(await startRig(optionsOf(name)));

    return optionsOf(first);
  });
  const pbxs = (): Rig[] => [at.rig, ...others];
  const portOf = (rig: Rig): number => rig.asterisk.sipPort;
  const portsOf = (rigs: readonly Rig[]): number[] => rigs.map(portOf).toSorted((one, other) => one - other);
  const front = (): LabKamailio => {
    if (kamailio === undefined) throw new Error('Kamailio is not there yet');
    return kamailio;
  };

  beforeAll(async () => {
    for (const rig of pbxs()) {
      await notice.install(rig.asterisk.soundsFolder);
      await rig.startServe();
    }
    kamailio = await startKamailio({ pbxPorts: pbxs().map(portOf), probeSeconds: 1, tryingMs });
  });

  const free = [...numbers];
  const nextNumbers = (count: number): string[] => free.splice(0, count);
  const place = async (to: string, more: Partial<CallOptions> = {}): Promise<Call> =>
    at.keep(placeCall({ sipPort: front().sipPort, isRouted: true, to, tone: await continuousTone(callerHz), ...more }));
  const callTo = (number: string, more: Partial<CallOptions> = {}): Promise<Call> => place(`0255501${number}`, more);
  const endsOf = async (calls: readonly Call[]): Promise<CallEnd[]> => Promise.all(calls.map(({ ended }) => ended));
  /** Where the call to this number has gone. */
  const pbxOf = (number: string): Promise<Rig> =>
    eventually(async () => {
      for (const rig of pbxs()) {
        if ((await catalogueCalls(rig)).some(({ line }) => line === lineOf(number))) return rig;
      }
      return false;
    });
  /** How many of these each PBX has got. */
  const spread = async (asked: readonly string[]): Promise<number[]> => {
    const got = await Promise.all(asked.map(pbxOf));

    return pbxs().map((rig) => got.filter((each) => each === rig).length);
  };
  /** The call was recorded, with the sound of both. */
  const expectWhole = async (number: string): Promise<void> => {
    const rig = await pbxOf(number);
    expect(await endedCall(rig, lineOf(number))).toMatchObject({ result: 'recorded' });
    const { id, flags } = await finishedRecording(rig, lineOf(number));
    const samples = readWav(spooledWav(rig, id));
    const heard = [callerHz, agentHz].map((hz) => presentMs(samples, hz) > talkMs / 2);
    expect({ number, flags, heard }).toEqual({ number, flags: [], heard: [true, true] });
  };
  const logged = (word: string): number =>
    pbxs().reduce((sum, { asterisk }) => sum + asterisk.logs().split(`: ${word}\n`).length - 1, 0);

  test('calls go to each PBX in turn, with what the carrier says of them, and each is recorded whole', () =>
    onTime({
      what: 'a call to each PBX twice',
      act: async () => {
        const asked = nextNumbers(6);
        const [byNumber = '', asserted = '', preferred = '', byCaller = '', ...plain] = asked;
        const calls = [
          await callTo(byNumber, { fromNumber: '+3242345678' }),
          await callTo(asserted, {
            fromNumber: 'anonymous',
            headers: [
              'P-Asserted-Identity: <sip:+3292345678@carrier.example>',
              'Diversion: <sip:+3225550999@carrier.example>;reason=unconditional;counter=1',
              'X-Ticket: 4711',
            ],
          }),
          await callTo(preferred, { fromNumber: 'anonymous', headers: ['Accept-Language: de-BE, fr;q=0.5'] }),
          await callTo(byCaller, { fromNumber: '+3242345678', hangUpAfterMs: talkMs }),
        ];
        for (const number of plain) calls.push(await callTo(number));
        const ends = await endsOf(calls);
        expect(ends.map(({ status, endedBy }) => `${status} ${endedBy ?? ''}`)).toEqual(
          asked.map((number) => `answered ${number === byCaller ? 'caller' : 'callee'}`),
        );
        expect(await spread(asked)).toEqual([2, 2, 2]);
        for (const number of asked) if (number !== byCaller) await expectWhole(number);
        const decided = async (number: string): Promise<string> => {
          const { languages, languageReason } = await endedCall(await pbxOf(number), lineOf(number));
          return `${languages.join('+')} by ${languageReason ?? ''}`;
        };
        expect([await decided(byNumber), await decided(asserted), await decided(preferred)]).toEqual([
          'fr by number',
          'nl by number',
          'de by acceptLanguage',
        ]);
        // Which number was dialled is found by it.
        const rig = await pbxOf(asserted);
        const found = await withCatalogue(rig, (all) => all.calls.list(9, { dialled: `+32255501${asserted}` }));
        expect(found.map(({ line }) => line)).toEqual([lineOf(asserted)]);
        expect(rig.asterisk.logs()).toContain(`seen 0255501${asserted} +3292345678 +3225550999 4711`);
        for (const each of pbxs()) await expectNobodyConnected(each);
      },
    }));

  test('each call, recording, receipt, line of the log and series names its PBX', async () => {
    for (const [index, rig] of pbxs().entries()) {
      const pbx = names[index] ?? '';
      const { recordings } = await rig.preavisJson<{ recordings: { pbx: string }[] }>(
        ...['recordings', 'list', '--pbx', pbx],
      );
      expect(recordings.length).toBeGreaterThanOrEqual(2);
      expect(new Set(recordings.map((each) => each.pbx))).toEqual(new Set([pbx]));
      const { asterisk } = await withCatalogue(rig, async (all) => {
        const [call] = await all.calls.list(1, { pbx });
        if (call === undefined) throw new Error(`no call came to ${pbx}`);

        return receiptOfCall(all, call.id);
      });
      expect(asterisk).toMatchObject({ pbx });
      expect(rig.log().filter((line) => line['pbx'] !== pbx)).toEqual([]);
      const metrics = await (await fetch(`http://127.0.0.1:${rig.healthPort}/metrics`)).text();
      expect(metrics).toContain(`preavis_calls_total{result="recorded",reason="",pbx="${pbx}"}`);
    }
  });

  test('a caller whom a PBX cannot take goes on to the next, and one who has heard something of it does not', () =>
    onTime({
      what: 'callers whom no PBX takes',
      act: async () => {
        const before = { full: logged('full'), away: logged('away') };
        const offerToAll = async (times: number): Promise<void> => {
          expect(await (await place('full')).ended).toMatchObject({ status: 'failed', finalCode: 503 });
          await eventually(() => {
            expect(logged('full') - before.full).toBe(times * pbxs().length);
          });
        };
        await offerToAll(1);
        // Many: Asterisk says 183 and 503 within a millisecond, and the one must not overtake the other.
        const load = { calls: heardCalls, perSecond: 20, atOnce: 20, holdMs: 100 };
        const { refused } = await placeCalls({ sipPort: front().sipPort, isRouted: true, to: 'away', ...load });
        // As a 503 it would say of Kamailio that it takes no calls (RFC 3261, 16.7).
        expect(refused).toEqual({ 500: heardCalls });
        // Behind them, so that Asterisk has written of each call that came to it by then.
        await offerToAll(2);
        expect(logged('away') - before.away).toBe(heardCalls);
        expect(await front().activePorts()).toEqual(portsOf(pbxs()));
      },
    }));

  test('a request from elsewhere is not answered', async () => {
    const stranger = createSocket('udp4');
    stranger.bind(0, '127.0.0.2');
    await once(stranger, 'listening');
    const { port } = stranger.address();
    const answers: string[] = [];
    stranger.on('message', (packet) => answers.push(packet.toString()));
    const request = [
      `OPTIONS sip:127.0.0.1:${front().sipPort} SIP/2.0`,
      `Via: SIP/2.0/UDP 127.0.0.2:${port};branch=z9hG4bKstranger`,
      'Max-Forwards: 70',
      'From: <sip:stranger@127.0.0.2>;tag=1',
      'To: <sip:127.0.0.1>',
      'Call-ID: stranger',
      'CSeq: 1 OPTIONS',
      'Content-Length: 0',
    ].join('\r\n');
    stranger.send(`${request}\r\n\r\n`, front().sipPort, '127.0.0.1');
    await eventually(() => front().logs().includes('a request from elsewhere was dropped'));
    stranger.close();
    expect(answers).toEqual([]);
  });

  test('callers pass over a PBX that has just died, or hangs, within the stated time, and later ones are not sent to it', async () => {
    const [, dead] = pbxs();
    if (dead === undefined) throw new Error('there is one PBX only');
    const alive = pbxs().filter((rig) => rig !== dead);
    await dead.asterisk.kill();
    silence = await Silence.on(portOf(dead));
    const { invited } = silence;
    const passOver = async (withinMs: number): Promise<void> => {
      invited.clear();
      // As between two probes. One that is under way is silent for so long at most, and would have it passed over.
      await front().control('dispatcher.ping_active', '0');
      await sleep(passedOverMs + besidesMs);
      await front().control('dispatcher.set_state', 'ap', '1', `sip:127.0.0.1:${portOf(dead)}`);
      const asked = nextNumbers(3);
      const calls = [];
      for (const number of asked) calls.push(await callTo(number));
      const ends = await endsOf(calls);
      await front().control('dispatcher.ping_active', '1');
      expect(invited.size).toBeGreaterThan(0);
      expect(ends.map(({ status }) => status)).toEqual(asked.map(() => 'answered'));
      for (const { answeredAfterMs = Infinity } of ends) {
        expect(answeredAfterMs).toBeLessThan(withinMs + besidesMs);
      }
      for (const number of asked) await expectWhole(number);
      expect((await spread(asked))[1]).toBe(0);
    };
    await onTime({ what: 'a call while a PBX has just died', act: () => passOver(passedOverMs) });
    silence.tries = true;
    await onTime({ what: 'a call to a PBX that hangs', act: () => passOver(tryingMs) });
    silence.tries = false;

    await eventually(async () => {
      expect(await front().activePorts()).toEqual(portsOf(alive));
    });
    invited.clear();
    const asked = nextNumbers(4);
    const ends = await endsOf(await Promise.all(asked.map((number) => callTo(number))));
    expect(ends.map(({ status }) => status)).toEqual(asked.map(() => 'answered'));
    expect(await spread(asked)).toEqual([2, 0, 2]);
    expect(invited.size).toBe(0);
    const { probes } = silence;
    await eventually(() => (silence?.probes ?? 0) > probes);
  });

  test('the PBX that is back gets its part of the calls again', async () => {
    const [, back] = pbxs();
    await silence?.end();
    silence = undefined;
    await back?.asterisk.start();
    await eventually(async () => {
      expect(await front().activePorts()).toEqual(portsOf(pbxs()));
      // Kamailio asks Asterisk alone.
      expect((await fetch(`http://127.0.0.1:${back?.healthPort ?? 0}/health`)).status).toBe(200);
    });
    await onTime({
      what: 'a call to each PBX',
      act: async () => {
        const asked = nextNumbers(3);
        const ends = await endsOf(await Promise.all(asked.map((number) => callTo(number))));
        expect(ends.map(({ status }) => status)).toEqual(asked.map(() => 'answered'));
        expect(await spread(asked)).toEqual([1, 1, 1]);
        for (const number of asked) await expectWhole(number);
      },
    });
  });
});
