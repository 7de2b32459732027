/**
 * Members of a queue, and a follow-me, that are Local/ channels which stay (`/n`), as FreePBX makes them: the telephone that answers is in a
 * bridge of its own, and it is kept all the same which one it was.
 */
import { join } from 'node:path';
import { continuousTone } from '../../../lab/telephones/audio.ts';
import { placeCall, startAgent } from '../../../lab/telephones/sip.ts';
import { eventually } from '../../support/poll.ts';
import { finishedRecording, useRig } from '../../support/rig/rigs.ts';

const talkMs = 2_000;
/** What each way leads to when the notice was told; that of `dialled` is dialled by Préavis. */
const ways = {
  queue: 'Queue(sales,,,,20)',
  chain: 'Queue(away,,,,20)',
} as const;
type Way = keyof typeof ways;
const callers: Record<Way | 'dialled', string> = {
  queue: '+3242345678',
  chain: '+3242345679',
  dialled: '+3242345680',
};

const at = useRig(async () => {
  const agent = await at.keep(
    startAgent({ behaviour: 'answer', tone: await continuousTone(1_000), hangUpAfterMs: talkMs, ringMs: 300 }),
  );

  return {
    extensions: { dialled: 'Local/101@from-queue/n,20,line=dialled' },
    lines: [
      ...Object.entries(ways).flatMap(([way, leads]) => [
        `exten => ${way},1,Gosub(preavis-tell,s,1(line=${way}))`,
        ` same => n,${leads}`,
        ' same => n,Hangup()',
      ]),
      '[from-queue]',
      `exten => 101,1,Dial(${agent.dialString},20)`,
      // Whoever has this extension is elsewhere today.
      'exten => 102,1,Dial(Local/101@from-queue/n,20)',
    ],
    conf: {
      'app_queue.conf': '',
      'queues.conf':
        '[general]\npersistentmembers = no\n[sales]\nstrategy = ringall\ntimeout = 15\nmember => Local/101@from-queue/n\n' +
        '[away]\nstrategy = ringall\ntimeout = 15\nmember => Local/102@from-queue/n\n',
    },
    config: {
      lines: Object.fromEntries(
        Object.keys(callers).map((line) => [line, { purposes: ['training'], defaultLanguages: ['fr'] }]),
      ),
      staff: { extensions: ['agent'] },
      privacy: { hashKey: 'a key of the lab, of thirty-two characters', keepExtensions: true },
    },
  };
});

type Found = { calls: { line: string; recording: { id: string } | null }[] };
const found = (...by: string[]): Promise<Found> => at.rig.preavisJson<Found>('subject', 'find', ...by);

test.each(Object.keys(callers) as (Way | 'dialled')[])(
  'the telephone that answers behind Local/ channels that stay is found, by %s',
  async (line) => {
    const { rig } = at;
    await at.onTime(line, async () => {
      const call = await at.keep(
        placeCall({
          sipPort: rig.asterisk.sipPort,
          to: line,
          fromNumber: callers[line],
          tone: await continuousTone(440),
        }),
      );
      expect(await call.ended).toMatchObject({ status: 'answered', endedBy: 'callee' });
    });
    const { id } = await finishedRecording(rig, line);
    const byLine = await eventually(async () => {
      const { calls } = await found('--extension', 'agent');

      return calls.filter((each) => each.line === line).at(-1) ?? false;
    });
    expect(byLine.recording?.id).toBe(id);
    // By another name, and by the number of another, there is nothing.
    expect((await found('--extension', 'agen')).calls).toEqual([]);
    expect((await found('--number', callers[line])).calls.map((each) => each.line)).toContain(line);
    const file = join(rig.folder, `${line}.zip`);
    const { stdout } = await rig.preavis('subject', 'export', '--extension', 'agent', '-o', file, '--force', '--json');
    expect(JSON.parse(stdout)).toMatchObject({ absent: [], extensionsKept: true });
  },
);
