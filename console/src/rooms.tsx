import { useEffect, useId, useRef, useState } from 'preact/hooks';
import type { Messages } from './messages/en.ts';
import { Link, usePlace } from './router.tsx';
import { useSpeech } from './text/say.tsx';
import { Icon } from './ui/icon.tsx';
import { useMe } from './who.ts';
import type { Me } from '../../src/web/routes/session.ts';

/** Where one can go: the pages whose answers the API gives to this role. */

type Act = Me['acts'][number];
type Room = { href: string; name: string };

/** Retention is for who looks after recordings: a coach sees what is in force, and nothing that is due. */
export const mayLookAfter = (acts: readonly Act[]): boolean =>
  acts.includes('list') && (acts.includes('hold') || acts.includes('readReport'));

function roomsOf(acts: readonly Act[], say: Messages): Room[] {
  const rooms = [
    { href: '/calls', name: say.app.calls, isThere: acts.includes('list') },
    { href: '/collections', name: say.app.collections, isThere: acts.includes('list') },
    { href: '/live', name: say.app.live, isThere: acts.includes('seeLive') },
    { href: '/unrecorded', name: say.app.unrecorded, isThere: acts.includes('readReport') },
    { href: '/figures', name: say.app.figures, isThere: acts.includes('readReport') },
    { href: '/retention', name: say.retention.title, isThere: mayLookAfter(acts) },
    { href: '/persons', name: say.persons.menu, isThere: acts.includes('answerPersons') },
    { href: '/approvals', name: say.approvals.title, isThere: acts.includes('askApproval') },
    { href: '/audit', name: say.trail.title, isThere: acts.includes('readAudit') },
    { href: '/system', name: say.app.system, isThere: acts.includes('readSystem') },
  ];

  return rooms.filter(({ isThere }) => isThere);
}

const isHere = (path: string, href: string): boolean =>
  path === href || path.startsWith(`${href}/`) || (path === '/' && href === '/calls');

/** Closes what is open with a press elsewhere, with Escape, and with the way to another page. */
function useClosing(isOpen: boolean, box: { current: HTMLElement | null }, close: () => void): void {
  useEffect(() => {
    if (!isOpen) return undefined;
    const press = ({ target }: PointerEvent): void => {
      if (target instanceof Node && box.current?.contains(target) !== true) close();
    };
    const key = (event: KeyboardEvent): void => {
      if (event.key !== 'Escape') return;
      close();
      box.current?.querySelector('button')?.focus();
    };
    addEventListener('pointerdown', press);
    addEventListener('keydown', key);

    return () => {
      removeEventListener('pointerdown', press);
      removeEventListener('keydown', key);
    };
  }, [isOpen]);
}

/** In a row where there is room; in a list behind the name of this page where there is not. */
export function Navigation() {
  const { say } = useSpeech();
  const { acts } = useMe();
  const { path } = usePlace();
  const [isOpen, setOpen] = useState(false);
  const box = useRef<HTMLElement>(null);
  const list = useId();
  const close = (): void => {
    setOpen(false);
  };
  useEffect(close, [path]);
  useClosing(isOpen, box, close);
  const rooms = roomsOf(acts, say);
  const here = rooms.find(({ href }) => isHere(path, href));

  return (
    <nav ref={box} class={rooms.length > 5 ? 'rooms rooms-many' : 'rooms'} aria-label={say.app.navigation}>
      <button
        type="button"
        class="rooms-open"
        aria-expanded={isOpen}
        aria-controls={list}
        onClick={() => {
          setOpen(!isOpen);
        }}
      >
        <Icon name="menu" />
        {here?.name ?? say.app.menu}
      </button>
      <ul id={list} class={isOpen ? 'is-open' : undefined}>
        {rooms.map(({ href, name }) => (
          <li key={href}>
            <Link href={href} aria-current={here?.href === href ? 'page' : undefined}>
              {name}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  );
}
