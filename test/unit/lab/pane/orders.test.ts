import { orderHelp, parseOrder } from '../../../../lab/pane/orders.ts';

test.each([
  ['c', { do: 'call', to: '100', from: undefined }],
  [' c  200 ', { do: 'call', to: '200', from: undefined }],
  ['c 200 +3232000000', { do: 'call', to: '200', from: '+3232000000' }],
  ['*9', { do: 'press', keys: '*9' }],
  ['h', { do: 'hangUp' }],
  ['u', { do: 'upload' }],
  ['r', { do: 'restart' }],
  ['?', { do: 'help' }],
  ['q', { do: 'quit' }],
  ['', { do: 'nothing' }],
])('%j is an order', (line, order) => {
  expect(parseOrder(line)).toEqual(order);
});

test.each(['x', 'quit', 'h now', '9 9', 'c 1;0', 'c 100 <script>', 'c 100 +32 more', 'c 100 "Ann"'])(
  '%j is refused with a sentence',
  (line) => {
    expect(parseOrder(line)).toEqual({ do: 'refuse', problem: expect.stringMatching(/^[A-Z].*\.$/) as string });
  },
);

test('the list of keys names every order', () => {
  const named = orderHelp.map((line) => parseOrder(line.split(/[ ,]/)[0] ?? '').do);
  expect(new Set(named)).toEqual(new Set(['call', 'hangUp', 'press', 'upload', 'restart', 'help', 'quit']));
});
