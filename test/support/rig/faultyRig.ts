/** A rig whose Préavis reaches Asterisk through a network that can be impaired, and what a test asks of it. */
import { burstTone, continuousTone } from '../../../lab/telephones/audio.ts';
import type { Rig } from '../../../lab/rig.ts';
import { placeCall, startAgent, type Agent, type Call } from '../../../lab/telephones/sip.ts';
import { useBriefNotice } from '../call/briefNotice.ts';
import { startOperator, type Operator } from '../call/operator.ts';
import { eventually } from '../poll.ts';
import { catalogueCalls, catalogueRecordings, useRig, type RigInUse } from './rigs.ts';
import { startTcpProxy, type TcpProxy } from '../ari/tcpProxy.ts';

const agentHz = 1000;
const callerHz = 440;

export type FaultyRigOptions = {
  /** Calls by these lines last until the caller hangs up. */
  patient?: readonly string[];
  /** The destination of these hangs up by itself after a second and a half. */
  brief?: readonly string[];
  config?: Readonly<Record<string, Record<string, unknown>>>;
  /** Of the notice; two seconds if left out. */
  noticeMs?: number;
  /** Kinds of connections, as startTcpProxy has them. */
  looks?: Readonly<Record<string, RegExp>>;
};

export type FaultyRig = {
  readonly rig: Rig;
  readonly proxy: TcpProxy;
  readonly agents: { patient: Agent; brief: Agent };
  keep: RigInUse['keep'];
  /** As the rig's; before each attempt the network is mended. */
  onTime: RigInUse['onTime'];
  call(line: string): Promise<Call>;
  /** How often Préavis has said this. */
  said(text: string): number;
  /** Waits until it has been said once more than `before` times. */
  says(text: string, before: number, withinMs?: number): Promise<void>;
  reaches(line: string, phase: string): Promise<void>;
  /** Waits until the call by this line is being recorded; the id. */
  records(line: string): Promise<string>;
  health(): Promise<{ status: string; asterisk: string; calls: number }>;
  /** Waits until calls can be recorded. */
  works(): Promise<void>;
};

export const connected = 'connected to Asterisk';
export const lost = 'connection to Asterisk lost; reconnecting';

export function useFaultyRig({ patient = [], brief = [], config = {}, noticeMs, looks }: FaultyRigOptions): FaultyRig {
  let proxy: TcpProxy | undefined;
  let agents: FaultyRig['agents'] | undefined;
  const there = <T>(value: T | undefined): T => {
    if (value === undefined) throw new Error('the rig is not there yet');
    return value;
  };
  const notice = useBriefNotice(noticeMs);
  const at = useRig(async () => {
    proxy = await at.keep(startTcpProxy(looks));
    const tone = await burstTone(agentHz);
    agents = {
      patient: await at.keep(startAgent({ behaviour: 'answer', tone, atOnce: 8 })),
      brief: await at.keep(startAgent({ behaviour: 'answer', tone, atOnce: 8, hangUpAfterMs: 1_500 })),
    };
    const extensions = (lines: readonly string[], agent: Agent): [string, string][] =>
      lines.map((line) => [line, `${agent.dialString},20,line=${line}`]);
    const line = { purposes: ['training'], language: 'fr', defaultLanguages: ['fr'] };

    return {
      idle: true,
      extensions: Object.fromEntries([...extensions(patient, agents.patient), ...extensions(brief, agents.brief)]),
      config: {
        ...config,
        ari: { url: `http://127.0.0.1:${proxy.port}`, ...config['ari'] },
        notice: notice.config(),
        lines: Object.fromEntries([...patient, ...brief].map((name) => [name, line])),
      },
    };
  });
  beforeAll(async () => {
    await notice.install(at.rig.asterisk.soundsFolder);
    there(proxy).leadTo(at.rig.asterisk.ariUrl);
  });
  const said = (text: string): number => at.rig.log().filter(({ msg }) => msg === text).length;
  const health: FaultyRig['health'] = async () => {
    const reply = await fetch(`http://127.0.0.1:${at.rig.healthPort}/health`);

    return (await reply.json()) as { status: string; asterisk: string; calls: number };
  };
  const works: FaultyRig['works'] = () =>
    eventually(async () => {
      expect(await health()).toMatchObject({ status: 'ok' });
    });

  return {
    get rig() {
      return at.rig;
    },
    get proxy() {
      return there(proxy);
    },
    get agents() {
      return there(agents);
    },
    keep: (made) => at.keep(made),
    onTime: (lines, act) =>
      at.onTime(lines, async () => {
        // An attempt that went wrong may have left it broken.
        there(proxy).mend();
        there(proxy).leadTo(at.rig.asterisk.ariUrl);
        await works();

        return act();
      }),
    call: async (to) =>
      at.keep(placeCall({ sipPort: at.rig.asterisk.sipPort, to, tone: await continuousTone(callerHz) })),
    said,
    says: (text, before, withinMs) =>
      eventually(
        () => {
          expect(said(text)).toBeGreaterThan(before);
        },
        withinMs === undefined ? {} : { withinMs },
      ),
    reaches: (line, phase) =>
      eventually(async () => {
        expect((await catalogueCalls(at.rig)).find((each) => each.line === line)?.phase).toBe(phase);
      }),
    records: (line) =>
      eventually(async () => {
        const call = (await catalogueCalls(at.rig)).find((each) => each.line === line);
        const recording = (await catalogueRecordings(at.rig)).find((each) => each.callId === call?.id);
        if (recording?.status !== 'recording') throw new Error(`the call by ${line} is not being recorded`);

        return recording.id;
      }),
    health,
    works,
  };
}

/** Serve runs, an operator looks on, and the network is whole again after each test. */
export function useOperator(at: FaultyRig): () => Operator {
  let operator: Operator | undefined;
  beforeAll(async () => {
    await at.rig.startServe();
    operator = await at.keep(startOperator(at.rig));
  });
  afterEach(async () => {
    at.proxy.mend();
    await at.works();
  });

  return () => {
    if (operator === undefined) throw new Error('the operator is not there yet');
    return operator;
  };
}
