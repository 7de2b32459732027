import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { AnnotationForm, RecordingOfList } from '../api/types.ts';
import { useAsked } from '../api/useAsked.ts';
import { Link } from '../router.tsx';
import { fill } from '../text/fill.ts';
import { inLanguage } from '../text/localText.ts';
import { useSpeech } from '../text/say.tsx';
import { Icon } from '../ui/icon.tsx';
import { Given } from '../ui/given.tsx';
import { Empty, ProblemNote, Waiting } from '../ui/notes.tsx';
import { usePageTitle } from '../ui/title.ts';
import { useMe } from '../who.ts';
import { canBePlayed, Playlist } from './playlist.tsx';
import { useCollected } from './useCollected.ts';
import { useDrag } from './useDrag.ts';
import { movedTo, useOrder } from './useOrder.ts';

/** Calls that people have put together, in the order that they gave them; played one after the other. */

type Step = 1 | -1;

function MoveButtons({
  name,
  isFirst,
  isLast,
  onMove,
}: {
  name: string;
  isFirst: boolean;
  isLast: boolean;
  onMove: (by: Step) => void;
}) {
  const { say } = useSpeech();
  const buttons = [
    { by: -1, words: say.collections.up, icon: 'up', isOff: isFirst },
    { by: 1, words: say.collections.down, icon: 'lower', isOff: isLast },
  ] as const;

  return buttons.map(({ by, words, icon, isOff }) => (
    <button
      key={by}
      type="button"
      class="button button-quiet button-round button-tiny"
      data-move={by}
      aria-label={fill(words, { call: name })}
      disabled={isOff}
      onClick={() => {
        onMove(by);
      }}
    >
      <Icon name={icon} />
    </button>
  ));
}

type ItemProps = {
  recording: RecordingOfList;
  place: number;
  count: number;
  isPlayed: boolean;
  isDragged: boolean;
  /** undefined: they may not change the order. */
  order: { onMove: (by: Step) => void; onGrip: (event: PointerEvent) => void } | undefined;
  onPlay: () => void;
};

function Item({ recording, place, count, isPlayed, isDragged, order, onPlay }: ItemProps) {
  const { say, format, lineName } = useSpeech();
  const { call, durationMs, tags, score } = recording;
  const name = format.dayAndTime(call.startedAt);
  const look = `collected${isPlayed ? ' collected-played' : ''}${isDragged ? ' collected-dragged' : ''}`;

  return (
    <li class={look} data-item={recording.id} aria-current={isPlayed ? 'true' : undefined}>
      {order !== undefined && (
        <span class="grip" title={say.collections.drag} onPointerDown={order.onGrip}>
          <Icon name="grip" />
        </span>
      )}
      <span class="collected-number quiet">{place + 1}</span>
      <button
        type="button"
        class="button button-round button-tiny"
        aria-label={fill(say.collections.playOne, { call: name })}
        title={canBePlayed(recording) ? undefined : say.collections.silent}
        disabled={!canBePlayed(recording)}
        onClick={onPlay}
      >
        <Icon name="play" isFilled />
      </button>
      <div class="live-what">
        <p>
          <Link href={`/calls/${call.id}`}>{name}</Link>
        </p>
        <p class="quiet">
          {[
            ...(call.line === null ? [] : [lineName(call.line)]),
            ...(durationMs === null ? [] : [format.position(durationMs)]),
            ...(score === null ? [] : [`${score} / 100`]),
            ...tags,
          ].join(' · ')}
        </p>
      </div>
      {order !== undefined && (
        <span class="collected-move">
          <MoveButtons name={name} isFirst={place === 0} isLast={place === count - 1} onMove={order.onMove} />
        </span>
      )}
    </li>
  );
}

/** What had the focus has it again where its row has gone: else whoever uses the keyboard would begin from the top. */
function useFocusOnMoved() {
  const wanted = useRef<{ id: string; by: Step } | undefined>(undefined);
  useLayoutEffect(() => {
    if (wanted.current === undefined) return;
    const { id, by } = wanted.current;
    const buttons = [...document.querySelectorAll<HTMLButtonElement>(`[data-item="${id}"] [data-move]`)];
    const same = buttons.find((each) => each.dataset['move'] === String(by) && !each.disabled);
    (same ?? buttons.find((each) => !each.disabled))?.focus();
  });

  return wanted;
}

type ItemsProps = { collection: string; recordings: readonly RecordingOfList[]; again: () => Promise<void> };

