import { useEffect, useState } from 'preact/hooks';
import type { Peaks } from '../../../src/web/routes/recordings.ts';
import type { Annotation, CallDetail } from '../api/types.ts';
import { useAsked, type Asked } from '../api/useAsked.ts';
import { useMoment, useOwnApproval } from '../approvals/useOwnApproval.ts';
import { lastList } from '../calls/lastList.ts';
import { Link } from '../router.tsx';
import { fill } from '../text/fill.ts';
import { useSpeech } from '../text/say.tsx';
import { Icon } from '../ui/icon.tsx';
import { Given } from '../ui/given.tsx';
import { Empty } from '../ui/notes.tsx';
import { usePageTitle } from '../ui/title.ts';
import { useMe } from '../who.ts';
import { EvidenceCard } from './evidenceCard.tsx';
import { Happened } from './happened.tsx';
import { HistoryCard } from './history.tsx';
import { FileCard, KeptCard } from './kept.tsx';
import { marksOf, type Mark } from './marks.ts';
import { NotesCard } from './notesCard.tsx';
import type { PlaceOfPlayer } from './notesProps.ts';
import { NoticeStrip } from './noticeStrip.tsx';
import { PlayerPanel } from './playerPanel.tsx';
import { ProofCard, VerdictBanner } from './proof.tsx';

function CopyLink() {
  const { say } = useSpeech();
  const [isCopied, setCopied] = useState(false);

  return (
    <button
      type="button"
      class="button button-small"
      onClick={() => {
        void navigator.clipboard.writeText(location.href).then(
          () => {
            setCopied(true);
          },
          () => undefined,
        );
      }}
    >
      <Icon name={isCopied ? 'check' : 'link'} />
      <span aria-live="polite">{isCopied ? say.call.copied : say.call.copyLink}</span>
    </button>
  );
}

function Heading({ detail: { call } }: { detail: CallDetail }) {
  const { say, format, lineName } = useSpeech();
  const named = (name: string, value: string | null): string[] =>
    value === null ? [] : [fill(say.list.named, { name, value })];
  const title = call.direction === 'incoming' ? say.call.titleIncoming : say.call.titleOutgoing;
  const words = fill(title, { time: format.dayAndTime(call.startedAt) });
  usePageTitle(words);
  const facts = [
    ...named(say.list.line, call.line && lineName(call.line)),
    ...named(say.list.extension, call.extension),
    ...named(say.list.dialled, call.dialled),
    ...[call.controller, call.pbx].filter((each) => each !== null),
  ];

  return (
    <header class="heading">
      <div>
        <h1>{words}</h1>
        <p class="quiet">{facts.join(' · ')}</p>
      </div>
      <CopyLink />
    </header>
  );
}

/** Where people have written something. */
const commentMarks = (written: Annotation | undefined): Mark[] =>
  (written?.comments ?? []).flatMap(({ atMs, writtenAt, id }): Mark[] =>
    atMs === null ? [] : [{ kind: 'comment', from: atMs, to: undefined, iso: `${writtenAt} ${id}` }],
  );

function Sound({
  detail,
  peaks,
  written,
  onChange,
  onReady,
}: {
  detail: CallDetail;
  peaks: Asked<Peaks> & { again: () => void };
  written: Annotation | undefined;
  onChange: () => void;
  onReady: (player: PlaceOfPlayer | undefined) => void;
}) {
  const { say, format } = useSpeech();
  const { acts } = useMe();
  const { recording } = detail.call;
  const { own } = useOwnApproval(acts.includes('askApproval') && peaks.kind === 'given' ? recording?.id : undefined);
  const until = own?.state === 'approved' ? (own.until ?? undefined) : undefined;
  useMoment(until, onChange);
  if (recording === null) return null;

  return (
    <section class="card sound" aria-labelledby="sound">
      <h2 id="sound">{say.player.title}</h2>
      {until !== undefined && Date.parse(until) > Date.now() && (
        <p class="quiet">{fill(say.approvals.hearUntil, { time: format.dayAndTime(until) })}</p>
      )}
      <NoticeStrip receipt={detail.receipt} />
      <PlayerPanel
        recording={recording}
        unheard={detail.unheard}
        peaks={peaks}
        onOpen={onChange}
        marks={[...marksOf(detail.receipt), ...commentMarks(written)]}
        onReady={onReady}
      />
    </section>
  );
}

/** Where the columns stand one below the other. */
const narrow = matchMedia('(max-width: 70rem)');

function useIsNarrow(): boolean {
  const [isNarrow, set] = useState(narrow.matches);
  useEffect(() => {
    const look = (): void => {
      set(narrow.matches);
    };
    narrow.addEventListener('change', look);

    return () => {
      narrow.removeEventListener('change', look);
    };
  }, []);

  return isNarrow;
}

function Shown({ detail, onChange }: { detail: CallDetail; onChange: () => void }) {
  const [player, setPlayer] = useState<PlaceOfPlayer>();
  const isNarrow = useIsNarrow();
  const { call, receipt } = detail;
  const { recording } = call;
  const hasSound = recording !== null && (recording.status === 'archived' || recording.status === 'recorded');
  const isGone = recording !== null && ['erased', 'discarded', 'lost'].includes(recording.status);
  // For who may hear it: whoever opens the page has not tried to.
  const peaks = useAsked<Peaks>(hasSound && detail.unheard === null ? `/recordings/${recording.id}/peaks` : undefined);
  const notes = useAsked<Annotation>(
    recording === null || isGone ? undefined : `/recordings/${recording.id}/annotation`,
  );

  return (
    <div class="page call">
      <Heading detail={detail} />
      <VerdictBanner receipt={receipt} />
      <div class="columns">
        <div class="column-main">
          <Sound
            detail={detail}
            peaks={peaks}
            written={notes.kind === 'given' ? notes.answer : undefined}
            onChange={onChange}
            onReady={setPlayer}
          />
          {/* Not behind all that was written, which may be long. */}
          {isNarrow && <ProofCard receipt={receipt} />}
          {/* What was written goes with the recording. */}
          {recording !== null && !isGone && <NotesCard recording={recording.id} notes={notes} player={player} />}
          <Happened receipt={receipt} seek={player?.seek} />
        </div>
        <div class="column-side">
          {!isNarrow && <ProofCard receipt={receipt} />}
          <KeptCard detail={detail} onChange={onChange} />
          {recording !== null && peaks.kind === 'given' && <EvidenceCard recording={recording} />}
          <FileCard detail={detail} />
          {recording !== null && <HistoryCard recording={recording.id} />}
        </div>
      </div>
    </div>
  );
}

const idForm = /^[0-9A-Z]{26}$/;

export function CallPage({ id }: { id: string }) {
  const { say } = useSpeech();
  const asked = useAsked<CallDetail>(idForm.test(id) ? `/calls/${id}` : undefined);
  const isNothing = !idForm.test(id) || (asked.kind === 'failed' && asked.problem.status === 404);

  return (
    <>
      <nav class="way-back">
        <Link href={lastList()}>
          <Icon name="left" />
          {say.call.back}
        </Link>
      </nav>
      {isNothing && <Empty isPage title={say.app.notFoundTitle} text={say.app.notFound} />}
      {!isNothing && asked.kind !== 'given' && <h1 class="unseen">{say.call.title}</h1>}
      {!isNothing && <Given asked={asked}>{(detail) => <Shown detail={detail} onChange={asked.again} />}</Given>}
    </>
  );
}
