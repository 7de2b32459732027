import { useEffect, useRef, useState } from 'preact/hooks';
import type { Comment } from '../api/types.ts';
import { fill } from '../text/fill.ts';
import { useSpeech } from '../text/say.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { useKeys } from '../ui/keys.ts';
import { useUnsaved } from '../ui/unsaved.ts';
import type { Change, NotesProps, PlaceOfPlayer } from './notesProps.ts';

/** Comments, each at a position of the recording or about the whole. */

const longest = 4_000;

type Draft = { id: string | undefined; atMs: number | null; text: string };

function TextField({ text, onText }: { text: string; onText: (text: string) => void }) {
  const { say } = useSpeech();
  const field = useRef<HTMLTextAreaElement>(null);
  useEffect(() => {
    field.current?.focus();
    // With what saves it, which may be below the window.
    field.current?.form?.scrollIntoView({ block: 'nearest' });
  }, []);

  return (
    <div class="field">
      <label for="comment-text">{say.notes.text}</label>
      <textarea
        ref={field}
        id="comment-text"
        rows={3}
        maxLength={longest}
        required
        value={text}
        onInput={({ currentTarget: { value } }) => {
          onText(value);
        }}
        onKeyDown={({ key, ctrlKey, metaKey, currentTarget: { form } }) => {
          if (key === 'Enter' && (ctrlKey || metaKey)) form?.requestSubmit();
        }}
      />
    </div>
  );
}

function PlaceTick({
  atMs,
  isPlaced,
  onPlace,
}: {
  atMs: number;
  isPlaced: boolean;
  onPlace: (isPlaced: boolean) => void;
}) {
  const { say, format } = useSpeech();

  return (
    <label class="tick">
      <input
        type="checkbox"
        checked={isPlaced}
        onChange={({ currentTarget: { checked } }) => {
          onPlace(checked);
        }}
      />
      {fill(say.notes.at, { position: format.position(atMs) })}
    </label>
  );
}

/**
 * Stays open, with what was typed, until the API has it.
 *
 * @param version of the comment as it is shown, also after somebody was faster; undefined: there is none, or none any more
 */
function CommentForm({
  draft,
  version,
  recording,
  change,
  onClose,
}: {
  draft: Draft;
  version: number | undefined;
  recording: string;
  change: Change;
  onClose: () => void;
}) {
  const { say } = useSpeech();
  const [text, setText] = useState(draft.text);
  const [isPlaced, setPlaced] = useState(draft.atMs !== null);
  const [isSaving, setSaving] = useState(false);
  useUnsaved(text.trim() !== '' && text !== draft.text);
  const save = async (): Promise<void> => {
    setSaving(true);
    const body = { atMs: isPlaced ? draft.atMs : null, text };
    const path = `/recordings/${recording}/comments`;
    const done =
      draft.id === undefined || version === undefined
        ? await change(path, { method: 'POST', body })
        : await change(`${path}/${draft.id}`, { method: 'PUT', body, version });
    if (done) onClose();
    else setSaving(false);
  };

  return (
    <form
      class="form part"
      onSubmit={(event) => {
        event.preventDefault();
        if (!isSaving) void save();
      }}
    >
      <TextField text={text} onText={setText} />
      {draft.atMs !== null && <PlaceTick atMs={draft.atMs} isPlaced={isPlaced} onPlace={setPlaced} />}
      <div class="dialog-foot">
        <button type="button" class="button" onClick={onClose}>
          {say.list.cancel}
        </button>
        <button type="submit" class="button button-main" disabled={isSaving || text.trim() === ''}>
          {say.notes.save}
        </button>
      </div>
    </form>
  );
}

