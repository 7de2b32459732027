import { useEffect } from 'preact/hooks';

/** What was typed and is not saved: nobody loses it by a link, the way back, or a window that is closed, without being asked. */

const typing = new Set<symbol>();

/** Somebody is to be asked whether they leave; `leave` is what they wanted to do. */
export type Leaving = { leave: () => void };
export const leaving = new EventTarget();

let asked: Leaving | undefined;
export const askedNow = (): Leaving | undefined => asked;

function askThem(next: Leaving | undefined): void {
  asked = next;
  leaving.dispatchEvent(new Event('asked'));
}

export const isTyping = (): boolean => typing.size > 0;

/** Drafts that stay while they look at other pages, and go with whoever signs out: by their names, those that are not sent or saved. */
const drafts = new Set<string>();

/** The browser asks in its own words, and takes none of ours. */
const warn = (event: BeforeUnloadEvent): void => {
  event.preventDefault();
};

/** The window that is closed takes both with it. */
function warnIfLost(): void {
  if (typing.size + drafts.size > 0) addEventListener('beforeunload', warn);
  else removeEventListener('beforeunload', warn);
}

export function noteDraft(name: string, isUnsaved: boolean): void {
  if (isUnsaved) drafts.add(name);
  else drafts.delete(name);
  warnIfLost();
}

/** Signs out, after asking whoever has typed something, here or on another page. */
export function whenMaySignOut(signOut: () => void): void {
  if (isTyping() || drafts.size > 0) askThem({ leave: signOut });
  else signOut();
}

/** Does it, after asking whoever has typed something. */
export function whenMayLeave(leave: () => void): void {
  if (isTyping()) askThem({ leave });
  else leave();
}

export function stay(): void {
  askThem(undefined);
}

/** What was typed is given up. */
export function leaveAll(): void {
  const wanted = asked;
  typing.clear();
  askThem(undefined);
  wanted?.leave();
}

/** @param isTyped whether something would be lost */
export function useUnsaved(isTyped: boolean): void {
  useEffect(() => {
    if (!isTyped) return undefined;
    const mine = Symbol('typed');
    typing.add(mine);
    warnIfLost();

    return () => {
      typing.delete(mine);
      warnIfLost();
    };
  }, [isTyped]);
}
