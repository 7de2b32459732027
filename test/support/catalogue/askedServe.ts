/** A call that goes on and one that is over, for commands that ask serve through Asterisk; and an Asterisk that stands for both. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { writeFile } from 'node:fs/promises';
import type { Change } from '../../../src/call/watch/timeline.ts';
import { openCatalogue, type Catalogue } from '../../../src/catalogue/catalogue.ts';
import type { CommandContext } from '../../../src/cli/context.ts';
import { callStart, configTree } from '../call/calls.ts';
import { temporaryFolder } from '../temporaryFolder.ts';
import { clockAt, saveCall, type SavedCall } from './catalogues.ts';

export type AskedServe = {
  readonly context: CommandContext;
  readonly catalogue: Catalogue;
  /** It may be asked for everything. */
  readonly talking: SavedCall;
  /** Its line had none of it when it came. */
  readonly plain: SavedCall;
  readonly ended: SavedCall;
  /** What the command has printed. */
  readonly printed: string[];
  /** What came to Asterisk. */
  readonly asked: string[];
  /** What Asterisk answers. */
  status: number;
  /** What serve does with it; nothing where it is undefined. */
  done: Change | undefined;
};

/** Of each test nothing is left to the next but what serve has done. */
export function useAskedServe(): AskedServe {
  const folder = temporaryFolder();
  const clock = clockAt(callStart);
  const printed: string[] = [];
  const asked: string[] = [];
  const context: CommandContext = { configFile: '', environment: {}, clock, print: (text) => printed.push(text) };
  let asterisk: Server | undefined;
  const made: { catalogue?: Catalogue; talking?: SavedCall; plain?: SavedCall; ended?: SavedCall } = {};
  const ready = <T>(part: T | undefined): T => {
    if (part === undefined) throw new Error('not ready yet');
    return part;
  };
  const stage: AskedServe = {
    context,
    printed,
    asked,
    status: 204,
    done: undefined,
    get catalogue() {
      return ready(made.catalogue);
    },
    get talking() {
      return ready(made.talking);
    },
    get plain() {
      return ready(made.plain);
    },
    get ended() {
      return ready(made.ended);
    },
  };
  beforeAll(async () => {
    const server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        asked.push(`${request.method ?? ''} ${request.url ?? ''} ${body}`);
        const { done: change, status } = stage;
        const { id } = stage.talking.facts;
        if (change !== undefined)
          void stage.catalogue.journal.addToTimeline(id, { kind: 'change', change, at: callStart + 9_000 });
        response.writeHead(status).end();
      });
    });
    asterisk = server;
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const file = folder.path('catalogue.db');
    context.configFile = folder.path('preavis.yaml');
    const ari = { url: `http://127.0.0.1:${port}`, username: 'preavis', password: 'not-a-secret' };
    // No line asks for anything any more: what holds is what held when the call came.
    const tree = { ...configTree(), ari, catalogue: { file } };
    await writeFile(context.configFile, JSON.stringify(tree), { mode: 0o600 });
    made.catalogue = openCatalogue(file, clock);
    made.plain = await saveCall(made.catalogue, { until: 'talking' });
    made.talking = await saveCall(made.catalogue, { until: 'talking' });
    const { id } = made.talking.facts;
    for (const state of await made.catalogue.journal.open()) {
      if (state.kind === 'unreadable' || state.facts.id !== id || state.facts.order === undefined) continue;
      const order = {
        ...state.facts.order,
        records: 'onRequest' as const,
        agreement: { purpose: 'agreement', keepDays: 392 },
      };
      await made.catalogue.journal.save({ ...state, facts: { ...state.facts, order } });
    }
    made.ended = await saveCall(made.catalogue, {});
  });
  afterAll(async () => {
    made.catalogue?.close();
    await new Promise((resolve) => asterisk?.close(resolve));
  });
  beforeEach(() => {
    printed.length = 0;
    asked.length = 0;
    stage.status = 204;
    stage.done = undefined;
  });

  return stage;
}
