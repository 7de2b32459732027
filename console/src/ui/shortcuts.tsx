import { useState } from 'preact/hooks';
import { useSpeech } from '../text/say.tsx';
import { Dialog } from './dialog.tsx';
import { kept } from './kept.ts';
import { keysAreOn } from './keys.ts';

type Row = { keys: readonly string[]; what: string };

function Rows({ title, rows }: { title: string; rows: readonly Row[] }) {
  return (
    <section>
      <h3>{title}</h3>
      <dl class="keys">
        {rows.map(({ keys, what }) => (
          <div key={what}>
            <dt>
              {keys.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

export function ShortcutsDialog({ onClose }: { onClose: () => void }) {
  const { say } = useSpeech();
  const { shortcuts } = say;
  const [isOn, setOn] = useState(keysAreOn);
  const space = { fr: 'Espace', nl: 'Spatie', de: 'Leertaste', en: 'Space' }[useSpeech().language];

  return (
    <Dialog title={shortcuts.title} onClose={onClose}>
      <Rows
        title={shortcuts.player}
        rows={[
          { keys: [space], what: shortcuts.playPause },
          { keys: ['←', '→'], what: shortcuts.five },
          { keys: ['J', 'L'], what: shortcuts.ten },
          { keys: ['<', '>'], what: shortcuts.speed },
          { keys: ['C'], what: shortcuts.comment },
          { keys: ['N', 'P'], what: shortcuts.playlist },
        ]}
      />
      <Rows
        title={shortcuts.list}
        rows={[
          { keys: ['↓'], what: shortcuts.nextRow },
          { keys: ['↑'], what: shortcuts.previousRow },
          { keys: ['Enter'], what: shortcuts.open },
          { keys: ['X'], what: shortcuts.select },
          { keys: ['/'], what: shortcuts.filter },
        ]}
      />
      <Rows title={shortcuts.everywhere} rows={[{ keys: ['?'], what: shortcuts.help }]} />
      <label class="tick">
        <input
          type="checkbox"
          checked={isOn}
          onChange={({ currentTarget: { checked } }) => {
            kept.set('shortcuts', checked ? 'on' : 'off');
            setOn(checked);
          }}
        />
        {shortcuts.on}
      </label>
    </Dialog>
  );
}
