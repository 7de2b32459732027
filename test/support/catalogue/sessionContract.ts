import { clockAt } from './catalogues.ts';
import type { TestDatabase } from './databases.ts';

/** Sessions of who is signed in, whatever database keeps them. */
export function sessionContract(newDatabase: () => TestDatabase): void {
  const fresh = () => newDatabase().connect(clockAt(0));
  const session = (sha256: string, user: string, beganAt = 100, endsAt = 1_000) => ({
    sha256,
    user,
    credential: 'c',
    beganAt,
    endsAt,
  });

  test('a session is found by the hash of its word, and when it was used last', async () => {
    const { sessions } = await fresh();
    await sessions.begin(session('a', 'anna'));
    expect(await sessions.find('a')).toEqual({ ...session('a', 'anna'), seenAt: 100 });
    await sessions.noteSeen('a', 300);
    await sessions.noteSeen('a', 200);
    expect(await sessions.find('a')).toMatchObject({ seenAt: 300 });
    expect(await sessions.find('b')).toBeUndefined();
  });

  test('one session of a user is ended, or all of theirs, and those of others stay', async () => {
    const { sessions } = await fresh();
    for (const each of [
      session('a', 'anna'),
      session('b', 'anna', 101),
      session('c', 'anna', 102),
      session('d', 'ben'),
    ]) {
      await sessions.begin(each);
    }
    expect(await sessions.end('a')).toBe(true);
    expect(await sessions.end('a')).toBe(false);
    expect((await sessions.list('anna')).map(({ sha256 }) => sha256)).toEqual(['b', 'c']);
    expect(await sessions.endAll('anna')).toBe(2);
    expect((await sessions.list()).map(({ sha256 }) => sha256)).toEqual(['d']);
  });

  test('sessions that have ended, are not used, or began before the clock was set back are swept', async () => {
    const { sessions } = await fresh();
    await sessions.begin(session('over', 'anna', 100, 500));
    await sessions.begin(session('idle', 'anna', 200));
    await sessions.begin(session('used', 'anna', 200));
    await sessions.noteSeen('used', 450);
    await sessions.begin(session('ahead', 'anna', 901, 5_000));
    expect(await sessions.sweep(500, 200, 900)).toBe(3);
    expect((await sessions.list()).map(({ sha256 }) => sha256)).toEqual(['used']);
  });
}
