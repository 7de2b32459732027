/** What this browser remembers of how the console is to be: nothing of calls. A browser may forbid that, and is then asked nothing. */
export const kept = {
  get(name: 'language' | 'theme' | 'shortcuts' | 'speed'): string | null {
    try {
      return localStorage.getItem(`preavis.${name}`);
    } catch {
      return null;
    }
  },
  set(name: 'language' | 'theme' | 'shortcuts' | 'speed', value: string): void {
    try {
      localStorage.setItem(`preavis.${name}`, value);
    } catch {
      // It is asked again next time.
    }
  },
};
