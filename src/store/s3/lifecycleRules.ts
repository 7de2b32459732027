import { keyObjectPrefix } from '../encryption/keyObject.ts';
import { counted } from '../../core/text/counted.ts';
import { PreavisError } from '../../core/errors.ts';
import { elementsOf, escaped, numberOf, textOf } from './xml.ts';

/**
 * The lifecycle rules of a bucket as a second net under retention: the store itself removes what is left of our recordings
 * later than any date of our own. Rules of others are kept byte for byte.
 */

/** The lifecycle rules of a bucket, and what its answer says beside them that must be said again when they are written. */
export type Lifecycle = { xml: string; transitionMinimum: string | undefined };

export type LifecycleRule = {
  id: string;
  isEnabled: boolean;
  /** Of the keys that it is for. */
  prefix: string;
  /** For objects with certain tags only. */
  hasTags: boolean;
  /** How long after it was stored an object expires, days. */
  days: number | undefined;
  /** A day on which all that it is for expire, ISO 8601. */
  date: string | undefined;
  /** How long an earlier version stays, days. */
  noncurrentDays: number | undefined;
  /** How long the parts of an upload that did not end stay, days. */
  abortDays: number | undefined;
  /** Removes delete markers that cover nothing. */
  removesMarkers: boolean;
  /** As it is written. */
  xml: string;
};

/** The rules as they should be, and how long the longest recording is kept without the margin, days. */
export type LifecyclePlan = { keepDays: number; rules: readonly LifecycleRule[] };

const abortDays = 7;

/** Throws nothing: what is not understood is a rule without effect for us, and is kept as it is. */
function parseRule(xml: string): LifecycleRule {
  const expiration = elementsOf(xml, 'Expiration')[0] ?? '';
  const noncurrent = elementsOf(xml, 'NoncurrentVersionExpiration')[0] ?? '';
  const abort = elementsOf(xml, 'AbortIncompleteMultipartUpload')[0] ?? '';

  return {
    id: textOf(xml, 'ID') ?? '',
    isEnabled: textOf(xml, 'Status') === 'Enabled',
    prefix: textOf(xml, 'Prefix') ?? '',
    hasTags: elementsOf(xml, 'Tag').length > 0,
    days: numberOf(expiration, 'Days'),
    date: textOf(expiration, 'Date'),
    noncurrentDays: numberOf(noncurrent, 'NoncurrentDays'),
    abortDays: numberOf(abort, 'DaysAfterInitiation'),
    removesMarkers: textOf(expiration, 'ExpiredObjectDeleteMarker') === 'true',
    xml,
  };
}

/** Those of a bucket without rules are none. */
export function parseRules(lifecycle: Lifecycle | undefined): LifecycleRule[] {
  return elementsOf(lifecycle?.xml ?? '', 'Rule').map(parseRule);
}

function ruleText(id: string, prefix: string, actions: string): string {
  const filter = `<Filter><Prefix>${escaped(prefix)}</Prefix></Filter>`;

  return `<Rule><ID>${escaped(id)}</ID><Status>Enabled</Status>${filter}${actions}</Rule>`;
}

/** Two Préavis may share a bucket, each with a prefix of its own. */
const ownIds = (prefix: string): { expire: string; markers: string } => ({
  expire: `preavis-expire-${prefix}recordings`,
  markers: `preavis-markers-${prefix}recordings`,
});

/**
 * The rules of ours for what lies below this prefix. An earlier version may be a recording that somebody has covered, so it
 * stays as long as one that nobody has.
 * @param prefix before every key, empty or ending in /
 * @param keepDays how long the longest recording is kept
 * @param marginDays how much later the store may remove it
 */
export function planLifecycle(prefix: string, keepDays: number, marginDays: number): LifecyclePlan {
  const days = keepDays + marginDays;
  const ids = ownIds(prefix);
  const recordings = `${prefix}recordings/`;
  const expire =
    `<Expiration><Days>${days}</Days></Expiration>` +
    `<NoncurrentVersionExpiration><NoncurrentDays>${days}</NoncurrentDays></NoncurrentVersionExpiration>` +
    `<AbortIncompleteMultipartUpload><DaysAfterInitiation>${abortDays}</DaysAfterInitiation></AbortIncompleteMultipartUpload>`;
  // A store refuses this beside a number of days.
  const markers = '<Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>';

  return {
    keepDays,
    rules: [ruleText(ids.expire, recordings, expire), ruleText(ids.markers, recordings, markers)].map(parseRule),
  };
}

