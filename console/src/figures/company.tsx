import { usePlace } from '../router.tsx';
import { useSpeech } from '../text/say.tsx';
import { useMe } from '../who.ts';

/** Who sees some companies counts one of them at a time; who sees all of them counts all. */
export function useCompany(): string | undefined {
  const { controllers } = useMe();
  const { query } = usePlace();
  if (controllers === null) return undefined;
  const wanted = query.get('company');

  return controllers.find((each) => each === wanted) ?? controllers[0];
}

/** @param onChoose is given the name of the company, as addresses have it */
export function CompanyChoice({ onChoose }: { onChoose: (company: string) => void }) {
  const { say } = useSpeech();
  const { controllers } = useMe();
  const company = useCompany();
  if (controllers === null || company === undefined) return null;

  return (
    <label class="choice">
      <span class="quiet">{say.figures.company}</span>
      <select
        value={company}
        onChange={({ currentTarget: { value } }) => {
          onChoose(value);
        }}
      >
        {controllers.map((each) => (
          <option key={each} value={each}>
            {each === 'own' ? say.figures.ownCompany : each}
          </option>
        ))}
      </select>
    </label>
  );
}
