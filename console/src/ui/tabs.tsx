type TabsProps = {
  label: string;
  options: readonly { value: string; name: string }[];
  chosen: string | undefined;
  onChoose: (value: string) => void;
};

/** One of a few: what stands below is of the chosen one. */
export function Tabs({ label, options, chosen, onChoose }: TabsProps) {
  return (
    <div class="tabs" role="group" aria-label={label}>
      {options.map(({ value, name }) => (
        <button
          key={value}
          type="button"
          class="tab"
          aria-pressed={value === chosen}
          onClick={() => {
            onChoose(value);
          }}
        >
          {name}
        </button>
      ))}
    </div>
  );
}
