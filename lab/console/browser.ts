/** Debian's Chromium, without a window. */
import { spawnSync } from 'node:child_process';
import { chromium, type Browser } from 'playwright-core';

/** undefined where the machine has none: `node lab/prepare.mjs --with browser` brings it. */
export const chromiumProgram = ['chromium', 'chromium-browser', 'google-chrome']
  .map((name) => spawnSync('which', [name], { encoding: 'utf8' }).stdout.trim())
  .find((path) => path !== '');

export function openBrowser(): Promise<Browser> {
  if (chromiumProgram === undefined) throw new Error('There is no Chromium. Run: node lab/prepare.mjs --with browser');

  return chromium.launch({
    executablePath: chromiumProgram,
    args: ['--no-sandbox', '--disable-gpu', '--mute-audio', '--disable-background-networking'],
  });
}
