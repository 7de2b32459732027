import { useMe } from '../who.ts';
import { useSpeech } from '../text/say.tsx';
import { Choice } from '../ui/choice.tsx';
import { sorted } from './known.ts';

/** Those that there are, and those of these calls. None where there is one: its name would say nothing. */
export function usePbxs(calls: readonly { pbx: string | null }[]): readonly string[] {
  const { pbxs } = useMe();
  const all = sorted(...pbxs, ...calls.map(({ pbx }) => pbx));

  return all.length > 1 ? all : [];
}

/** Nothing where there are none. */
export function PbxChoice({
  pbxs,
  pbx,
  onChoose,
}: {
  pbxs: readonly string[];
  pbx: string | undefined;
  onChoose: (pbx: string | undefined) => void;
}) {
  const { say } = useSpeech();
  if (pbxs.length === 0) return null;

  return (
    <Choice
      name={say.list.pbx}
      value={pbx ?? ''}
      onChoose={(value) => {
        onChoose(value || undefined);
      }}
    >
      <option value="">{say.list.any}</option>
      {pbxs.map((each) => (
        <option key={each}>{each}</option>
      ))}
    </Choice>
  );
}
