import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { eventually } from '../poll.ts';
import { catalogueRecordings, useRig, type RigInUse } from '../rig/rigs.ts';
import {
  consoleRig,
  makeCalls,
  somePeople,
  startPhones,
  startWebOf,
  type People,
  type Phones,
  type Web,
} from './consoleLab.ts';
import { openBrowser } from '../../../lab/console/browser.ts';
import { signIn, visit, type Visit } from './pages.ts';

type Look = Parameters<typeof visit>[2];
export type ConsoleOfTest = {
  at: RigInUse;
  /** In a browser of its own; with a user, signed in. */
  opened: (path: string, user?: string, look?: Look) => Promise<Visit['page']>;
};

/**
 * The console with calls of each kind, all archived, and a browser. Behind each test nothing may have been thrown, kept out by the policy of
 * contents, or asked of another address.
 */
export function useConsole(): ConsoleOfTest {
  let phones: Phones;
  let people: People;
  let web: Web;
  let browser: Browser;
  const visits: Visit[] = [];

  // Before the rig, which has to be the last process.
  afterAll(async () => {
    await browser.close();
    await web.process.stop({ graceMs: 10_000 });
  });
  const at = useRig(async () => {
    phones = await startPhones(at);
    people = await somePeople();

    return consoleRig(phones, people);
  });
  beforeAll(async () => {
    await makeCalls(at.rig, phones);
    await eventually(
      async () => {
        await at.rig.preavis('upload');
        const rows = await catalogueRecordings(at.rig);

        return rows.filter(({ status }) => status === 'archived').length === 3;
      },
      { everyMs: 500 },
    );
    web = await startWebOf(at.rig, join(at.rig.folder, 'web.log'));
    browser = await openBrowser();
  });
  afterEach(async () => {
    for (const { context } of visits) await context.close();
    const made = visits.splice(0);
    expect(made.flatMap(({ complaints }) => complaints)).toEqual([]);
    expect(made.flatMap(({ foreign }) => foreign)).toEqual([]);
  });

  return {
    at,
    opened: async (path, user, look = {}) => {
      const made = await visit(browser, web.url, look);
      visits.push(made);
      await made.page.goto(path);
      if (user !== undefined) await signIn(made.page, user);

      return made.page;
    },
  };
}
