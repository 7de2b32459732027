import { useEffect, useId, useState } from 'preact/hooks';
import { Link } from '../router.tsx';
import { counted, fill } from '../text/fill.ts';
import { useSpeech } from '../text/say.tsx';
import { Icon } from '../ui/icon.tsx';
import { useMenu } from '../ui/useMenu.ts';
import { useMe } from '../who.ts';
import { filterTexts } from './filterTexts.ts';
import { listAddress, type Filters } from './filters.ts';
import { filtersNow, keepViews, keptViews, longestName, mostViews, viewOf, withView, type View } from './views.ts';

/** The views that somebody has saved, and the way to save one. */

function ViewItem({ view, onRemove }: { view: View; onRemove: () => void }) {
  const speech = useSpeech();
  const { language, say } = speech;
  const words = [
    ...(view.lastDays === undefined
      ? []
      : [view.lastDays === 0 ? say.list.yesterday : counted(language, say.views.days, view.lastDays)]),
    ...filterTexts(view.filters, speech).map(({ words: each }) => each),
  ];

  return (
    <li class="view">
      <Link href={listAddress(filtersNow(view, Date.now()))}>{view.name}</Link>
      <button
        type="button"
        class="button button-quiet button-small"
        aria-label={fill(say.views.remove, { name: view.name })}
        onClick={onRemove}
      >
        <Icon name="close" />
      </button>
      <span class="quiet small">{words.join(' · ')}</span>
    </li>
  );
}

function SaveForm({ isFull, onSave }: { isFull: boolean; onSave: (name: string) => void }) {
  const { say } = useSpeech();
  const [typed, setTyped] = useState('');
  const id = useId();

  return (
    <form
      class="field"
      onSubmit={(event) => {
        event.preventDefault();
        const name = typed.trim();
        if (name === '' || isFull) return;
        onSave(name);
        setTyped('');
      }}
    >
      <label for={id}>{say.views.name}</label>
      <span class="field-line">
        <input
          id={id}
          type="text"
          autoComplete="off"
          maxLength={longestName}
          value={typed}
          onInput={({ currentTarget: { value } }) => {
            setTyped(value);
          }}
        />
        <button type="submit" class="button" disabled={isFull || typed.trim() === ''}>
          {say.views.save}
        </button>
      </span>
      {isFull && <p class="wrong">{fill(say.views.full, { count: mostViews })}</p>}
    </form>
  );
}

export function ViewsMenu({ filters }: { filters: Filters }) {
  const { say } = useSpeech();
  const { name: user } = useMe();
  const [views, setViews] = useState(() => keptViews(user));
  const menu = useMenu();
  // One that was opened is what is shown now.
  useEffect(() => {
    if (menu.current !== null) menu.current.open = false;
  }, [listAddress(filters)]);
  const keep = (changed: View[]): void => {
    keepViews(user, changed);
    setViews(changed);
  };
  const isFiltered = Object.values(filters).some((value) => value !== undefined);

  return (
    <details class="views" ref={menu}>
      <summary class="button button-small">
        <Icon name="star" />
        {say.views.title}
      </summary>
      <div class="menu-box">
        {views.length === 0 && !isFiltered && <p class="quiet">{say.views.none}</p>}
        {views.length > 0 && (
          <ul class="view-list">
            {views.map((view) => (
              <ViewItem
                key={view.name}
                view={view}
                onRemove={() => {
                  keep(views.filter(({ name }) => name !== view.name));
                }}
              />
            ))}
          </ul>
        )}
        {isFiltered && (
          <SaveForm
            isFull={views.length >= mostViews}
            onSave={(name) => {
              keep(withView(views, viewOf(name, filters, Date.now())));
            }}
          />
        )}
        <p class="quiet small">{say.views.help}</p>
      </div>
    </details>
  );
}
