import { endpointOf, leadsOutside } from '../../../../src/call/plan/dialString.ts';

const isStaff = (endpoint: string): boolean => ['101', 'proxy'].includes(endpoint);

test.each([
  ['PJSIP/+3221234567@trunk', 'trunk'],
  ['PJSIP/trunk/sip:+3221234567@carrier.example', 'trunk'],
  ['PJSIP/trunk/sip:0470123456@carrier.example', 'trunk'],
  ['PJSIP/trunk/sip:02-123.45.67@carrier', 'trunk'],
  ['PJSIP/trunk/sip:%2B3221234567@carrier', 'trunk'],
  ['PJSIP/trunk/sip:021234567#@carrier', 'trunk'],
  ['PJSIP/trunk/sip:021234567:word@carrier', 'trunk'],
  ['PJSIP/trunk/tel:+32-2-123-45-67', 'trunk'],
  ['SIP/trunk/0470123456', 'trunk'],
  ['SIP/0470123456@trunk', 'trunk'],
  ['IAX2/office/200', 'office'],
  ['IAX2/me:word@office/200', 'office'],
  ['DAHDI/g1/021234567', 'g1'],
  ['DAHDI/R2', 'R2'],
  ['DAHDI/1/021234567', '1'],
  ['PJSIP/100@trunk', 'trunk'],
  ['PJSIP/+3221234567@proxy', 'proxy'],
  ['PJSIP/021234567@101', '101'],
])('%s dials somebody outside, by %s', (dialString, endpoint) => {
  expect(leadsOutside(dialString, isStaff)).toBe(true);
  expect(endpointOf(dialString)).toBe(endpoint);
});

test.each([
  ['PJSIP/100', '100'],
  ['PJSIP/100/sip:100@192.0.2.7:5060', '100'],
  ['PJSIP/100/sip:x7f3k2@192.0.2.7;transport=ws', '100'],
  ['PJSIP/100/sip:192.168.100.200', '100'],
  ['PJSIP/desk-021234567/sip:desk%2D021234567@192.0.2.7', 'desk-021234567'],
  ['PJSIP/021234567/sip:02-123-45-67@192.0.2.7', '021234567'],
  ['SIP/100', '100'],
  ['IAX2/100', '100'],
  ['DAHDI/5', '5'],
  // The endpoint is one of the staff.
  ['PJSIP/101@proxy', 'proxy'],
  ['PJSIP/101/sip:+3221234567@192.0.2.7', '101'],
])('%s is a telephone of the house: %s', (dialString, endpoint) => {
  expect(leadsOutside(dialString, isStaff)).toBe(false);
  expect(endpointOf(dialString)).toBe(endpoint);
});

test.each(['Local/+3221234567@out', 'Local/100@ring/n', 'local/x@y'])(
  '%s leads into the dialplan, and nobody knows where to',
  (dialString) => {
    expect(leadsOutside(dialString, isStaff)).toBe(false);
    expect(endpointOf(dialString)).toBeUndefined();
  },
);
