import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { Approval, ApprovalPage, RecordingDetail } from '../api/types.ts';
import { useAsked } from '../api/useAsked.ts';
import { Link, usePlace } from '../router.tsx';
import { fill } from '../text/fill.ts';
import { personText } from '../text/law.ts';
import { useSpeech } from '../text/say.tsx';
import { Icon, type IconName } from '../ui/icon.tsx';
import { useFirstPage } from '../ui/firstPage.ts';
import { Given } from '../ui/given.tsx';
import { Empty, ProblemNote } from '../ui/notes.tsx';
import { usePageTitle } from '../ui/title.ts';
import { useMe } from '../who.ts';
import { AnswerForm } from './answerForm.tsx';
import { answerText } from './answerText.ts';

/** Requests to hear a recording: those that wait for an answer, and one's own. */

type ListName = 'open' | 'own';

/** The call that a recording is of, where they may see it. */
function CallLink({ recording }: { recording: string }) {
  const { say, format, lineName } = useSpeech();
  const asked = useAsked<RecordingDetail>(`/recordings/${recording}`);
  switch (asked.kind) {
    case 'waiting':
      return <span class="quiet">{say.app.loading}</span>;
    case 'failed':
      return asked.problem.status === 404 ? (
        <span class="quiet">{say.approvals.unseen}</span>
      ) : (
        <ProblemNote problem={asked.problem} onRetry={asked.again} />
      );
    case 'given': {
      const { call } = asked.answer.recording;

      return (
        <>
          <Link href={`/calls/${call.id}`}>
            {fill(say.approvals.callOf, { time: format.dayAndTime(call.startedAt) })}
          </Link>
          {call.line !== null && <span class="quiet"> {lineName(call.line)}</span>}
        </>
      );
    }
  }
}

function StateTag({ approval }: { approval: Approval }) {
  const { say } = useSpeech();
  const isOver = approval.until !== null && Date.parse(approval.until) <= Date.now();
  const icons: Readonly<Record<Approval['state'], IconName>> = {
    open: 'hold',
    approved: 'check',
    refused: 'none',
    expired: 'none',
  };
  const isGood = approval.state === 'approved' && !isOver;

  return (
    <span class={isGood ? 'tag tag-good' : 'tag'}>
      <Icon name={icons[approval.state]} />
      {isOver ? say.approvals.ended : say.approvals.states[approval.state]}
    </span>
  );
}

function Item({ approval, children }: { approval: Approval; children: ComponentChildren }) {
  const { say, format, purposeName } = useSpeech();
  const { recording, asker, askedAt, reason } = approval;
  const purpose = purposeName(approval.purpose);

  return (
    <li class="live-call request">
      <div class="live-what">
        <p>
          <CallLink recording={recording} />
        </p>
        {reason === '' ? <p class="quiet">{say.approvals.noReason}</p> : <p class="typed">{reason}</p>}
        <p class="quiet">
          {fill(say.approvals.asked, { who: personText(asker), time: format.dayAndTime(askedAt), purpose })}{' '}
          {answerText(approval, say, format)}
        </p>
      </div>
      {children}
    </li>
  );
}

function Requests({ which }: { which: ListName }) {
  const { say } = useSpeech();
  const { query } = usePlace();
  const cursor = query.get('cursor');
  const more = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`;
  const asked = useAsked<ApprovalPage>(`${which === 'open' ? '/approvals' : '/approvals/own'}?limit=20${more}`);
  useFirstPage(asked);
  // Until they leave the page: the API gives those that wait, and nobody is to wonder whether it took their answer.
  const [answered, setAnswered] = useState<readonly Approval[]>([]);
  const [title, text] =
    which === 'open'
      ? [say.approvals.noneTitle, say.approvals.none]
      : [say.approvals.noneOwnTitle, say.approvals.noneOwn];

  return (
    <Given asked={asked}>
      {({ approvals, next }) => (
        <>
          <ul class="live" aria-live="polite">
            {answered.map((approval) => (
              <Item key={approval.id} approval={approval}>
                <StateTag approval={approval} />
              </Item>
            ))}
          </ul>
          {approvals.length === 0 && next === null && <Empty title={title} text={text} />}
          <ul class="live">
            {approvals.map((approval) => (
              <Item key={approval.id} approval={approval}>
                {which === 'open' ? (
                  <AnswerForm
                    approval={approval}
                    onDone={(done) => {
                      setAnswered((before) => [done, ...before]);
                      asked.again();
                    }}
                  />
                ) : (
                  <StateTag approval={approval} />
                )}
              </Item>
            ))}
          </ul>
          {next !== null && (
            <p class="paging">
              <Link
                class="button"
                href={`/approvals${which === 'open' ? '' : '/own'}?cursor=${encodeURIComponent(next)}`}
              >
                {say.collections.more}
              </Link>
            </p>
          )}
        </>
      )}
    </Given>
  );
}

export function ApprovalsPage() {
  const { say } = useSpeech();
  const { acts } = useMe();
  const { path } = usePlace();
  const which: ListName = acts.includes('approve') && path !== '/approvals/own' ? 'open' : 'own';
  usePageTitle(say.approvals.title);

  return (
    <div class="page page-narrow">
      <header class="heading">
        <div>
          <h1>{say.approvals.title}</h1>
          <p class="quiet">{say.approvals.intro}</p>
        </div>
      </header>
      {acts.includes('approve') && (
        <nav class="tabs" aria-label={say.approvals.title}>
          <Link href="/approvals" aria-current={which === 'open' ? 'page' : undefined}>
            {say.approvals.toDecide}
          </Link>
          <Link href="/approvals/own" aria-current={which === 'own' ? 'page' : undefined}>
            {say.approvals.own}
          </Link>
        </nav>
      )}
      <Requests key={which} which={which} />
    </div>
  );
}
