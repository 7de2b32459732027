import { makePendingSignIns, pendingSeconds } from '../../../src/access/pendingSignIn.ts';

const pending = { state: 's', nonce: 'n', verifier: 'v', to: '/' };
const begunAt = Date.UTC(2026, 10, 30);

test('a sign-in that goes on at the provider counts for ten minutes, and not for longer where the clock is set back', async () => {
  const clock = { at: begunAt, now: () => clock.at };
  const pendings = makePendingSignIns(clock, 'k'.repeat(43));
  const sealed = await pendings.seal(pending);
  clock.at = begunAt - 600_000;
  expect(await pendings.open(sealed)).toEqual(pending);
  clock.at = begunAt + (pendingSeconds - 1) * 1_000;
  expect(await pendings.open(sealed)).toEqual(pending);
  for (const at of [begunAt + pendingSeconds * 1_000, begunAt - 600_001 - 1_000, 0]) {
    clock.at = at;
    await expect(pendings.open(sealed)).rejects.toMatchObject({ code: 'sign_in_expired' });
  }
});
