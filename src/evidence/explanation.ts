/** One page in plain words about what a bundle shows, for a reader who knows nothing of Préavis: a judge, a caller. */
import type { HoldRow } from '../catalogue/holds.ts';
import { isoTime } from '../core/clock.ts';
import { noticeFile, sentencesHeard, type ExplanationLanguage, type ReceiptFacts } from './bundleForm.ts';
import { dutch, german } from './explanationGermanic.ts';
import { english, french } from './explanationTexts.ts';
import type { ExplanationWords } from './explanationWords.ts';
import { commandsOf, recipeSteps } from './recipe.ts';

export type ExplanationFacts = {
  receipt: ReceiptFacts;
  /** Numbers of the sentences whose sound is not in the bundle. */
  missing: readonly number[];
  auditRows: number;
  unchainedRows: number;
  /** Those in force that keep the recording beyond its last purpose. */
  holds: readonly Pick<HoldRow, 'ground' | 'expiresAt'>[];
  kid: string;
  /** Whether there is a time stamp in it. */
  stamped: boolean;
  /** ISO 8601 in UTC. */
  madeAt: string;
  madeBy: string;
  company: string | undefined;
  /** What the company calls a purpose in this language; undefined where it does not say. */
  nameOf: (purpose: string, language: ExplanationLanguage) => string | undefined;
};

const words: Readonly<Record<ExplanationLanguage, ExplanationWords>> = {
  fr: french,
  nl: dutch,
  de: german,
  en: english,
};

/** 2026-03-04T05:06:07.089Z as 2026-03-04 05:06:07.089 UTC. */
const timeText = (iso: string): string => iso.replace('T', ' ').replace('Z', ' UTC');

/** What the company or a prompt says stays one paragraph, and makes no heading or link of its own. */
const plain = (text: string): string => text.replace(/\s+/g, ' ').replace(/[\\`*_[\]<>#|]/g, '\\$&');

/** The company's words may have no full stop of their own. */
const ended = (text: string): string => (/[.!?…]$/.test(text) ? text : `${text}.`);

function noticeLines(facts: ExplanationFacts, say: ExplanationWords, names: Intl.DisplayNames): string[] {
  const time = (iso: string | null): string => (iso === null ? say.unknownTime : timeText(iso));

  return sentencesHeard(facts.receipt).flatMap((each) => [
    `${each.number}. “${plain(each.text)}”  `,
    `   ${say.sentence({
      language: names.of(each.language.replaceAll('_', '-')) ?? each.language,
      from: time(each.startedAt),
      to: time(each.finishedAt),
      sha256: each.sha256,
    })} ${each.verified ? say.heardWhole : say.answeredMeanwhile} ${
      facts.missing.includes(each.number) ? say.soundMissing : say.soundIn(noticeFile(each.number, each))
    }`,
  ]);
}

function consentText({ consent }: ReceiptFacts, say: ExplanationWords): string {
  if (consent.mode === 'optOut') return say.couldRefuse;
  if (consent.mode !== 'optIn') return say.announced;

  return say.saidYes({ key: consent.digits ?? '?', at: consent.at === null ? say.unknownTime : timeText(consent.at) });
}

function soundNotes({ changes, recording }: ReceiptFacts, say: ExplanationWords): string[] {
  const pauses = changes?.filter(({ change }) => change === 'recorderPaused').length ?? 0;

  return [
    ...(pauses === 0 ? [] : [say.pauses(pauses)]),
    ...(recording.flags.length === 0 ? [] : [say.flags(recording.flags.map((flag) => `\`${flag}\``).join(', '))]),
  ];
}

/** Its id is what the receipt has. */
function purposeText(id: string, name: string | undefined): string {
  return name === undefined ? `**${id}**` : `**${plain(name)}** (\`${id}\`)`;
}

/** A hold ends with the last millisecond of its day. Two that say the same are said once. */
function heldTexts({ holds }: ExplanationFacts, say: ExplanationWords): Set<string> {
  return new Set(
    holds.map(({ ground, expiresAt }) =>
      say.held({ why: say.holdGrounds[ground], until: isoTime(expiresAt).slice(0, 10) }),
    ),
  );
}

const witnesses = ['agrees', 'disagrees', 'missing', 'unavailable'] as const;

/** The page as Markdown. No numbers and no names of people are in it. */
export function explanation(language: ExplanationLanguage, facts: ExplanationFacts): string {
  const say = words[language];
  const { receipt, kid, company, madeAt, madeBy, stamped, auditRows: rows, unchainedRows: unchained } = facts;
  const { recording } = receipt;
  const names = new Intl.DisplayNames([language], { type: 'language' });
  const number = new Intl.NumberFormat(language, { maximumFractionDigits: 3, useGrouping: false });
  const seconds = (ms: number): string => number.format(ms / 1_000);
  const time = (iso: string | null | undefined): string => (typeof iso === 'string' ? timeText(iso) : say.unknownTime);
  const witness = witnesses.find((status) => status === receipt.witness?.status) ?? 'unavailable';
  const paragraphs = [
    `# ${say.title}`,
    say.intro({
      recording: recording.id,
      company: company === undefined ? undefined : plain(company),
      madeAt: timeText(madeAt),
      madeBy,
    }),
    `## ${say.callTitle}`,
    say.call({
      began: time(recording.startedAt),
      ended: time(recording.finishedAt),
      seconds: recording.durationMs === null ? '?' : seconds(recording.durationMs),
      bytes: `${recording.bytes}`,
      sha256: recording.sha256,
    }),
    ...soundNotes(receipt, say),
    `## ${say.noticeTitle}`,
    say.noticeIntro,
    noticeLines(facts, say, names).join('\n'),
    `${recording.gapMs === null ? say.gapUnknown : say.gap(seconds(recording.gapMs))} ${say.witness[witness]}`,
    `## ${say.consentTitle}`,
    consentText(receipt, say),
    `## ${say.purposeTitle}`,
    receipt.purposes
      .map(
        ({ id, justification, legalBasis, keepDays, keepUntil }) =>
          `- ${say.purpose({
            purpose: purposeText(id, facts.nameOf(id, language)),
            why: ended(plain(justification)),
            basis: plain(legalBasis),
            days: keepDays,
            until: time(keepUntil),
          })}`,
      )
      .join('\n'),
    [say.policy(receipt.policyVersion), ...heldTexts(facts, say)].join(' '),
    `## ${say.checkTitle}`,
    say.check({ kid }),
    say.byHand,
    ...recipeSteps
      .filter((step) => step !== 'stamp' || stamped)
      .map((step, index) => `${index + 1}. ${say.steps[step]}\n\n\`\`\`bash\n${commandsOf(step)}\n\`\`\``),
    `${say.history({ rows, unchained })} ${stamped ? say.stamped : say.notStamped(timeText(madeAt))}`,
    `## ${say.limitsTitle}`,
    say.limits,
  ];

  return `${paragraphs.join('\n\n')}\n`;
}
