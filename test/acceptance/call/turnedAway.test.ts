/**
 * Where the law forbids to talk unrecorded (`whenUnrecordable: turnAway`, `must=record`): who cannot be told or recorded hears so and is not put
 * through, in both ways, whatever has failed. The destination never rings.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { continuousTone } from '../../../lab/telephones/audio.ts';
import { startRtpReceiver } from '../../../lab/telephones/rtpReceiver.ts';
import { placeCall, startAgent, type Agent } from '../../../lab/telephones/sip.ts';
import { labPurpose } from '../../../lab/rig.ts';
import { installPrompts } from '../../../src/prompts/install.ts';
import { loadPrompts } from '../../../src/prompts/library.ts';
import { presentMs } from '../../support/audio/audio.ts';
import { eventually } from '../../support/poll.ts';
import { toneWav } from '../../support/policy/promptFolder.ts';
import { catalogueChanges, endedCall, expectNobodyConnected, useRig } from '../../support/rig/rigs.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

const noticeHz = 700;
const turnedAwayHz = 1_900;
const agentHz = 1_000;
const folder = temporaryFolder();
let agent: Agent;

/** Each call has a line of its own: by the configuration alone, and by `must=record` as well. */
const ways = ['bridge', 'follow'] as const;
const troubles = ['recorded', 'full', 'missing', 'silent'] as const;
const lines = ways.flatMap((way) => troubles.map((trouble) => `${way}-${trouble}`));

function writeSounds(): void {
  mkdirSync(folder.path('fr'));
  writeFileSync(folder.path('fr/notice.wav'), toneWav(noticeHz, 1_500));
  writeFileSync(folder.path('fr/turned-away.wav'), toneWav(turnedAwayHz, 1_500));
  writeFileSync(
    folder.path('prompts.yaml'),
    `languages: { fr: { made: recording, voice: a tone } }
prompts:
  notice: { kind: whole, wording: is, purposes: [training], statesMaxDays: { training: 28 }, text: { fr: Cet appel est enregistré. } }
  turned-away: { kind: turnedAway, text: { fr: Nous ne pouvons pas prendre cet appel. } }
`,
  );
}

const at = useRig(async () => {
  writeSounds();
  const tone = await continuousTone(agentHz);
  agent = await at.keep(startAgent({ behaviour: 'answer', tone, hangUpAfterMs: 2_000, atOnce: 8 }));
  const words = 'Orders of the lab are recorded, as a law of the lab wants it.';

  return {
    idle: true,
    lines: [
      ...troubles.flatMap((trouble) => [
        `exten => bridge-${trouble},1,Gosub(preavis,s,1(${agent.dialString},20,line=bridge-${trouble}))`,
        // Whoever comes back from the Gosub is put through by it.
        ` same => n,Dial(${agent.dialString},20)`,
        `exten => follow-${trouble},1,Gosub(preavis-tell,s,1(line=follow-${trouble}))`,
        ` same => n,Dial(${agent.dialString},20)`,
        ' same => n,Hangup()',
      ]),
      `exten => bridge-down,1,Gosub(preavis,s,1(${agent.dialString},20,must=record))`,
      'exten => follow-down,1,Gosub(preavis-tell,s,1(must=record))',
      ` same => n,Dial(${agent.dialString},20)`,
      'exten => h,1,NoOp(over: ${EXTEN} ${PREAVIS_RESULT} ${PREAVIS_REASON} ${DIALSTATUS})',
      'exten => own,1,Goto(desk,own,1)',
      // An operator's own answer to it.
      '[desk]',
      'exten => own,1,Gosub(preavis-tell,s,1(must=record))',
      ` same => n,Dial(${agent.dialString},20)`,
      'exten => preavis-turned-away,1,NoOp(own: ${PREAVIS_RESULT})',
      ' same => n,Hangup(17)',
    ],
    config: {
      notice: { soundsFolder: folder.path(), languages: ['fr'] },
      purposes: {
        training: {
          ...labPurpose('lab', words, 28),
          kind: 'obligation',
          whenUnrecordable: 'turnAway',
        },
      },
      lines: Object.fromEntries(
        ['default', ...lines].map((name) => [
          name,
          { purposes: ['training'], language: 'fr', defaultLanguages: ['fr'] },
        ]),
      ),
    },
  };
});

const install = async (): Promise<void> => {
  await installPrompts(await loadPrompts(folder.path()), folder.path(), at.rig.asterisk.soundsFolder);
};

