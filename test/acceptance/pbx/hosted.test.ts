/** docs/pbx/hosted.md, followed to its end: its own dialplan, lines, purpose and sentences, with telephones of two customers. */
import { appendFileSync, cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { continuousTone } from '../../../lab/telephones/audio.ts';
import { placeCall, startAgent, type Agent, type Call } from '../../../lab/telephones/sip.ts';
import { allOver, eventually } from '../../support/poll.ts';
import { asPhone, endpointConf } from '../../support/call/followedCalls.ts';
import { shippedSounds } from '../../support/policy/promptFolder.ts';
import {
  catalogueCalls,
  catalogueNotices,
  catalogueRecordings,
  endedCall,
  useRig,
  writtenRecording,
} from '../../support/rig/rigs.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

const page = readFileSync(new URL('../../../docs/pbx/hosted.md', import.meta.url), 'utf8');
const blocks = (language: string): string[] =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\n([^]*?)^\`\`\``, 'gm'))].map(([, block = '']) => block);
const [dialplan = ''] = blocks('ini');
const [purpose = '', sentences = '', lines = '', companies = ''] = blocks('yaml');
type Tree = Record<string, Record<string, unknown>>;

const { controllers = {}, processor = {}, controller = {} } = parse(companies) as Tree;
// The lab's archive is not encrypted.
const withoutKeys = Object.entries(controllers).map(([name, company]) => [
  name,
  { ...(company as object), encryption: {} },
]);

const talkMs = 3_000;
/** More than that of Acme takes. */
const noticeMs = 13_000;
const folder = temporaryFolder();
/** Talks until its call is ended: one test looks for it meanwhile, by commands, which take their time. */
const patient = 'bakker-101';
const telephones = ['acme-101', 'acme-102', patient] as const;
const agents = new Map<string, Agent>();

/** As the page wants it: the endpoint is named after the customer, and has the context of that customer. */
const telephone = (name: string, { port }: Agent, context: string): string =>
  endpointConf(name, [`aors = ${name}`]).replace('context = incoming', `context = ${context}`) +
  `\n[${name}]\ntype = aor\ncontact = sip:agent@127.0.0.1:${port}\n`;

const at = useRig(async () => {
  for (const name of [...telephones, 'trunk']) {
    const tone = await continuousTone(1_000);
    // Whom an employee calls outside hears the notice first.
    const hangUpAfterMs = name === 'trunk' ? noticeMs + talkMs : talkMs;
    const ends = name === patient ? {} : { hangUpAfterMs };
    agents.set(name, await at.keep(startAgent({ behaviour: 'answer', tone, ...ends, atOnce: 2 })));
  }
  const conf = [...agents].map(([name, agent]) => telephone(name, agent, name.split('-')[0] ?? ''));

  return {
    idle: true,
    lines: ['include => numbers', ...dialplan.split('\n')],
    conf: {
      '+pjsip.conf': conf.join(''),
      'app_queue.conf': '',
      'queues.conf': '[general]\npersistentmembers = no\n[acme-sales]\nstrategy = ringall\nmember => PJSIP/acme-101\n',
    },
    config: {
      purposes: (parse(purpose) as Tree)['purposes'] ?? {},
      notice: { soundsFolder: folder.path('sounds') },
      lines: (parse(lines) as Tree)['lines'] ?? {},
      controller,
      processor,
      controllers: Object.fromEntries(withoutKeys) as Record<string, unknown>,
    },
  };
});

beforeAll(async () => {
  cpSync(shippedSounds, folder.path('sounds'), { recursive: true });
  const [, ...own] = sentences.split('\n');
  appendFileSync(folder.path('sounds/prompts.yaml'), `\n${own.join('\n')}`);
  expect(await at.rig.preavis('prompts', 'build')).toMatchObject({ code: 0 });
  expect(await at.rig.preavis('prompts', 'install', '--to', at.rig.asterisk.soundsFolder)).toMatchObject({ code: 0 });
  await at.rig.startServe();
});

type More = { fromNumber?: string; headers?: readonly string[] };
const callTo = async (to: string, more: More = {}): Promise<Call> =>
  at.keep(placeCall({ sipPort: at.rig.asterisk.sipPort, to, tone: await continuousTone(440), ...more }));

/** Until somebody has answered and talked. */
async function expectEnded({ ended }: Call): Promise<void> {
  expect(await ended).toMatchObject({ status: 'answered', endedBy: 'callee' });
}

/** Ends the talk of the telephone that is patient, once a second and a half of it is written; `earlier` are calls before it. */
async function endTalk(earlier: readonly string[] = []): Promise<void> {
  await writtenRecording(at.rig, 'bakker-main', 24_000, earlier);
  await agents.get(patient)?.endCall();
}

