import { kept } from './kept.ts';

export const themes = ['auto', 'light', 'dark'] as const;
export type Theme = (typeof themes)[number];

export const themeNow = (): Theme => themes.find((each) => each === kept.get('theme')) ?? 'auto';

/** auto: as the system is set. */
export function applyTheme(theme: Theme = themeNow()): void {
  kept.set('theme', theme);
  document.documentElement.dataset['theme'] = theme;
}