export type RuleChange = {
  id: string;
  /** undefined where there is none. */
  found: LifecycleRule | undefined;
  wanted: LifecycleRule;
  state: 'same' | 'missing' | 'differs' | 'withoutAbort';
};

/** What is to be changed in the rules of a bucket. withoutAbort: the store does not keep that part, and needs no change. */
export function compareRules(found: readonly LifecycleRule[], plan: LifecyclePlan): RuleChange[] {
  return plan.rules.map((wanted) => {
    const rule = found.find(({ id }) => id === wanted.id);

    return { id: wanted.id, found: rule, wanted, state: stateOf(rule, wanted) };
  });
}

const compared = [
  'isEnabled',
  'prefix',
  'hasTags',
  'days',
  'date',
  'noncurrentDays',
  'removesMarkers',
] as const satisfies (keyof LifecycleRule)[];

function stateOf(found: LifecycleRule | undefined, wanted: LifecycleRule): RuleChange['state'] {
  if (found === undefined) return 'missing';
  if (!compared.every((name) => found[name] === wanted[name])) return 'differs';
  if (found.abortDays === wanted.abortDays) return 'same';

  return found.abortDays === undefined ? 'withoutAbort' : 'differs';
}

/** What is left of the document without its rules must not hold another one, written in some other way: it would be lost. */
function assertUnderstood({ xml }: Lifecycle): void {
  const rest = elementsOf(xml, 'Rule').reduce((left, rule) => left.replace(rule, ''), xml);
  if (!/Rule\b|<!--|<!\[CDATA\[/.test(rest)) return;
  throw new PreavisError(
    'archive_unsupported',
    'The bucket has lifecycle rules that cannot be read; none was changed.',
  );
}

/** The whole document: the rules of others as they are, and those of the plan. Throws archive_unsupported. */
export function mergeRules(found: Lifecycle | undefined, plan: LifecyclePlan): Lifecycle {
  if (found !== undefined) assertUnderstood(found);
  const rules = [...othersOf(parseRules(found), plan), ...plan.rules].map(({ xml }) => xml).join('');

  return {
    xml: `<LifecycleConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${rules}</LifecycleConfiguration>`,
    transitionMinimum: found?.transitionMinimum,
  };
}

export function othersOf(found: readonly LifecycleRule[], plan: LifecyclePlan): LifecycleRule[] {
  return found.filter(({ id }) => !plan.rules.some((wanted) => wanted.id === id));
}

/** Those that remove recordings of ours before their time is over: of others, or an older one of ours. */
export function earlyRules(found: readonly LifecycleRule[], plan: LifecyclePlan): LifecycleRule[] {
  const recordings = plan.rules[0]?.prefix ?? '';
  // Without its wrapped key an encrypted recording is lost.
  const keys = `${recordings.slice(0, -'recordings/'.length)}${keyObjectPrefix}`;

  return found.filter(({ isEnabled, prefix, hasTags, days, date, noncurrentDays }) => {
    const concerns = [recordings, keys].some((ours) => ours.startsWith(prefix) || prefix.startsWith(ours));
    const isEarly = [days, noncurrentDays].some((each) => each !== undefined && each < plan.keepDays);

    return isEnabled && concerns && !hasTags && (isEarly || date !== undefined);
  });
}

/** What a rule does, in words. */
export function ruleInWords(rule: LifecycleRule): string {
  const { days, date, noncurrentDays, abortDays: abort, removesMarkers, isEnabled, prefix } = rule;
  const actions = [
    ...(days === undefined ? [] : [`expire after ${counted(days, 'day')}`]),
    ...(date === undefined ? [] : [`expire on ${date}`]),
    ...(noncurrentDays === undefined ? [] : [`earlier versions go after ${counted(noncurrentDays, 'day')}`]),
    ...(abort === undefined ? [] : [`unfinished uploads go after ${counted(abort, 'day')}`]),
    ...(removesMarkers ? ['delete markers that cover nothing go'] : []),
  ];

  return `${prefix === '' ? 'all objects' : prefix}: ${actions.join(', ')}${isEnabled ? '' : ' (switched off)'}`;
}
