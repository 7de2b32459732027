import type { ConsentMode } from './consent.ts';

/**
 * What law and authorities say of recording, as far as it can be checked: the least consent and the longest storage. It
 * is a net under the configuration, not advice. What only Préavis proposes stands in config/purposes and can be changed.
 */

/** Whose law a purpose is recorded under; `other`: one that this table does not know, nothing is checked. */
export const jurisdictions = ['BE', 'FR', 'NL', 'DE', 'LU', 'CH', 'EU', 'other'] as const;
export type Jurisdiction = (typeof jurisdictions)[number];

/**
 * training: also quality control, and whatever is none of the others. evidence: of an agreement. obligation: the law
 * demands the recording, nobody may refuse it.
 */
export const purposeKinds = ['training', 'evidence', 'obligation'] as const;
export type PurposeKind = (typeof purposeKinds)[number];

export type LawRule = {
  leastConsent: ConsentMode;
  /** A month counts as 31 days, six as 184, a year with as many leap days as can fall into the time. */
  maximumDays: number | undefined;
  source: string;
};

const rule = (leastConsent: ConsentMode, maximumDays: number | undefined, source: string): LawRule => ({
  leastConsent,
  maximumDays,
  source,
});

const noRule = rule('announce', undefined, 'no rule is known');
const mifid = rule('announce', 2557, 'Directive 2014/65/EU art. 16(7): five years, seven if the authority asks');

export const law: Readonly<Record<Jurisdiction, Readonly<Record<PurposeKind, LawRule>>>> = {
  BE: {
    training: rule('announce', 31, 'Act of 13 June 2005, art. 128: one month'),
    evidence: rule('announce', 3653, 'Act of 13 June 2005, art. 128: as long as it can be contested in court'),
    obligation: mifid,
  },
  FR: {
    training: rule('announce', 184, 'CNIL: six months'),
    evidence: noRule,
    obligation: mifid,
  },
  NL: { training: noRule, evidence: noRule, obligation: mifid },
  DE: {
    training: rule('optIn', undefined, 'DSK, 23 March 2018: the caller is asked before and says yes'),
    evidence: rule('optIn', undefined, 'DSK, 23 March 2018: the caller is asked before and says yes'),
    obligation: mifid,
  },
  LU: {
    training: rule('optIn', undefined, 'Act of 30 May 2005, art. 4: only proof of a transaction needs no consent'),
    evidence: rule('announce', undefined, 'Act of 30 May 2005, art. 4(3)(d)'),
    obligation: mifid,
  },
  CH: { training: noRule, evidence: noRule, obligation: noRule },
  EU: { training: noRule, evidence: noRule, obligation: mifid },
  other: { training: noRule, evidence: noRule, obligation: noRule },
};