/** What `recordings list` has by these options, without calls in vain. */
async function purposesOf(...options: string[]): Promise<string[]> {
  const ours = new Set<string>((await catalogueRecordings(at.rig)).map(({ id }) => id));
  const listed = await at.rig.preavisJson<{ recordings: { id: string; line: string; purposes: string[] }[] }>(
    ...['recordings', 'list', ...options],
  );

  return listed.recordings
    .filter(({ id }) => ours.has(id))
    .map((each) => `${each.line} for ${each.purposes.join('+')}`);
}

/** The ids of the sentences that the newest call by this line heard. */
const promptsOf = async (line: string): Promise<string[]> =>
  (await catalogueNotices(at.rig, line)).map(({ prompt }) => prompt);

const acmePrompts = ['notice-acme-training', 'opt-out'];
const shippedPrompts = ['notice-training'];

/** A call of each customer from outside, and one that an employee places. */
const rows = [
  { line: 'acme-sales', to: '3225501000', fromNumber: '+3242345678', language: 'fr', prompts: acmePrompts },
  { line: 'bakker-main', to: '3292201000', fromNumber: '+3292345678', language: 'nl', prompts: shippedPrompts },
  { line: 'acme-outbound', to: '042345678', headers: [asPhone('acme-102')], language: 'fr', prompts: acmePrompts },
];

test('in calls from outside and to outside each customer has its own sentences and its own purpose', () =>
  at.onTime(
    rows.map(({ line }) => line),
    async () => {
      await allOver(
        rows.map(async ({ line, to, ...more }) => {
          const call = await callTo(to, more);
          if (line === 'bakker-main') await endTalk();
          await expectEnded(call);
        }),
      );
      for (const { line, language, prompts } of rows) {
        const direction = line === 'acme-outbound' ? { direction: 'outgoing' } : {};
        expect(await endedCall(at.rig, line)).toMatchObject({
          ...direction,
          result: 'recorded',
          languages: [language],
        });
        expect(await promptsOf(line)).toEqual(prompts);
        expect(await purposesOf('--line', line)).toEqual([
          `${line} for ${line === 'bakker-main' ? 'training' : 'acme-training'}`,
        ]);
      }
      expect(await purposesOf('--controller', 'bakker')).toEqual(['bakker-main for training']);
    },
  ));

test('an employee of one customer who calls another is a caller like others, and told', () =>
  at.onTime([], async () => {
    const earlier = (await catalogueCalls(at.rig)).map(({ id }): string => id);
    const placed = await callTo('092201000', { fromNumber: '101', headers: [asPhone('acme-101')] });
    // Of both telephones, while they talk.
    const found = await eventually(async () => {
      const listed = await at.rig.preavisJson<{ calls: { id: string; telephones: string[] }[] }>(
        ...['calls', 'list', '--extension', patient],
      );

      return listed.calls.find(({ id }) => !earlier.includes(id)) ?? false;
    });
    await endTalk(earlier);
    await expectEnded(placed);
    const call = await eventually(async () => {
      const ours = (await catalogueCalls(at.rig)).filter(({ id }) => !earlier.includes(id));
      expect(ours).toMatchObject([{ phase: 'ended' }]);

      return ours[0] ?? false;
    });
    expect(call).toMatchObject({ line: 'bakker-main', result: 'recorded' });
    expect(found).toMatchObject({ id: call.id, telephones: ['acme-101', patient] });
    expect(await at.rig.preavisJson('calls', 'list', '--extension', patient)).toEqual({ calls: [] });
    // Nobody knows their language.
    expect(call.languages).toEqual(['fr']);
    expect(await promptsOf('bakker-main')).toEqual(shippedPrompts);
  }));

test('a call within one customer is none of Préavis', async () => {
  const before = (await catalogueCalls(at.rig)).length;
  await expectEnded(await callTo('102', { headers: [asPhone('acme-101')] }));
  expect(agents.get('acme-102')?.answered()).toBeGreaterThan(0);
  expect(await catalogueCalls(at.rig)).toHaveLength(before);
});

test('lint takes the dialplan of the page, and does not see which line a variable is', async () => {
  const file = join(at.rig.folder, 'extensions.conf');
  const include = new URL('../../../dialplan/preavis.conf', import.meta.url).pathname;
  writeFileSync(file, `${dialplan}\n#include "${include}"\n`);
  expect(await at.rig.preavis('dialplan', 'lint', file)).toMatchObject({ code: 0 });
  writeFileSync(file, `${dialplan.replace('-main)', '-nowhere)')}\n#include "${include}"\n`);
  expect(await at.rig.preavis('dialplan', 'lint', file)).toMatchObject({ code: 0 });
});

test('check finds nothing wrong with what the page has set up', async () => {
  const { stdout } = await at.rig.preavis('check');
  expect(stdout).toMatch(/^ok +prompts and purposes$/m);
  expect(stdout).not.toMatch(/^WRONG/m);
  expect(stdout).toMatch(/not yet: .*acme-training/);
});