/** Of an installed sentence, in every format. */
async function removeSound(name: 'notice' | 'turned-away'): Promise<void> {
  const { prompts } = await loadPrompts(folder.path());
  const soundName = prompts.find(({ id }) => id === name)?.soundName ?? '';
  for (const format of ['wav', 'wav16', 'ulaw', 'alaw', 'g722'])
    rmSync(`${at.rig.asterisk.soundsFolder}/fr/${soundName}.${format}`, { force: true });
}

beforeAll(install);

/** Calls, and is told that it cannot be recorded. The agent's telephone does not ring. */
async function isTurnedAway(to: string, hears = true, code = 503): Promise<void> {
  const receiver = await at.keep(startRtpReceiver());
  const before = agent.calls();
  const tone = await continuousTone(440);
  const end = await (await at.keep(placeCall({ sipPort: at.rig.asterisk.sipPort, to, tone, receiver }))).ended;
  expect({ to, ...end }).toMatchObject({ status: code === 486 ? 'busy' : 'failed', finalCode: code });
  const samples = receiver.latest(20_000);
  const sentenceMs = presentMs(samples, turnedAwayHz);
  expect({ to, isHeard: sentenceMs > 1_200, sentenceMs }).toMatchObject({ to, isHeard: hears });
  expect({ to, talks: presentMs(samples, agentHz), rang: agent.calls() - before }).toEqual({ to, talks: 0, rang: 0 });
}

const result = (extension: string): string | undefined => {
  const over = at.rig.asterisk
    .logs()
    .split('\n')
    .filter((line) => line.includes('over: '));

  return over.at(-1)?.replace(/.*over: /, '') ?? extension;
};

test('a caller who can be recorded is, as on any line', async () => {
  await at.rig.startServe();
  await at.onTime(['bridge-recorded', 'follow-recorded'], async () => {
    for (const way of ways) {
      const to = `${way}-recorded`;
      const call = await at.keep(placeCall({ sipPort: at.rig.asterisk.sipPort, to, tone: await continuousTone(440) }));
      expect(await call.ended).toMatchObject({ status: 'answered', endedBy: 'callee' });
      expect(await endedCall(at.rig, to)).toMatchObject({ result: 'recorded' });
    }
  });
});

test('without a place for the recording who calls hears that it cannot be, and nobody rings', async () => {
  await at.rig.stopServe();
  await at.rig.startServe({ PREAVIS_RECORDING_MINIMUM_FREE_MIB: '1000000000' });
  await at.onTime(['bridge-full', 'follow-full'], async () => {
    for (const way of ways) {
      await isTurnedAway(`${way}-full`);
      expect(await endedCall(at.rig, `${way}-full`)).toMatchObject({ result: 'unrecorded', reason: 'spool_full' });
      // It is written down behind the end of the call.
      await eventually(async () => {
        const changes = (await catalogueChanges(at.rig, `${way}-full`)).map(({ change }) => change);
        expect(changes).toEqual(['turnedAway']);
      });
      await eventually(() => result(way)?.includes('turnedAway spool_full CONGESTION') === true);
    }
  });
  await at.rig.stopServe();
});

test('without the notice they hear so as well, and without any sentence they are refused all the same', async () => {
  await at.rig.startServe();
  await removeSound('notice');
  await at.onTime(['bridge-missing', 'follow-missing'], async () => {
    for (const way of ways) {
      await isTurnedAway(`${way}-missing`);
      expect(await endedCall(at.rig, `${way}-missing`)).toMatchObject({ reason: 'prompts_missing' });
    }
  });
  await removeSound('turned-away');
  await at.onTime(['bridge-silent', 'follow-silent'], async () => {
    for (const way of ways) await isTurnedAway(`${way}-silent`, false);
  });
  await install();
});

test('a Préavis that hangs, or was killed, puts nobody through who must be recorded', async () => {
  const pid = at.rig.servePid();
  if (pid === undefined) throw new Error('serve does not run');
  process.kill(pid, 'SIGSTOP');
  try {
    await Promise.all(ways.map((way) => isTurnedAway(`${way}-down`)));
    await eventually(() => result('')?.includes('turnedAway not_responding CONGESTION') === true);
  } finally {
    process.kill(pid, 'SIGCONT');
  }
  await at.rig.killServe();
  for (const way of ways) await isTurnedAway(`${way}-down`);
  await eventually(() => result('')?.includes('turnedAway  CONGESTION') === true);
  await expectNobodyConnected(at.rig);
});

test('an extension of the operator says what becomes of them instead', async () => {
  await isTurnedAway('own', true, 486);
  await eventually(() => at.rig.asterisk.logs().includes('own: turnedAway'));
});
