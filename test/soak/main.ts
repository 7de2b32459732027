/** `npm run soak -- [--minutes 60] [--seed WORD] [--callers 3] [--json FILE]`: exit 1 when a promise was broken. */
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { ulid } from 'ulid';
import { runSoak } from './soak.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    seed: { type: 'string', default: ulid() },
    callers: { type: 'string', default: '3' },
    json: { type: 'string' },
  },
});
const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};
say(`seed ${values.seed}`);
const report = await runSoak({
  seed: values.seed,
  minutes: Number(values.minutes),
  callers: Number(values.callers),
  say,
});
if (values.json !== undefined) await writeFile(values.json, JSON.stringify(report, undefined, 2));
say(JSON.stringify(report, undefined, 2));
process.exitCode = Object.values(report.verdict).every((found) => found.length === 0) ? 0 : 1;
