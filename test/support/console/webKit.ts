import { existsSync, readdirSync } from 'node:fs';
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

export async function startWebKit(): Promise<WebKit> {
  const { driver = '', screen = '', browser = '' } = programs;
  const folder = makeLabFolder();
  const ports = await claimPorts(1);
  const started: LiveProcess[] = [];
  const stop = async (): Promise<void> => {
    for (const process of started.reverse()) await process.stop();
    ports.release();
    folder.remove();
  };
  const start = async (command: string, args: string[], more: Record<string, string> = {}): Promise<LiveProcess> => {
    const logFile = join(folder.path, 'webKit.log');
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
    const session = await eventually(() => newSession(`http://127.0.0.1:${ports.first}`, browser));

    return { ...commandsOf(session), stop: () => session.end().finally(stop) };
  } catch (thrown) {
    await stop();
    throw thrown;
  }
}

type Session = { send: <T>(method: string, path: string, body?: unknown) => Promise<T>; end: () => Promise<void> };

async function send<T>(url: string, method: string, body?: unknown): Promise<T> {
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(url, { method, ...(body === undefined ? {} : { headers, body: JSON.stringify(body) }) });
  const { value } = (await answer.json()) as { value: T };
  if (!answer.ok) throw new Error(`WebDriver: ${JSON.stringify(value)}`);

  return value;
}

async function newSession(driver: string, browser: string): Promise<Session> {
  const options = { binary: browser, args: ['--automation'] };
  const { sessionId } = await send<{ sessionId: string }>(`${driver}/session`, 'POST', {
    capabilities: { alwaysMatch: { 'webkitgtk:browserOptions': options } },
  });
  const at = `${driver}/session/${sessionId}`;

  return {
    send: (method, path, body) => send(`${at}${path}`, method, body),
    end: async () => {
      await send(at, 'DELETE');
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
