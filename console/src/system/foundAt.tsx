import { useEffect, useState } from 'preact/hooks';
import { fill } from '../text/fill.ts';
import { useSpeech } from '../text/say.tsx';

/** What was found longer ago says how it was, and not how it is, ms. */
const oldAfterMs = 2 * 60_000;
const lookEachMs = 1_000;

/** @param iso when it was found; counted from when it came, since the clock of this computer may be another one, and may have slept meanwhile */
export function useIsOld(iso: string | undefined): boolean {
  const [isOld, setOld] = useState(false);
  useEffect(() => {
    setOld(false);
    if (iso === undefined) return undefined;
    const came = Date.now();
    const timer = setInterval(() => {
      setOld(Date.now() - came >= oldAfterMs);
    }, lookEachMs);

    return () => {
      clearInterval(timer);
    };
  }, [iso]);

  return isOld;
}

export function FoundAt({ iso, isOld }: { iso: string; isOld: boolean }) {
  const { say, format } = useSpeech();
  const { checkedAt, oldAt, oldHelp } = say.system;

  return (
    <p class={isOld ? 'note' : 'quiet small'} role={isOld ? 'status' : undefined}>
      <time dateTime={iso}>
        {isOld ? fill(oldAt, { time: format.dayAndTime(iso) }) : fill(checkedAt, { time: format.clock(iso) })}.
      </time>
      {isOld && ` ${oldHelp}`}
    </p>
  );
}
