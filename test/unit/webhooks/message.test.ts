import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { webhookKey } from '../../../src/config/webhookSchema.ts';
import { headersOf, testMessage } from '../../../src/webhooks/message.ts';
import { anyCodePoint } from '../../support/hostileValues.ts';
import { isSigned, webhookSecret } from '../../support/webhookReceiver.ts';

const at = Date.UTC(2026, 10, 26, 9, 0, 0, 750);

function keyOf(secret: string): Buffer {
  const key = webhookKey(secret);
  if (key === undefined) throw new Error('not a secret');

  return key;
}

describe('a signed message', () => {
  test('is the example that Standard Webhooks gives', () => {
    // The one of its specification: id, time, body, secret and signature are public.
    const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
    const message = { id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', body: '{"test": 2432232314}' };
    expect(headersOf(message, keyOf(secret), 1_614_265_330_000)).toEqual({
      'content-type': 'application/json',
      'user-agent': 'preavis',
      'webhook-id': message.id,
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    });
  });

  test('is verified by code that knows only the convention, and no longer when anything of it is changed', () => {
    fc.assert(
      fc.property(fc.string({ unit: anyCodePoint }), fc.uint8Array({ minLength: 24, maxLength: 64 }), (body, bytes) => {
        const secret = `whsec_${Buffer.from(bytes).toString('base64')}`;
        const message = { id: 'msg_1', body };
        const headers = headersOf(message, keyOf(secret), at);
        expect(isSigned({ headers, body }, secret, at)).toBe(true);
        expect(isSigned({ headers, body: `${body} ` }, secret, at)).toBe(false);
        expect(isSigned({ headers: { ...headers, 'webhook-id': 'msg_2' }, body }, secret, at)).toBe(false);
        expect(isSigned({ headers, body }, webhookSecret, at)).toBe(false);
        expect(isSigned({ headers, body }, secret, at + 600_000)).toBe(false);
      }),
    );
  });

  test('is verified by the openssl command, as docs/operations/webhooks.md shows it', () => {
    const secret = `whsec_${randomBytes(32).toString('base64')}`;
    const message = testMessage('msg_of_a_test', at);
    const headers = headersOf(message, keyOf(secret), at);
    const script = `
      key=$(printf %s "$SECRET" | cut -c7- | base64 -d | od -An -v -tx1 | tr -d ' \\n')
      printf '%s.%s.%s' "$ID" "$TIMESTAMP" "$BODY" | openssl dgst -sha256 -mac HMAC -macopt "hexkey:$key" -binary | base64`;
    const signature = execFileSync('sh', ['-c', script], {
      env: {
        PATH: process.env['PATH'],
        SECRET: secret,
        ID: message.id,
        TIMESTAMP: headers['webhook-timestamp'],
        BODY: message.body,
      },
      encoding: 'utf8',
    });
    expect(headers['webhook-signature']).toBe(`v1,${signature.trim()}`);
  });
});
