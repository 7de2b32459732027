import { useState } from 'preact/hooks';
import { fill } from '../text/fill.ts';
import { useSpeech } from '../text/say.tsx';
import { Icon } from '../ui/icon.tsx';
import { useUnsaved } from '../ui/unsaved.ts';
import type { NotesProps } from './notesProps.ts';

/** As the API takes them (src/web/annotationSchemas.ts). */
const tagForm = /^[\p{L}\p{N}][\p{L}\p{N} _.-]{0,39}$/u;

function TagField({ onAdd }: { onAdd: (tag: string) => Promise<boolean> }) {
  const { say } = useSpeech();
  const [typed, setTyped] = useState('');
  const [isWrong, setWrong] = useState(false);
  useUnsaved(typed.trim() !== '');
  const add = async (): Promise<void> => {
    const tag = typed.trim();
    setWrong(!tagForm.test(tag));
    if (tagForm.test(tag) && (await onAdd(tag))) setTyped('');
  };

  return (
    <form
      class="field"
      onSubmit={(event) => {
        event.preventDefault();
        void add();
      }}
    >
      <label for="new-tag">{say.notes.addTag}</label>
      <input
        id="new-tag"
        type="text"
        maxLength={40}
        value={typed}
        aria-invalid={isWrong}
        aria-describedby="new-tag-help"
        onInput={({ currentTarget: { value } }) => {
          setTyped(value);
          setWrong(false);
        }}
      />
      <p id="new-tag-help" class={isWrong ? 'wrong' : 'quiet'}>
        {isWrong ? say.notes.tagWrong : say.notes.tagHelp}
      </p>
    </form>
  );
}

export function TagsPart({ recording, written, mayWrite, change }: NotesProps) {
  const { say } = useSpeech();
  const set = (tags: readonly string[]): Promise<boolean> =>
    change(`/recordings/${recording}/tags`, { method: 'PUT', body: { tags }, version: written.version });
  if (written.tags.length === 0 && !mayWrite) return null;

  return (
    <div class="part">
      <h3>{say.notes.tags}</h3>
      <ul class="chips">
        {written.tags.map((tag) => (
          <li key={tag}>
            {mayWrite ? (
              <button
                type="button"
                class="chip"
                aria-label={fill(say.notes.removeTag, { tag })}
                onClick={() => void set(written.tags.filter((each) => each !== tag))}
              >
                {tag}
                <Icon name="close" />
              </button>
            ) : (
              <span class="chip">{tag}</span>
            )}
          </li>
        ))}
      </ul>
      {mayWrite && <TagField onAdd={(tag) => set([...written.tags, tag])} />}
    </div>
  );
}
