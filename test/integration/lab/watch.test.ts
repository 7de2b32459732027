import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fakeClockVariables, installFakeClock, setFakeClock } from '../../../lab/asterisk/fakeClock.ts';
import { lateTimers } from '../../../lab/machine/lateness.ts';
import { eventually } from '../../support/poll.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const program = fileURLToPath(new URL('../../../lab/machine/watch.mjs', import.meta.url));

test('a leap of the clock, as behind a snapshot of the machine, is late', async () => {
  const leap = '+36s';
  installFakeClock(folder.path(''), '+0');
  const watched = folder.path(`watched${leap}`);
  const env = { ...process.env, ...fakeClockVariables(folder.path('')), NODE_OPTIONS: '' };
  const watch = spawn(process.execPath, [program, watched, 'timers'], { env, stdio: ['pipe', 'ignore', 'inherit'] });
  const file = join(watched, 'late.txt');
  await eventually(() => existsSync(file));
  let off = '+0';
  await eventually(
    () => {
      // Again and again: the first leap may come before it looks at the clock.
      off = off === leap ? '+0' : leap;
      setFakeClock(folder.path(''), off);
      const found = lateTimers(readFileSync(file, 'utf8'), Date.now() - 120_000, Date.now() + 120_000);
      return found.some(({ kind, lateMs }) => kind === 'timer' && lateMs >= 35_900 && lateMs < 40_000);
    },
    { everyMs: 500 },
  );
  watch.stdin.end();
  await once(watch, 'exit');
});
