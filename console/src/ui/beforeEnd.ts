import { useEffect } from 'preact/hooks';

/** The browser asks before the window is closed, while something would be lost with it. */
export function useWarningBeforeEnd(isNeeded: boolean): void {
  useEffect(() => {
    if (!isNeeded) return undefined;
    const warn = (event: BeforeUnloadEvent): void => {
      event.preventDefault();
    };
    addEventListener('beforeunload', warn);

    return () => {
      removeEventListener('beforeunload', warn);
    };
  }, [isNeeded]);
}
