import { userInfo } from 'node:os';
import { operatorOf } from '../../../src/commands/operator.ts';

const account = `user ${userInfo().username}`;

describe('who runs a command', () => {
  test('is the account of the process', () => {
    expect(operatorOf({})).toBe(account);
  });

  test.each(['alice', 'EXAMPLE\\alice', 'alice@example.com', 'svc-1$'])('is %s behind sudo', (name) => {
    expect(operatorOf({ SUDO_USER: name })).toBe(`${account}, by sudo from ${name}`);
  });

  test.each(['', 'a b', 'alice\nserve', '-x', 'x'.repeat(65)])(
    'repeats no other text of the environment: %j',
    (name) => {
      expect(operatorOf({ SUDO_USER: name })).toBe(account);
    },
  );
});
