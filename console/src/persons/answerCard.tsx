import { h, type ComponentChild, type RefObject } from 'preact';
import { useMemo } from 'preact/hooks';
import { useSpeech } from '../text/say.tsx';
import { useWarningBeforeEnd } from '../ui/beforeEnd.ts';
import { Icon } from '../ui/icon.tsx';
import { ProblemNote } from '../ui/notes.tsx';
import { saveFile } from '../ui/taking.ts';
import type { Step } from './request.ts';
import type { RequestControl } from './useRequest.ts';

/** The answer to the person, as it is to be read before it is sent. */

/** What stands in the page of the answer, and as what it is shown here: below the headings of this one, without its styles and scripts. */
const shownAs: Readonly<Record<string, string>> = {
  H1: 'h3',
  H2: 'h4',
  P: 'p',
  UL: 'ul',
  LI: 'li',
  STRONG: 'strong',
  DL: 'dl',
  DIV: 'div',
  DT: 'dt',
  DD: 'dd',
};

function shown(node: Node, key: number): ComponentChild {
  if (node.nodeType === Node.TEXT_NODE) return node.textContent;
  const tag = shownAs[node.nodeName];
  if (tag === undefined) return null;

  return h(tag, { key }, [...node.childNodes].map(shown));
}

/** The text of the page. A document that is parsed so runs nothing and fetches nothing; its styles the policy of contents would complain of. */
function textOf(html: string): ComponentChild[] {
  const text = html.replaceAll(/<style>.*?<\/style>/gs, '');
  const main = new DOMParser().parseFromString(text, 'text/html').querySelector('main');

  return main === null ? [] : [...main.childNodes].map(shown);
}

export function AnswerCard({
  control,
  step: { erased, isSaved, problem },
  title,
}: {
  control: RequestControl;
  step: Extract<Step, { kind: 'erased' }>;
  title: RefObject<HTMLHeadingElement | null>;
}) {
  const { say } = useSpeech();
  const { answer } = erased;
  const text = useMemo(() => (answer === null ? [] : textOf(answer.html)), [answer]);
  useWarningBeforeEnd(answer !== null && !isSaved);

  return (
    <section class="card" aria-labelledby="answer">
      <h2 id="answer" ref={title} tabIndex={-1}>
        {say.persons.answerTitle}
      </h2>
      <p>{answer === null ? say.persons.answerLater : say.persons.answerText}</p>
      {erased.copyFailure !== null && <p class="note">{say.persons.notCopied}</p>}
      {erased.logEmptied === false && <p class="note">{say.persons.logKept}</p>}
      {problem !== undefined && <ProblemNote problem={problem} />}
      {answer === null ? (
        <p class="tasks">
          <button type="button" class="button button-main" onClick={control.readAgain}>
            {say.persons.again}
          </button>
        </p>
      ) : (
        <>
          <div class="letter" lang={answer.language} tabIndex={0} role="region" aria-label={say.persons.steps.answer}>
            {text}
          </div>
          <p class="tasks">
            <button
              type="button"
              class="button button-main"
              onClick={() => {
                saveFile([answer.html], { name: 'answer.html', type: 'text/html' });
                control.saved();
              }}
            >
              <Icon name="down" />
              {say.persons.save}
            </button>
            <span role="status" class={isSaved ? 'quiet' : 'wrong'}>
              {isSaved ? say.persons.saved : say.persons.unsaved}
            </span>
          </p>
        </>
      )}
    </section>
  );
}
