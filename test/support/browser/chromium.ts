import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import axe from 'axe-core';

/** Pages in a real browser: what the eye and a screen reader would stumble over. */

const browser = ['chromium', 'chromium-browser', 'google-chrome'].find(
  (name) => spawnSync('which', [name]).status === 0,
);

/** Skipped, and counted as that, where there is no Chromium: `node lab/prepare.mjs --with browser` brings it. */
export const inBrowser = browser === undefined ? test.skip : test;

const run = promisify(execFile);
const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking', '--no-first-run'];
const mostBytes = 64 * 1024 * 1024;

async function chromium(folder: string, page: string, ...args: string[]): Promise<string> {
  const profile = await mkdtemp(join(folder, 'profile-'));
  try {
    const all = [...flags, `--user-data-dir=${profile}`, ...args, pathToFileURL(page).href];
    const { stdout } = await run(browser ?? '', all, { maxBuffer: mostBytes, timeout: 240_000 });

    return stdout;
  } finally {
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** What is looked at: a page at a width, px. */
type Seen = { name: string; width: number };
type Fault = Seen & { fault: string };

/** Each page in a frame of its own, so that its width is that of its window, and one start of the browser does for all. */
const frames = `
async function look() {
  const found = [];
  for (const { name, width, html } of pages) {
    const frame = document.createElement('iframe');
    frame.style.cssText = 'border:0;height:900px;width:' + width + 'px';
    const loaded = new Promise((resolve) => { frame.onload = resolve; });
    frame.srcdoc = html;
    document.body.append(frame);
    await loaded;
    const inside = frame.contentWindow;
    const over = inside.document.documentElement.scrollWidth - width;
    if (over > 0) found.push({ name, width, fault: over + ' px wider than the screen' });
    inside.eval(axe);
    const { violations } = await inside.axe.run();
    for (const { id, nodes } of violations)
      found.push({ name, width, fault: id + ': ' + nodes.map(({ target }) => target.join(' ')).join(', ') });
    frame.remove();
  }
  document.body.dataset.found = JSON.stringify(found);
}
look().catch((error) => { document.body.dataset.found = JSON.stringify([{ name: 'the test', width: 0, fault: String(error) }]); });
`;

/** What axe-core finds in these pages, and what is wider than the screen. */
export async function faultsOf(pages: readonly (Seen & { html: string })[], folder: string): Promise<Fault[]> {
  const file = join(folder, 'frames.html');
  // No page may end the script that has it.
  const json = JSON.stringify(pages).replaceAll('<', '\\u003c');
  const script = `const axe = ${JSON.stringify(axe.source).replaceAll('<', '\\u003c')}; const pages = ${json}; ${frames}`;
  await writeFile(file, `<!doctype html><meta charset="utf-8"><body><script>${script}</script>`);
  const size = `--window-size=${Math.max(...pages.map(({ width }) => width)) + 100},1000`;
  const dom = await chromium(folder, file, size, '--virtual-time-budget=3600000', '--dump-dom');
  const [, found] = /<body data-found="([^"]*)"/.exec(dom) ?? [];
  if (found === undefined) throw new Error('Chromium ended before the pages were looked at');

  return JSON.parse(found.replaceAll('&quot;', '"').replaceAll('&amp;', '&')) as Fault[];
}

/** How many pages of paper it makes. */
export async function printedPages(html: string, folder: string): Promise<number> {
  const [page, pdf] = [join(folder, 'print.html'), join(folder, 'print.pdf')];
  await writeFile(page, html);
  await chromium(folder, page, '--no-pdf-header-footer', `--print-to-pdf=${pdf}`);

  return (await readFile(pdf, 'latin1')).match(/\/Type\s*\/Page\b/g)?.length ?? 0;
}