/** Their order as it is shown, also while one is dragged, and what moves them. */
function useMoving({ collection, recordings, again }: ItemsProps) {
  const { say, format } = useSpeech();
  const { list, problem, move: moveTo } = useOrder(collection, recordings, again);
  const [moved, setMoved] = useState('');
  const focus = useFocusOnMoved();
  const move = async ({ id, call }: RecordingOfList, toOf: (from: number) => number): Promise<void> => {
    const wanted = focus.current;
    const to = await moveTo(id, toOf);
    if (to !== undefined) {
      setMoved(fill(say.collections.moved, { call: format.dayAndTime(call.startedAt), number: to + 1 }));
    }
    // Not that of the next, which they may have moved meanwhile.
    if (focus.current === wanted) focus.current = undefined;
  };
  const {
    list: box,
    dragged,
    begin,
  } = useDrag(({ id, to }) => {
    const recording = list.find((each) => each.id === id);
    if (recording !== undefined) void move(recording, () => to);
  });

  return {
    box,
    dragged,
    list,
    problem,
    moved,
    shown:
      dragged === undefined
        ? list
        : movedTo(
            list,
            list.findIndex(({ id }) => id === dragged.id),
            dragged.to,
          ),
    orderOf: (recording: RecordingOfList, place: number): ItemProps['order'] => ({
      onMove: (by) => {
        focus.current = { id: recording.id, by };
        void move(recording, (from) => from + by);
      },
      onGrip: (event) => {
        begin(event, recording.id, place);
      },
    }),
  };
}

function ListHead({ mayOrder, onPlayAll }: { mayOrder: boolean; onPlayAll: (() => void) | undefined }) {
  const { say } = useSpeech();

  return (
    <div class="card-head">
      <p class="quiet small">{mayOrder && say.collections.order}</p>
      <button type="button" class="button button-main" disabled={onPlayAll === undefined} onClick={onPlayAll}>
        <Icon name="play" isFilled />
        {say.collections.playAll}
      </button>
    </div>
  );
}

function Items(props: ItemsProps) {
  const { acts } = useMe();
  const moving = useMoving(props);
  const { shown, list, dragged } = moving;
  const [playedId, play] = useState<string>();
  const mayOrder = acts.includes('annotate') && list.length > 1;
  const playable = list.filter(canBePlayed);
  const [first] = playable;
  const played = playable.find(({ id }) => id === playedId);
  const playThis = ({ id }: RecordingOfList) => {
    play(id);
  };

  return (
    <>
      <ListHead
        mayOrder={mayOrder}
        onPlayAll={
          first === undefined
            ? undefined
            : () => {
                playThis(first);
              }
        }
      />
      {moving.problem !== undefined && <ProblemNote problem={moving.problem} />}
      <p class="unseen" role="status">
        {moving.moved}
      </p>
      <ol class="collected-list" ref={moving.box}>
        {shown.map((recording, place) => (
          <Item
            key={recording.id}
            recording={recording}
            place={place}
            count={shown.length}
            isPlayed={recording.id === played?.id}
            isDragged={dragged?.id === recording.id}
            order={mayOrder ? moving.orderOf(recording, place) : undefined}
            onPlay={() => {
              playThis(recording);
            }}
          />
        ))}
      </ol>
      {played !== undefined && (
        <Playlist
          list={playable}
          current={played}
          onPlay={playThis}
          onClose={() => {
            play(undefined);
          }}
        />
      )}
    </>
  );
}

function Collection({ name }: { name: string }) {
  const { say } = useSpeech();
  const collected = useCollected(name);
  if (collected.kind === 'waiting') return <Waiting />;
  if (collected.kind === 'failed') {
    return <ProblemNote problem={collected.problem} onRetry={() => void collected.again()} />;
  }
  const { recordings, hasMore, more, again } = collected;
  if (recordings.length === 0 && !hasMore) {
    return <Empty title={say.collections.emptyTitle} text={say.collections.empty} />;
  }

  return (
    <>
      <Items collection={name} recordings={recordings} again={again} />
      {hasMore && (
        <p class="paging">
          <button type="button" class="button" onClick={more}>
            {say.collections.more}
          </button>
        </p>
      )}
    </>
  );
}

function Chosen({ form, name }: { form: AnnotationForm; name: string | undefined }) {
  const { language, say } = useSpeech();
  const { collections } = form;
  const [first] = collections;
  if (first === undefined) return <Empty title={say.collections.noneTitle} text={say.collections.none} />;
  const chosen = name ?? first.collection;

  return (
    <>
      <nav class="tabs" aria-label={say.collections.title}>
        {collections.map(({ collection, label }) => (
          <Link
            key={collection}
            href={`/collections/${collection}`}
            aria-current={collection === chosen ? 'page' : undefined}
          >
            {inLanguage(label, language)}
          </Link>
        ))}
      </nav>
      <Collection key={chosen} name={encodeURIComponent(chosen)} />
    </>
  );
}

export function CollectionsPage({ name }: { name: string | undefined }) {
  const { say } = useSpeech();
  const form = useAsked<AnnotationForm>('/annotation-form');
  usePageTitle(say.collections.title);

  return (
    <div class="page page-narrow">
      <header class="heading">
        <div>
          <h1>{say.collections.title}</h1>
          <p class="quiet">{say.collections.intro}</p>
        </div>
      </header>
      <Given asked={form}>{(found) => <Chosen form={found} name={name} />}</Given>
    </div>
  );
}