function CommentItem({
  comment,
  seek,
  isBusy,
  onEdit,
  onRemove,
}: {
  comment: Comment;
  /** Something is being written: it would be lost with another one in its place. */
  isBusy: boolean;
  seek: ((ms: number) => void) | undefined;
  onEdit: () => void;
  onRemove: () => void;
}) {
  const { say, format } = useSpeech();
  const { atMs, author, text, writtenAt, changedAt } = comment;

  return (
    <li>
      <p class="comment-head">
        {atMs === null ? (
          <span class="quiet">{say.notes.whole}</span>
        ) : (
          <button
            type="button"
            class="button button-small"
            disabled={seek === undefined}
            aria-label={fill(say.notes.at, { position: format.position(atMs) })}
            onClick={() => {
              seek?.(atMs);
            }}
          >
            {format.position(atMs)}
          </button>
        )}
        <strong>{author.replace(/^user:/, '')}</strong>
        <span class="quiet">
          <time dateTime={writtenAt}>{format.day(writtenAt)}</time>
          {changedAt !== null && `, ${say.notes.changed}`}
        </span>
      </p>
      <p class="typed">{text}</p>
      {comment.own && (
        <p class="comment-acts">
          <button type="button" class="button button-small button-quiet" disabled={isBusy} onClick={onEdit}>
            {say.notes.edit}
          </button>
          <button type="button" class="button button-small button-quiet" disabled={isBusy} onClick={onRemove}>
            {say.notes.remove}
          </button>
        </p>
      )}
    </li>
  );
}

function RemoveDialog({ onClose, onRemove }: { onClose: () => void; onRemove: () => void }) {
  const { say } = useSpeech();

  return (
    <Dialog title={say.notes.removeTitle} onClose={onClose}>
      <div class="dialog-foot">
        <button type="button" class="button" onClick={onClose}>
          {say.list.cancel}
        </button>
        <button type="button" class="button button-main" onClick={onRemove}>
          {say.notes.remove}
        </button>
      </div>
    </Dialog>
  );
}

type Opened = { kind: 'none' } | { kind: 'draft'; draft: Draft } | { kind: 'remove'; comment: Comment };

function CommentList({
  comments,
  seek,
  isBusy,
  open,
}: {
  comments: readonly Comment[];
  isBusy: boolean;
  seek: ((ms: number) => void) | undefined;
  open: (opened: Opened) => void;
}) {
  return (
    <ol>
      {comments.map((comment) => (
        <CommentItem
          key={comment.id}
          comment={comment}
          seek={seek}
          isBusy={isBusy}
          onEdit={() => {
            const { id, atMs, text } = comment;
            open({ kind: 'draft', draft: { id, atMs, text } });
          }}
          onRemove={() => {
            open({ kind: 'remove', comment });
          }}
        />
      ))}
    </ol>
  );
}

export function Comments({
  recording,
  written,
  mayWrite,
  change,
  player,
}: NotesProps & { player: PlaceOfPlayer | undefined }) {
  const { say } = useSpeech();
  const [opened, open] = useState<Opened>({ kind: 'none' });
  const writing = useRef<HTMLButtonElement>(null);
  const close = (): void => {
    open({ kind: 'none' });
  };
  const isWriting = opened.kind === 'draft';
  const wasWriting = useRef(false);
  useEffect(() => {
    // The form has gone with the focus: whoever uses the keyboard goes on from here.
    if (wasWriting.current && !isWriting) writing.current?.focus();
    wasWriting.current = isWriting;
  }, [isWriting]);
  const write = (): boolean => {
    if (!mayWrite || opened.kind !== 'none') return false;
    const atMs = player === undefined ? null : Math.round(player.position());
    open({ kind: 'draft', draft: { id: undefined, atMs, text: '' } });

    return true;
  };
  useKeys({ c: write, C: write });

  return (
    <div class="comments">
      {mayWrite && written.comments.length === 0 && !isWriting && <p class="quiet">{say.notes.none}</p>}
      <CommentList comments={written.comments} seek={player?.seek} isBusy={isWriting} open={open} />
      {opened.kind === 'draft' ? (
        <CommentForm
          key={opened.draft.id ?? ''}
          draft={opened.draft}
          version={written.comments.find(({ id }) => id === opened.draft.id)?.version}
          recording={recording}
          change={change}
          onClose={close}
        />
      ) : (
        mayWrite && (
          <button ref={writing} type="button" class="button" onClick={write}>
            {say.notes.write}
          </button>
        )
      )}
      {opened.kind === 'remove' && (
        <RemoveDialog
          onClose={close}
          onRemove={() => {
            const { id, version } = opened.comment;
            close();
            void change(`/recordings/${recording}/comments/${id}`, { method: 'DELETE', version });
          }}
        />
      )}
    </div>
  );
}
