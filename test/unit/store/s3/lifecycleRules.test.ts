import {
  compareRules,
  earlyRules,
  mergeRules,
  parseRules,
  planLifecycle,
  ruleInWords,
  type Lifecycle,
} from '../../../../src/store/s3/lifecycleRules.ts';

const plan = planLifecycle('tenant/', 395, 30);
const document = (...rules: string[]): Lifecycle => ({
  xml: `<?xml version="1.0" encoding="UTF-8"?><LifecycleConfiguration xmlns="x">${rules.join('')}</LifecycleConfiguration>`,
  transitionMinimum: undefined,
});
const theirs = `<Rule>
  <ID>other &amp; 007</ID><Filter><And><Prefix>007</Prefix><Tag><Key>a</Key><Value>b</Value></Tag></And></Filter>
  <Status>Enabled</Status><Expiration><Days>3</Days></Expiration><Unknown>kept</Unknown></Rule>`;

test('the rules expire what is ours, and nothing else, later than any date of our own', () => {
  expect(
    plan.rules.map(({ id, prefix, days, noncurrentDays, abortDays, removesMarkers }) => [
      id,
      prefix,
      days,
      noncurrentDays,
      abortDays,
      removesMarkers,
    ]),
  ).toEqual([
    ['preavis-expire-tenant/recordings', 'tenant/recordings/', 425, 425, 7, false],
    ['preavis-markers-tenant/recordings', 'tenant/recordings/', undefined, undefined, undefined, true],
  ]);
  expect(plan.rules.map(ruleInWords)).toEqual([
    'tenant/recordings/: expire after 425 days, earlier versions go after 425 days, unfinished uploads go after 7 days',
    'tenant/recordings/: delete markers that cover nothing go',
  ]);
});

test('rules of others are kept byte for byte, ours are replaced, those of another Préavis are of others', () => {
  const old = planLifecycle('tenant/', 10, 1).rules.map(({ xml }) => xml);
  const neighbour = planLifecycle('tenant2/', 10, 1).rules.map(({ xml }) => xml);
  const merged = mergeRules({ ...document(old[0] ?? '', theirs, ...neighbour), transitionMinimum: 'varies' }, plan);
  expect(merged.xml).toContain(theirs);
  for (const rule of neighbour) expect(merged.xml).toContain(rule);
  expect(merged.xml).not.toContain(old[0]);
  expect(merged.transitionMinimum).toBe('varies');
  expect(compareRules(parseRules(merged), plan).map(({ state }) => state)).toEqual(['same', 'same']);
  expect(mergeRules(merged, plan).xml.match(/<Rule>/g)).toHaveLength(5);
});

test.each(['<s3:Rule><ID>namespaced</ID></s3:Rule>', '<!-- <Rule></Rule> -->', '<Rule><ID>not ended</ID>'])(
  'a document that is not understood is not written over: %s',
  (odd) => {
    expect(() => mergeRules(document(odd), plan)).toThrow(
      expect.objectContaining({ code: 'archive_unsupported' }) as Error,
    );
  },
);

test('what differs is found, and a store that leaves out the part for uploads is not asked again and again', () => {
  const states = (xml: string): string[] => compareRules(parseRules(document(xml)), plan).map(({ state }) => state);
  const [expire = '', markers = ''] = plan.rules.map(({ xml }) => xml);
  expect(states('')).toEqual(['missing', 'missing']);
  expect(states(expire + markers)).toEqual(['same', 'same']);
  expect(states(expire.replace('425', '426') + markers)).toEqual(['differs', 'same']);
  expect(states(expire.replace('Enabled', 'Disabled') + markers)).toEqual(['differs', 'same']);
  expect(states(expire.replace('<Prefix>tenant/', '<Prefix>') + markers)).toEqual(['differs', 'same']);
  const without = expire.replace(/<Abort.*<\/Abort[^>]*>/, '');
  expect(states(without + markers)).toEqual(['withoutAbort', 'same']);
});

test.each<[string, string, boolean]>([
  [
    'another prefix',
    '<Filter><Prefix>tmp/</Prefix></Filter><Status>Enabled</Status><Expiration><Days>3</Days></Expiration>',
    false,
  ],
  [
    'all objects, too early',
    '<Prefix></Prefix><Status>Enabled</Status><Expiration><Days>394</Days></Expiration>',
    true,
  ],
  ['all objects, in no filter', '<Filter/><Status>Enabled</Status><Expiration><Days>1</Days></Expiration>', true],
  [
    'ours and more, in time',
    '<Filter><Prefix>ten</Prefix></Filter><Status>Enabled</Status><Expiration><Days>395</Days></Expiration>',
    false,
  ],
  [
    'a part of ours',
    '<Filter><Prefix>tenant/recordings/2026</Prefix></Filter><Status>Enabled</Status><Expiration><Days>9</Days></Expiration>',
    true,
  ],
  [
    'on a day',
    '<Filter><Prefix></Prefix></Filter><Status>Enabled</Status><Expiration><Date>2027-01-01T00:00:00Z</Date></Expiration>',
    true,
  ],
  [
    'earlier versions',
    '<Filter><Prefix></Prefix></Filter><Status>Enabled</Status><NoncurrentVersionExpiration><NoncurrentDays>7</NoncurrentDays></NoncurrentVersionExpiration>',
    true,
  ],
  [
    'switched off',
    '<Filter><Prefix></Prefix></Filter><Status>Disabled</Status><Expiration><Days>3</Days></Expiration>',
    false,
  ],
  [
    'tagged objects, of which we have none',
    '<Filter><Tag><Key>a</Key><Value>b</Value></Tag></Filter><Status>Enabled</Status><Expiration><Days>3</Days></Expiration>',
    false,
  ],
])('a rule that removes recordings before their time is found: %s', (_, body, isEarly) => {
  const rules = parseRules(document(`<Rule><ID>x</ID>${body}</Rule>`));
  expect(earlyRules(rules, plan).map(({ id }) => id)).toEqual(isEarly ? ['x'] : []);
});
