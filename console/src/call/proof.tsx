import type { ComponentChildren } from 'preact';
import type { Receipt } from '../../../src/receipt/receipt.ts';
import type { Messages } from '../messages/en.ts';
import { Link } from '../router.tsx';
import { fill } from '../text/fill.ts';
import { useSpeech } from '../text/say.tsx';
import { Icon, type IconName } from '../ui/icon.tsx';
import { HeardTag, langOf } from './happened.tsx';
import { newcomersIn, toldSide, verdictOf, verdictText, type Verdict } from './verdict.ts';

/** The proof of a call: in one sentence, then who was told, in which words, what they answered, and how long it took until the recorder began. */

const looks: Readonly<Record<Verdict, { kind: string; icon: IconName }>> = {
  told: { kind: 'good', icon: 'check' },
  accepted: { kind: 'good', icon: 'check' },
  refused: { kind: 'calm', icon: 'none' },
  unrecorded: { kind: 'calm', icon: 'none' },
  notConnected: { kind: 'calm', icon: 'none' },
  goingOn: { kind: 'now', icon: 'play' },
  failed: { kind: 'fault', icon: 'warning' },
  contradicted: { kind: 'fault', icon: 'warning' },
  noticeInside: { kind: 'fault', icon: 'warning' },
  unjudged: { kind: 'fault', icon: 'warning' },
  refusedKept: { kind: 'fault', icon: 'warning' },
  unproved: { kind: 'fault', icon: 'warning' },
};

/** The first thing to be read. */
export function VerdictBanner({ receipt }: { receipt: Receipt }) {
  const { say, format } = useSpeech();
  const verdict = verdictOf(receipt);
  const { kind, icon } = looks[verdict];
  const gap = receipt.recording?.gapMs ?? null;
  const isProved = verdict === 'told' || verdict === 'accepted';

  return (
    <div class={`verdict verdict-${kind}`}>
      <span class="verdict-sign">
        <Icon name={icon} />
      </span>
      <div>
        <p class="verdict-title">{say.call.verdicts[verdict]}</p>
        <p>{verdictText(verdict, receipt, say)}</p>
      </div>
      {isProved && gap !== null && (
        <p class="verdict-gap">
          <strong>{format.length(gap)}</strong>
          <span>{say.call.gap}</span>
        </p>
      )}
    </div>
  );
}

function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Who({ receipt }: { receipt: Receipt }) {
  const { say, format } = useSpeech();
  const side = toldSide(receipt);
  const other = side === 'caller' ? 'destination' : 'caller';
  const how =
    receipt.told === null
      ? say.call.notTold
      : receipt.told.how === 'onArrival'
        ? say.call.toldOnArrival
        : say.call.toldOnAnswer;

  return (
    <ul class="who">
      <li>
        <strong>{say.call.sides[side]}</strong> {how}.
      </li>
      {receipt.recording !== null && (
        <li>
          <strong>{say.call.sides[other]}</strong> {say.call.otherSideText}.
        </li>
      )}
      {newcomersIn(receipt).map(({ newcomer, state, at }) => (
        <li key={newcomer}>
          <strong>{fill(say.call.newcomer, { newcomer })}</strong>{' '}
          {fill(say.call.newcomerStates[state], { time: at === null ? say.call.steps.noTime : format.exactClock(at) })}.
        </li>
      ))}
    </ul>
  );
}

function Words({ receipt }: { receipt: Receipt }) {
  const { say, format } = useSpeech();
  const { earlierNotice } = receipt;

  return (
    <>
      <ol class="words">
        {receipt.notice.map((sentence, index) => (
          <li key={`${sentence.language} ${sentence.prompt}`}>
            <span class="number" aria-hidden="true">
              {index + 1}
            </span>
            <blockquote lang={langOf(sentence.language)}>{sentence.text}</blockquote>
            <p class="quiet">
              {sentence.startedAt !== null && (
                <>
                  <time dateTime={sentence.startedAt}>{format.exactClock(sentence.startedAt)}</time>
                  {sentence.finishedAt !== null && (
                    <>
                      {' – '}
                      <time dateTime={sentence.finishedAt}>{format.exactClock(sentence.finishedAt)}</time>
                    </>
                  )}
                </>
              )}{' '}
              <HeardTag sentence={sentence} receipt={receipt} />
            </p>
          </li>
        ))}
      </ol>
      {earlierNotice !== undefined && (
        <p>
          {fill(say.call.earlier, {
            time:
              earlierNotice.finishedAt === null ? say.call.steps.noTime : format.dayAndTime(earlierNotice.finishedAt),
          })}{' '}
          <Link href={`/calls/${earlierNotice.call}`}>{say.call.earlierLink}</Link>
        </p>
      )}
    </>
  );
}

function choiceText(
  { consent }: Receipt,
  { say, clock }: { say: Messages; clock: (iso: string | null) => string },
): string {
  const { choices } = say.call;
  switch (consent.mode) {
    case null:
      return choices.unknown;
    case 'announce':
      return choices.announce;
    case 'optOut':
      return consent.answer === 'refused' ? fill(choices.optOutRefused, { time: clock(consent.at) }) : choices.optOut;
    case 'optIn':
      switch (consent.answer) {
        case 'accepted':
          return fill(choices.optInAccepted, { key: consent.digits ?? '–', time: clock(consent.at) });
        case 'refused':
          return choices.optInRefused;
        case 'none':
          return choices.optInNone;
      }
  }
}

function languageText({ language }: Receipt, say: Messages, name: (tag: string) => string): string {
  const reasons = new Map(Object.entries(say.call.languageReasons));
  const decided = language.decided.map(name).join(', ');
  if (decided === '' || language.reason === null) return decided === '' ? '–' : decided;

  return fill(say.call.languageBecause, { language: decided, reason: reasons.get(language.reason) ?? language.reason });
}

export function ProofCard({ receipt }: { receipt: Receipt }) {
  const { say, format } = useSpeech();
  const clock = (iso: string | null): string => (iso === null ? say.call.steps.noTime : format.exactClock(iso));
  const { recording, witness } = receipt;

  return (
    <section class="card" aria-labelledby="proof">
      <h2 id="proof">{say.call.proof}</h2>
      <dl class="facts">
        <Fact name={say.call.who}>
          <Who receipt={receipt} />
        </Fact>
        <Fact name={say.list.columns.told}>{languageText(receipt, say, format.languageName)}</Fact>
        {receipt.notice.length > 0 && (
          <Fact name={say.call.words}>
            <Words receipt={receipt} />
          </Fact>
        )}
        <Fact name={say.call.choice}>{choiceText(receipt, { say, clock })}</Fact>
        {recording !== null && (
          <Fact name={say.call.gap}>
            {recording.gapMs === null
              ? say.call.gapUnknown
              : fill(say.call.gapText, { gap: format.length(recording.gapMs) })}
          </Fact>
        )}
        <Fact name={say.call.second}>
          {witness === null ? say.call.witnessWaiting : say.call.witness[witness.status]}
        </Fact>
      </dl>
    </section>
  );
}
