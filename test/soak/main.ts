/** `npm run soak -- [--minutes 60] [--seed WORD] [--callers 3] [--json FILE]`: exit 1 when a promise was broken. */
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { ulid } from 'ulid';
import { runSoak } from './soak.ts';
import { findingsOf } from './verdict.ts';

const usage = 'npm run soak -- [--minutes 60] [--seed WORD] [--callers 3] [--json FILE]';
const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};
const options = {
  minutes: { type: 'string', default: '60' },
  seed: { type: 'string', default: ulid() },
  callers: { type: 'string', default: '3' },
  json: { type: 'string' },
} as const;
const parsed = (() => {
  try {
    return parseArgs({ options }).values;
  } catch {
    return undefined;
  }
})();
if (parsed === undefined) {
  say(usage);
  process.exit(2);
}
const values = parsed;
say(`seed ${values.seed}`);
const report = await runSoak({
  seed: values.seed,
  minutes: Number(values.minutes),
  callers: Number(values.callers),
  say,
});
if (values.json !== undefined) await writeFile(values.json, JSON.stringify(report, undefined, 2));
say(JSON.stringify(report, undefined, 2));
const found = findingsOf(report.verdict).length;
say(found === 0 ? 'every promise was kept' : `${found} findings: see "verdict" above`);
process.exitCode = found === 0 ? 0 : 1;
