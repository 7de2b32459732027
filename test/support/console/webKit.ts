import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { makeLabFolder, spawnLive, type LiveProcess } from '../../../lab/machine/processes.ts';
import { claimPorts } from '../../../lab/machine/ports.ts';
import { eventually } from '../poll.ts';

/**
 * WebKitGTK, the WebKit of Debian. Playwright drives a WebKit of its own only, so this speaks WebDriver (W3C), of which a test of playing needs a few
 * commands.
 */

const onPath = (name: string): string | undefined => {
  const path = spawnSync('which', [name], { encoding: 'utf8' }).stdout.trim();

  return path === '' ? undefined : path;
};

/** Debian has it beside the library, for each architecture and version of the library. */
function findMiniBrowser(): string | undefined {
  const libraries = '/usr/lib';
  const folders = readdirSync(libraries).flatMap((machine) =>
    ['webkit2gtk-4.1', 'webkitgtk-6.0', 'webkit2gtk-4.0'].map((name) => join(libraries, machine, name, 'MiniBrowser')),
  );

  return folders.find((path) => existsSync(path));
}

const programs = { driver: onPath('WebKitWebDriver'), screen: onPath('Xvfb'), browser: findMiniBrowser() };

/** Skipped, and counted as that, where one of its programs is missing: `node lab/prepare.mjs --with webkit` brings them. */
export const inWebKit = Object.values(programs).includes(undefined) ? test.skip : test;

/** As the W3C has it for references to elements. */
const elementKey = 'element-6066-11e4-a52e-4f735466cecf';

export type WebKit = {
  open(url: string): Promise<void>;
  /** What this script returns, which may wait by no promise. */
  evaluate<T>(script: string): Promise<T>;
  /** Waits for the first element of this selector and clicks it, as a person does: sound may begin only then. */
  click(selector: string): Promise<void>;
  /** Keys for whatever has the focus. */
  press(keys: string): Promise<void>;
  stop(): Promise<void>;
};

/** The driver does not say that a browser ended while its session begins. Such a session begins in half a second, at a load of 18 in four. */
const answerMs = 45_000;

/** A browser that ended by itself. */
class BrowserEnded extends Error {}

/** How often it is begun anew where the browser ends. */
const mostBeginnings = 3;

/**
 * Does this to its end in one browser. WebKitGTK 2.54 ends by itself once in some hundred starts on a busy machine: MiniBrowser at its first page,
 * or its process for the network by SIGSEGV in libgobject. So all is done again, from the beginning; a page of ours that ends it would each time.
 *
 * @param clear stops what `act` has started
 */
export async function withWebKit(
  act: (browser: WebKit) => Promise<void>,
  clear: () => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  for (let beginning = 1; ; beginning += 1) {
    let browser: WebKit | undefined;
    try {
      browser = await startWebKit();
      await act(browser);
      return;
    } catch (thrown) {
      if (!(thrown instanceof BrowserEnded) || beginning === mostBeginnings) throw thrown;
      process.stdout.write(`  WebKit is started again: ${thrown.message}\n`);
    } finally {
      await browser?.stop();
    }
    await clear();
  }
}

