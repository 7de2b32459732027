import type { Receipt } from '../../../src/receipt/receipt.ts';
import type { Messages } from '../messages/en.ts';
import { fill } from '../text/fill.ts';
import type { Format } from '../text/format.ts';
import { useSpeech } from '../text/say.tsx';
import { placesIn } from './places.ts';
import { lookOf, stepsOf, type Sentence, type Told } from './timeline.ts';
import { toldSide } from './verdict.ts';

/** What happened, line by line, in plain words. */

type Saying = { receipt: Receipt; say: Messages; format: Format };

/** What one side or, without a side, a program did. */
function changeText(change: Receipt['changes'][number], { say }: Saying): string {
  const who = change.party === null ? say.call.someone : say.call.sides[change.party];

  const isUntimed = change.change === 'unheard' && change.at === null;
  const words = isUntimed ? say.call.steps.unheardUntimed : say.call.changes[change.change];

  return fill(words, { who, newcomer: change.newcomer ?? '' }).replace(/ {2,}/g, ' ');
}

function unwatchedText(part: Receipt['unwatched'][number], { say, format }: Saying): string {
  const why = say.call.unwatchedReasons[part.why];
  const judged = part.judged === null ? say.call.steps.notJudged : say.call.judged[part.judged];
  if (part.to === null) return fill(say.call.steps.unwatchedOpen, { why, judged });
  const length = format.length(Date.parse(part.to) - Date.parse(part.from));

  return fill(say.call.steps.unwatched, { length, why, judged });
}

function stepText(told: Told, saying: Saying): string {
  const { receipt, say, format } = saying;
  const { steps } = say.call;
  switch (told.kind) {
    case 'began':
      return receipt.call.direction === 'incoming' ? steps.began : steps.beganOutgoing;
    case 'sentence':
      return fill(steps.sentence, { language: format.languageName(told.sentence.language) });
    case 'said': {
      const { newcomer, language } = told.sentence;

      return fill(newcomer === null ? steps.said : steps.saidTo, {
        newcomer: newcomer ?? '',
        language: format.languageName(language),
      });
    }
    case 'answer':
      return fill(steps[told.answer], { who: say.call.sides[toldSide(receipt)], key: told.digits ?? '–' });
    case 'recorderBegan':
      return told.gapMs === null
        ? steps.recorderBegan
        : fill(steps.recorderBeganAfter, { gap: format.length(told.gapMs) });
    case 'recorderEnded':
      return steps.recorderEnded;
    case 'change':
      return changeText(told.change, saying);
    case 'unwatched':
      return unwatchedText(told.part, saying);
    case 'ended':
      return steps.ended;
  }
}

export const langOf = (tag: string): string => tag.replaceAll('_', '-');

/** Whether a sentence counts, and why not. */
export function HeardTag({ sentence, receipt }: { sentence: Sentence; receipt: Receipt }) {
  const { say } = useSpeech();
  if (sentence.verified) return <span class="tag tag-good">{say.call.heardWhole}</span>;
  if (sentence.verdict === 'answered') return <span class="tag tag-calm">{say.call.answeredMeanwhile}</span>;

  // Who refuses before its end has done nothing wrong, and neither has anybody else.
  return <span class={receipt.consent.answer === 'refused' ? 'tag' : 'tag tag-fault'}>{say.call.notWhole}</span>;
}

function Words({ told, receipt }: { told: Told; receipt: Receipt }) {
  const { say } = useSpeech();
  if (told.kind !== 'sentence' && told.kind !== 'said') return null;

  return (
    <>
      <blockquote lang={langOf(told.sentence.language)}>{told.sentence.text}</blockquote>
      {told.kind === 'sentence' && !told.sentence.verified && <HeardTag sentence={told.sentence} receipt={receipt} />}
      {told.kind === 'said' && told.sentence.finishedAt === null && <span class="tag">{say.call.notToItsEnd}</span>}
    </>
  );
}

export function Happened({ receipt, seek }: { receipt: Receipt; seek: ((ms: number) => void) | undefined }) {
  const { say, format } = useSpeech();
  const place = placesIn(receipt);
  const saying = { receipt, say, format };

  return (
    <section class="card" aria-labelledby="happened">
      <h2 id="happened">{say.call.happened}</h2>
      <p class="quiet">{say.call.happenedHelp}</p>
      <ol class="happened">
        {stepsOf(receipt).map(({ at, told }, index) => {
          const position = place(at);

          return (
            <li key={index} class={`step step-${lookOf(told)}`}>
              <time dateTime={at ?? undefined} title={at ?? undefined}>
                {at === null ? say.call.steps.noTime : format.exactClock(at)}
              </time>
              <div class="step-what">
                <p>{stepText(told, saying)}</p>
                <Words told={told} receipt={receipt} />
              </div>
              {position !== undefined && seek !== undefined && (
                <button
                  type="button"
                  class="button button-small step-place"
                  aria-label={fill(say.notes.at, { position: format.position(position) })}
                  onClick={() => {
                    seek(position);
                  }}
                >
                  {format.position(position)}
                </button>
              )}
            </li>
          );
        })}
      </ol>
    </section>
  );
}
