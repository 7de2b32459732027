import type { WebPorts } from '../../../src/web/ports.ts';
import { foundBy } from '../../../src/web/routes/calls.ts';
import { actorOf, webTree } from '../../support/web/webStage.ts';
import { parseConfig } from '../../../src/config/load.ts';

/** A catalogue in which nothing fits, however far it is looked; how slow a real one is, no test can say. */
function nothingFits(msPerLook: number): { ports: WebPorts; looks: () => number } {
  let looks = 0;
  const ports = {
    config: parseConfig(webTree()),
    clock: { now: () => looks * msPerLook },
    catalogue: {
      search: {
        calls: () => {
          looks += 1;

          return Promise.resolve({ ids: [], next: `after ${looks}` });
        },
      },
      listings: { of: () => Promise.resolve([]) },
    },
  };

  return { ports: ports as unknown as WebPorts, looks: () => looks };
}

const wanted = { after: undefined, limit: 50 };

test.each([
  ['a quick catalogue is looked through for several parts', 1, 8],
  ['a slow one for as many as fit in 20 ms', 8, 3],
  ['a very slow one for one', 400, 1],
])('for a page of what nothing fits, %s, and it says where to go on', async (_, msPerLook, times) => {
  const { ports, looks } = nothingFits(msPerLook);
  const page = await foundBy(actorOf('officer'), { direction: 'incoming' }, wanted, ports);
  expect(page).toEqual({ found: [], next: `after ${times}` });
  expect(looks()).toBe(times);
});
