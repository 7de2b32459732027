/**
 * What a request to ARI costs, by HTTP as Préavis sends it, and by the WebSocket of events (Asterisk from 20.14, 21.9 and 22.4), which it does
 * not use: `npm run bench:transport`. The two take turns. Requests come at a pace, as calls make them: most of the cost is that two
 * processes wake up, and of requests without a pause in between there is little of it.
 */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import WebSocket from 'ws';
import { startAsterisk, type LabAsterisk } from '../lab/asterisk/asterisk.ts';
import { makeAriHttp } from '../src/ari/httpClient.ts';
import { cpuMs } from './figures.ts';
import { spreadOf } from './peers/report.ts';

const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: '2000' },
    perSecond: { type: 'string', default: '200' },
    rounds: { type: 'string', default: '5' },
  },
});
const [requests, perSecond, rounds] = [values.requests, values.perSecond, values.rounds].map(Number) as [
  number,
  number,
  number,
];

type Transport = { ask: () => Promise<unknown>; close: () => void };

function byHttp({ ariUrl: url, ariUsername: username, ariPassword: password }: LabAsterisk): Transport {
  const { request, close } = makeAriHttp({ url, username, password, timeoutMs: 5_000 });

  return { ask: () => request('GET', '/asterisk/variable', { variable: 'EPOCH' }), close };
}

async function byWebSocket({ ariUrl, ariUsername, ariPassword }: LabAsterisk): Promise<Transport> {
  const { host } = new URL(ariUrl);
  const socket = new WebSocket(`ws://${host}/ari/events?app=bench&api_key=${ariUsername}:${ariPassword}`);
  await once(socket, 'open');
  const waiting = new Map<string, (answer: unknown) => void>();
  socket.on('message', (data: Buffer) => {
    const { type, request_id: id, message_body: body } = JSON.parse(data.toString()) as Record<string, string>;
    if (type === 'RESTResponse' && id !== undefined) waiting.get(id)?.(JSON.parse(body ?? 'null'));
  });
  let sent = 0;
  const ask = (): Promise<unknown> =>
    new Promise((resolve) => {
      const id = String((sent += 1));
      waiting.set(id, (answer) => {
        waiting.delete(id);
        resolve(answer);
      });
      socket.send(
        JSON.stringify({ type: 'RESTRequest', request_id: id, method: 'GET', uri: 'asterisk/variable?variable=EPOCH' }),
      );
    });

  return {
    ask,
    close: () => {
      socket.close();
    },
  };
}

/** CPU ms a request, of Asterisk and of this process. */
async function cost({ ask }: Transport, pid: number): Promise<{ asterisk: number; node: number }> {
  const [asterisk, node, began] = [cpuMs(pid), cpuMs(process.pid), performance.now()];
  const answers: Promise<unknown>[] = [];
  for (let index = 0; index < requests; index += 1) {
    const dueMs = began + (index / perSecond) * 1_000 - performance.now();
    if (dueMs > 0) await sleep(dueMs);
    answers.push(ask());
  }
  await Promise.all(answers);

  return { asterisk: (cpuMs(pid) - asterisk) / requests, node: (cpuMs(process.pid) - node) / requests };
}

type Measured = { name: string; transport: Transport; costs: { asterisk: number; node: number }[] };

function lineOf({ name, costs }: Measured): string {
  const figures = (['asterisk', 'node'] as const).map((who) => {
    const spread = spreadOf(costs.map((each) => each[who]));

    return spread === undefined
      ? ''
      : `${who} ${[spread.median, spread.least, spread.most].map((ms) => ms.toFixed(3)).join(' / ')}`;
  });

  return `${name.padEnd(9)}  ms of CPU a request (median / least / most): ${figures.join(', ')}\n`;
}

const asterisk = await startAsterisk();
try {
  const pid = asterisk.pid();
  if (pid === undefined) throw new Error('Asterisk does not run.');
  const all: Measured[] = [
    { name: 'HTTP', transport: byHttp(asterisk), costs: [] },
    { name: 'WebSocket', transport: await byWebSocket(asterisk), costs: [] },
  ];
  // What Node compiles in the first ones is not counted.
  for (const { transport } of all) await cost(transport, pid);
  for (let round = 0; round < rounds; round += 1)
    for (const { transport, costs } of all) costs.push(await cost(transport, pid));
  for (const each of all) {
    process.stdout.write(lineOf(each));
    each.transport.close();
  }
} finally {
  await asterisk.stop();
}
