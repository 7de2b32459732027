import { useEffect, useState } from 'preact/hooks';
import { ask } from '../api/client.ts';
import { asProblem, type Problem } from '../api/problem.ts';
import type { Annotation, AnnotationForm } from '../api/types.ts';
import { useAsked } from '../api/useAsked.ts';
import { useMe } from '../who.ts';
import { inLanguage } from '../text/localText.ts';
import { useSpeech } from '../text/say.tsx';
import { Given } from '../ui/given.tsx';
import { ProblemNote } from '../ui/notes.tsx';
import { Comments } from './comments.tsx';
import type { Change, NotesProps, PlaceOfPlayer } from './notesProps.ts';
import { RatingPart } from './rating.tsx';
import { TagsPart } from './tags.tsx';

/** What people have written about a recording. Each part sends only what it changes, and keeps what was typed until the API has it. */

function CollectionsPart({ recording, written, mayWrite, change, form }: NotesProps & { form: AnnotationForm }) {
  const { language, say } = useSpeech();
  // What was ticked, until the API says what is so.
  const [ticked, setTicked] = useState<Readonly<Record<string, boolean>>>({});
  const known = written.collections.join(' ');
  useEffect(() => {
    setTicked({});
  }, [known]);
  if (form.collections.length === 0) return null;
  const tick = async (collection: string, isIn: boolean): Promise<void> => {
    setTicked({ ...ticked, [collection]: isIn });
    const path = `/recordings/${recording}/collections/${collection}`;
    if (!(await change(path, isIn ? { method: 'PUT', body: {} } : { method: 'DELETE' }))) setTicked({});
  };

  return (
    <fieldset class="part">
      <legend>{say.notes.collections}</legend>
      {form.collections.map(({ collection, label }) => (
        <label key={collection} class="tick">
          <input
            type="checkbox"
            disabled={!mayWrite}
            checked={ticked[collection] ?? written.collections.includes(collection)}
            onChange={({ currentTarget: { checked } }) => void tick(collection, checked)}
          />
          {inLanguage(label, language)}
        </label>
      ))}
    </fieldset>
  );
}

export function NotesCard({
  recording,
  notes,
  player,
}: {
  recording: string;
  notes: ReturnType<typeof useAsked<Annotation>>;
  player: PlaceOfPlayer | undefined;
}) {
  const { say } = useSpeech();
  const { acts } = useMe();
  const form = useAsked<AnnotationForm>('/annotation-form');
  const [problem, setProblem] = useState<Problem>();
  const change: Change = async (path, asking) => {
    setProblem(undefined);
    try {
      await ask(path, asking);
      notes.again();

      return true;
    } catch (thrown) {
      setProblem(asProblem(thrown));
      // Somebody else was faster: what they wrote is to be seen.
      if (asProblem(thrown).status === 412) notes.again();

      return false;
    }
  };

  return (
    <section class="card" aria-labelledby="notes">
      <h2 id="notes">{say.notes.title}</h2>
      {problem !== undefined && <ProblemNote problem={problem} />}
      <Given asked={notes}>
        {(written) => (
          <Parts
            {...{ recording, written, mayWrite: acts.includes('annotate'), change, player }}
            form={form.kind === 'given' ? form.answer : undefined}
          />
        )}
      </Given>
    </section>
  );
}

function Parts({
  form,
  player,
  ...props
}: NotesProps & { form: AnnotationForm | undefined; player: PlaceOfPlayer | undefined }) {
  return (
    <>
      <Comments {...props} player={player} />
      <TagsPart {...props} />
      {form !== undefined && <RatingPart {...props} criteria={form.criteria} />}
      {form !== undefined && <CollectionsPart {...props} form={form} />}
    </>
  );
}
