import { openBrowser } from '../../../lab/console/browser.ts';
import type { Rig, RigOptions } from '../../../lab/rig.ts';
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
import { signIn, visit, type Visit } from './pages.ts';

type Look = Parameters<typeof visit>[2];
type Staged<Served extends Web> = {
  /** In place before the rig, of which it is given the calls to be. */
  rig: (at: RigInUse) => Promise<RigOptions>;
  makeCalls: (rig: Rig) => Promise<void>;
  /** How many recordings they leave. */
  recordings: number;
  startWeb: (rig: Rig, logFile: string) => Promise<Served>;
};
export type ConsoleOfTest<Served extends Web> = {
  at: RigInUse;
  web: () => Served;
  /** In a browser of its own; with a user, signed in. */
  opened: (path: string, user?: string, look?: Look) => Promise<Visit['page']>;
};

/**
 * The console with calls, all archived, and a browser. Behind each test nothing may have been thrown, kept out by the policy of contents, or
 * asked of another address.
 */
export function useConsoleOf<Served extends Web>(staged: Staged<Served>): ConsoleOfTest<Served> {
  let web: Served;
  let browser: Browser;
  const visits: Visit[] = [];

  // Before the rig, which has to be the last process.
  afterAll(async () => {
    await browser.close();
    await web.process.stop({ graceMs: 10_000 });
  });
  const at = useRig(() => staged.rig(at));
  beforeAll(async () => {
    await staged.makeCalls(at.rig);
    await eventually(
      async () => {
        await at.rig.preavis('upload');
        const rows = await catalogueRecordings(at.rig);

        return rows.filter(({ status }) => status === 'archived').length === staged.recordings;
      },
      { everyMs: 500 },
    );
    web = await staged.startWeb(at.rig, join(at.rig.folder, 'web.log'));
    browser = await openBrowser();
  });
  afterEach(async () => {
    for (const { context } of visits) await context.close();
    const made = visits.splice(0);
    expect(made.flatMap(({ complaints }) => complaints)).toEqual([]);
    // Nothing is asked of anybody else.
    expect(made.flatMap(({ foreign }) => foreign)).toEqual([]);
  });

  return {
    at,
    web: () => web,
    opened: async (path, user, look = {}) => {
      const made = await visit(browser, web.url, look);
      visits.push(made);
      await made.page.goto(path);
      if (user !== undefined) await signIn(made.page, user);

      return made.page;
    },
  };
}

/** The same with calls of each kind. */
export function useConsole(): ConsoleOfTest<Web> & { people: () => People } {
  let phones: Phones;
  let people: People;
  const used = useConsoleOf<Web>({
    rig: async (at) => {
      phones = await startPhones(at);
      people = await somePeople();

      return consoleRig(phones, people);
    },
    makeCalls: (rig) => makeCalls(rig, phones),
    recordings: 3,
    startWeb: startWebOf,
  });

  return { ...used, people: () => people };
}
