import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { makeMetrics } from '../../../src/core/metrics.ts';

type Rules = { groups: { rules: { alert: string; expr: string }[] }[] };

const text = readFileSync(new URL('../../../docs/operations.md', import.meta.url), 'utf8');
const rules = [...text.matchAll(/^```yaml\n(groups:\n.*?)^```$/gms)].flatMap(([, block = '']) =>
  (parse(block) as Rules).groups.flatMap((group) => group.rules),
);

describe('the rules for alerts in the documentation', () => {
  test('and its table of metrics name only metrics that there are', async () => {
    const metrics = makeMetrics();
    metrics.archive(() =>
      Promise.resolve({
        isFailing: false,
        lastStoredAt: undefined,
        waiting: [],
        doubtful: 0,
        isRetentionStopped: false,
        at: 0,
      }),
    );
    metrics.webhooks(() => Promise.resolve([]));
    const names = [...(await metrics.text()).matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
    const inRules = rules.flatMap(({ expr }) => [...expr.matchAll(/preavis_\w+/g)].map(([name]) => name));
    const inTable = [...text.matchAll(/^\| `(preavis_\w+)` /gm)].map(([, name]) => name);
    expect(rules.length).toBeGreaterThan(2);
    expect(names).toEqual(expect.arrayContaining([...inRules, ...inTable]));
    // Each of ours is explained.
    const ours = names.filter((name = '') => !/^preavis_(process|nodejs)_/.test(name));
    expect(inTable.toSorted()).toEqual(ours.toSorted());
  });
});