/** A browser that has shown a page. */
async function startWebKit(): Promise<WebKit> {
  const { driver = '', screen = '', browser = '' } = programs;
  const folder = makeLabFolder();
  const logFile = join(folder.path, 'webKit.log');
  const ports = await claimPorts(1);
  const started: LiveProcess[] = [];
  const stop = async (): Promise<void> => {
    for (const process of started.reverse()) await process.stop();
    ports.release();
    folder.remove();
  };
  const start = async (command: string, args: string[], more: Record<string, string> = {}): Promise<LiveProcess> => {
    const live = await spawnLive(command, args, { logFile, env: { ...process.env, HOME: folder.path, ...more } });
    started.push(live);

    return live;
  };
  try {
    const display = `:${ports.first}`;
    await start(screen, [display, '-screen', '0', '1280x900x24', '-nolisten', 'tcp']);
    await eventually(() => existsSync(`/tmp/.X11-unix/X${ports.first}`));
    const quiet = {
      DISPLAY: display,
      GDK_BACKEND: 'x11',
      XDG_RUNTIME_DIR: folder.path,
      // There is no graphics card, nor a bus of a desktop.
      LIBGL_ALWAYS_SOFTWARE: '1',
      WEBKIT_DISABLE_DMABUF_RENDERER: '1',
      GTK_USE_PORTAL: '0',
      NO_AT_BRIDGE: '1',
    };
    await start(driver, [`--port=${ports.first}`, '--host=127.0.0.1'], quiet);
    const driverUrl = `http://127.0.0.1:${ports.first}`;
    await eventually(() => fetch(`${driverUrl}/status`));
    const session = await newSession(driverUrl, browser, logFile);
    const commands = commandsOf(session);
    await commands.open(`${driverUrl}/status`);

    return { ...commands, stop: () => session.end().catch(unlessEnded).finally(stop) };
  } catch (thrown) {
    await stop();
    throw thrown;
  }
}

function unlessEnded(thrown: unknown): void {
  if (!(thrown instanceof BrowserEnded)) throw thrown;
}

type Session = { send: <T>(method: string, path: string, body?: unknown) => Promise<T>; end: () => Promise<void> };

/** @throws BrowserEnded with what the browser wrote last; Error as the driver says it */
async function send<T>(url: string, method: string, logFile: string, body?: unknown): Promise<T> {
  const headers = { 'content-type': 'application/json' };
  const signal = AbortSignal.timeout(answerMs);
  const asked = fetch(url, { method, signal, ...(body === undefined ? {} : { headers, body: JSON.stringify(body) }) });
  const answer = await asked.catch((thrown: unknown) => {
    if (!signal.aborted) throw thrown;
    throw new BrowserEnded(`WebDriver did not answer ${method} in ${answerMs} ms`, { cause: thrown });
  });
  const { value } = (await answer.json()) as { value: T };
  if (answer.ok) return value;
  const told = `WebDriver: ${JSON.stringify(value)}`;
  if (told.includes('Session terminated') || told.includes('invalid session id'))
    throw new BrowserEnded(`${told}; its log: ${readFileSync(logFile, 'utf8').slice(-2_000)}`);
  throw new Error(told);
}

async function newSession(driver: string, browser: string, logFile: string): Promise<Session> {
  const options = { binary: browser, args: ['--automation'] };
  const { sessionId } = await send<{ sessionId: string }>(`${driver}/session`, 'POST', logFile, {
    capabilities: { alwaysMatch: { 'webkitgtk:browserOptions': options } },
  });
  const at = `${driver}/session/${sessionId}`;

  return {
    send: (method, path, body) => send(`${at}${path}`, method, logFile, body),
    end: async () => {
      await send(at, 'DELETE', logFile);
    },
  };
}

function commandsOf(session: Session): Omit<WebKit, 'stop'> {
  const keysOf = (keys: string) => ({
    actions: [
      {
        type: 'key',
        id: 'keyboard',
        actions: Array.from(keys, (value) => [
          { type: 'keyDown', value },
          { type: 'keyUp', value },
        ]).flat(),
      },
    ],
  });

  return {
    open: async (url) => {
      await session.send('POST', '/url', { url });
    },
    evaluate: (script) => session.send('POST', '/execute/sync', { script, args: [] }),
    click: async (selector) => {
      const found = await eventually(() =>
        session.send<Record<string, string>>('POST', '/element', { using: 'css selector', value: selector }),
      );
      await session.send('POST', `/element/${found[elementKey] ?? ''}/click`, {});
    },
    press: async (keys) => {
      await session.send('POST', '/actions', keysOf(keys));
    },
  };
}
