import type { ComponentChildren } from 'preact';

/** One of few, in the heading of a page. */
export function Choice({
  name,
  value,
  onChoose,
  children,
}: {
  name: string;
  value: string;
  onChoose: (value: string) => void;
  children: ComponentChildren;
}) {
  return (
    <label class="choice">
      <span class="quiet">{name}</span>
      <select
        value={value}
        onChange={({ currentTarget }) => {
          onChoose(currentTarget.value);
        }}
      >
        {children}
      </select>
    </label>
  );
}
