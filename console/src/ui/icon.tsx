/** Signs of lines, drawn on a field of 20 by 20. Beside each stands a word, for the eye or for a screen reader. */
const drawn = {
  play: 'M6 4l10 6-10 6z',
  pause: 'M7 4v12M13 4v12',
  back: 'M4 5v4h4M4.500 9a6.500 6.500 0 1 1-.4 3',
  forward: 'M16 5v4h-4M15.500 9a6.500 6.500 0 1 0 .4 3',
  menu: 'M3 5.500h14M3 10h14M3 14.500h14',
  close: 'M5 5l10 10M15 5L5 15',
  left: 'M12 4l-6 6 6 6',
  right: 'M8 4l6 6-6 6',
  down: 'M10 3v10M6 9l4 4 4-4M4 17h12',
  check: 'M4 10.500l4 4 8-9',
  warning: 'M10 3l8 14H2zM10 8v4M10 14.500v.1',
  none: 'M4 10a6 6 0 1 0 12 0 6 6 0 1 0-12 0M6 14l8-8',
  hold: 'M6 9V6.500a4 4 0 0 1 8 0V9M4.500 9h11v8h-11z',
  star: 'M10 2.500l2.300 4.900 5.200.7-3.800 3.700.9 5.300-4.600-2.600-4.600 2.600.9-5.300L2.500 8.100l5.200-.7z',
  filter: 'M3 5h14M6 10h8M8.500 15h3',
  search: 'M8.500 3a5.500 5.500 0 1 0 0 11 5.500 5.500 0 1 0 0-11M12.500 12.500l4.500 4.500',
  up: 'M10 16V4M5 9l5-5 5 5',
  lower: 'M10 4v12M5 11l5 5 5-5',
  grip: 'M7 5v.1M13 5v.1M7 10v.1M13 10v.1M7 15v.1M13 15v.1',
  next: 'M5 4l8 6-8 6zM15.500 4v12',
  previous: 'M15 4l-8 6 8 6zM4.500 4v12',
  link: 'M8 12l4-4M7 9l-2 2a2.800 2.800 0 0 0 4 4l2-2M13 11l2-2a2.800 2.800 0 0 0-4-4L9 7',
  in: 'M15 5L6 14M6 7v7h7',
  out: 'M5 15l9-9M7 6h7v7',
  keyboard: 'M2 5h16v10H2zM5 8h.1M8 8h.1M11 8h.1M14 8h.1M6 12h8',
} as const;
export type IconName = keyof typeof drawn;

export function Icon({ name, isFilled = false }: { name: IconName; isFilled?: boolean }) {
  return (
    <svg class={isFilled ? 'icon icon-filled' : 'icon'} viewBox="0 0 20 20" aria-hidden="true" focusable="false">
      <path d={drawn[name]} />
    </svg>
  );
}
