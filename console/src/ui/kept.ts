/** How the console is to be; `asked`: when it last asked the API (api/idle.ts). */
type Kept = 'language' | 'theme' | 'shortcuts' | 'speed' | 'asked';

/** What this browser remembers: nothing of calls. A browser may forbid that, and is then asked nothing. */
export const kept = {
  get(name: Kept): string | null {
    try {
      return localStorage.getItem(`preavis.${name}`);
    } catch {
      return null;
    }
  },
  set(name: Kept, value: string): void {
    try {
      localStorage.setItem(`preavis.${name}`, value);
    } catch {
      // It is asked again next time.
    }
  },
};
