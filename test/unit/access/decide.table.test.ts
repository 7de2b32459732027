import { acts, type Actor, type Subject } from '../../../src/access/actor.ts';
import { decideAccess, type Refusal } from '../../../src/access/decide.ts';
import { roles } from '../../../src/config/roles.ts';
import { actor, at, purposeOfAll, subject } from '../../support/access/subjects.ts';

/** What a letter of the table means. */
const letters: Readonly<Record<Refusal | 'allowed', string>> = {
  allowed: 'y',
  role: '.',
  outOfScope: 's',
  wholeScope: 'w',
  notNamed: 'n',
  purposeOver: 'o',
  approvalNeeded: 'a',
  approvalNotNeeded: 'x',
  unfinished: 'u',
  unusable: 'b',
  gone: 'g',
};

/** The columns, in the order of the acts: each letter below stands under the first of its act. */
const columns = `
             list read listen download makeEvidence searchByNumber annotate hold release erase answerPersons readAudit readReport readSystem seeLive actOnCall askApproval approve manageAccess`;

const everything = `
  coach:     y    y    y      .        .            .              y        .    .       .     .             .         .          .          y       .         x           .       .
  legal:     y    y    y      y        y            y              y        y    y       .     .             .         .          .          .       .         x           y       .
  officer:   y    y    y      y        y            y              y        y    y       y     y             y         y          .          .       .         x           y       .
  operator:  y    y    y      .        .            .              .        .    .       .     .             .         y          y          y       y         x           .       .
  auditor:   y    y    y      .        .            .              .        .    .       .     .             y         y          .          .       .         x           .       .
  admin:     .    .    .      .        .            .              .        .    .       .     .             .         y          y          .       .         .           .       y`;

const nothing = `
  coach:     s    s    s      .        .            .              s        .    .       .     .             .         .          .          s       .         s           .       .
  legal:     s    s    s      s        s            s              s        s    s       .     .             .         .          .          .       .         s           s       .
  officer:   s    s    s      s        s            s              s        s    s       s     s             s         s          .          .       .         s           s       .
  operator:  s    s    s      .        .            .              .        .    .       .     .             .         s          s          s       s         s           .       .
  auditor:   s    s    s      .        .            .              .        .    .       .     .             s         s          .          .       .         s           .       .
  admin:     .    .    .      .        .            .              .        .    .       .     .             .         s          s          .       .         .           .       s`;

const gone = `
  coach:     y    y    g      .        .            .              g        .    .       .     .             .         .          .          y       .         g           .       .
  legal:     y    y    g      g        g            y              g        g    y       .     .             .         .          .          .       .         g           g       .
  officer:   y    y    g      g        g            y              g        g    y       g     y             y         y          .          .       .         g           g       .
  operator:  y    y    g      .        .            .              .        .    .       .     .             .         y          y          y       y         g           .       .
  auditor:   y    y    g      .        .            .              .        .    .       .     .             y         y          .          .       .         g           .       .
  admin:     .    .    .      .        .            .              .        .    .       .     .             .         y          y          .       .         .           .       y`;

const toBeApproved = `
  coach:     y    y    a      .        .            .              y        .    .       .     .             .         .          .          y       .         y           .       .
  legal:     y    y    a      a        a            y              y        y    y       .     .             .         .          .          .       .         y           y       .
  officer:   y    y    a      a        a            y              y        y    y       y     y             y         y          .          .       .         y           y       .
  operator:  y    y    a      .        .            .              .        .    .       .     .             .         y          y          y       y         y           .       .
  auditor:   y    y    a      .        .            .              .        .    .       .     .             y         y          .          .       .         y           .       .
  admin:     .    .    .      .        .            .              .        .    .       .     .             .         y          y          .       .         .           .       y`;

const ofNoRecording = `
  coach:     y    s    s      .        .            .              s        .    .       .     .             .         .          .          y       .         s           .       .
  legal:     y    s    s      s        s            y              s        s    s       .     .             .         .          .          .       .         s           y       .
  officer:   y    s    s      s        s            y              s        s    s       s     y             y         y          .          .       .         s           y       .
  operator:  y    s    s      .        .            .              .        .    .       .     .             .         y          y          y       s         s           .       .
  auditor:   y    s    s      .        .            .              .        .    .       .     .             y         y          .          .       .         s           .       .
  admin:     .    .    .      .        .            .              .        .    .       .     .             .         y          y          .       .         .           .       y`;

const ofNoRecordingInAScope = `
  coach:     y    s    s      .        .            .              s        .    .       .     .             .         .          .          y       .         s           .       .
  legal:     y    s    s      s        s            y              s        s    s       .     .             .         .          .          .       .         s           y       .
  officer:   y    s    s      s        s            y              s        s    s       s     w             w         w          .          .       .         s           y       .
  operator:  y    s    s      .        .            .              .        .    .       .     .             .         w          w          y       s         s           .       .
  auditor:   y    s    s      .        .            .              .        .    .       .     .             w         w          .          .       .         s           .       .
  admin:     .    .    .      .        .            .              .        .    .       .     .             .         w          w          .       .         .           .       w`;

/** What can be taken apart by companies is asked of one by its name. */
const ofNoRecordingOfSomeCompanies = `
  coach:     y    s    s      .        .            .              s        .    .       .     .             .         .          .          y       .         s           .       .
  legal:     y    s    s      s        s            y              s        s    s       .     .             .         .          .          .       .         s           y       .
  officer:   y    s    s      s        s            y              s        s    s       s     y             w         y          .          .       .         s           y       .
  operator:  y    s    s      .        .            .              .        .    .       .     .             .         y          w          y       s         s           .       .
  auditor:   y    s    s      .        .            .              .        .    .       .     .             w         y          .          .       .         s           .       .
  admin:     .    .    .      .        .            .              .        .    .       .     .             .         y          w          .       .         .           .       w`;

const notNamed = `
  coach:     s    s    s      .        .            .              s        .    .       .     .             .         .          .          s       .         s           .       .
  legal:     s    s    s      s        s            s              s        s    s       .     .             .         .          .          .       .         s           s       .
  officer:   y    y    n      n        n            y              y        y    y       y     y             y         y          .          .       .         n           y       .
  operator:  y    y    n      .        .            .              .        .    .       .     .             .         y          y          y       y         n           .       .
  auditor:   y    y    n      .        .            .              .        .    .       .     .             y         y          .          .       .         n           .       .
  admin:     .    .    .      .        .            .              .        .    .       .     .             .         y          y          .       .         .           .       y`;

const over = `
  coach:     s    s    s      .        .            .              s        .    .       .     .             .         .          .          s       .         s           .       .
  legal:     s    s    s      s        s            s              s        s    s       .     .             .         .          .          .       .         s           s       .
  officer:   y    y    o      o        o            y              y        y    y       y     y             y         y          .          .       .         o           y       .
  operator:  y    y    o      .        .            .              .        .    .       .     .             .         y          y          y       y         o           .       .
  auditor:   y    y    o      .        .            .              .        .    .       .     .             y         y          .          .       .         o           .       .
  admin:     .    .    .      .        .            .              .        .    .       .     .             .         y          y          .       .         .           .       y`;

const unfinished = `
  coach:     y    y    u      .        .            .              y        .    .       .     .             .         .          .          y       .         u           .       .
  legal:     y    y    u      u        u            y              y        y    y       .     .             .         .          .          .       .         u           y       .
  officer:   y    y    u      u        u            y              y        y    y       u     y             y         y          .          .       .         u           y       .
  operator:  y    y    u      .        .            .              .        .    .       .     .             .         y          y          y       y         u           .       .
  auditor:   y    y    u      .        .            .              .        .    .       .     .             y         y          .          .       .         u           .       .
  admin:     .    .    .      .        .            .              .        .    .       .     .             .         y          y          .       .         .           .       y`;

const unusable = `
  coach:     y    y    b      .        .            .              y        .    .       .     .             .         .          .          y       .         b           .       .
  legal:     y    y    b      b        b            y              y        y    y       .     .             .         .          .          .       .         b           y       .
  officer:   y    y    b      b        b            y              y        y    y       y     y             y         y          .          .       .         b           y       .
  operator:  y    y    b      .        .            .              .        .    .       .     .             .         y          y          y       y         b           .       .
  auditor:   y    y    b      .        .            .              .        .    .       .     .             y         y          .          .       .         b           .       .
  admin:     .    .    .      .        .            .              .        .    .       .     .             .         y          y          .       .         .           .       y`;

/** The scopes of an actor, the call or recording, and what may be done then. */
const situations: [string, Partial<Actor>, Subject | undefined, string][] = [
  ['a recording in the archive', {}, subject(), everything],
  ['a recording in the spool', {}, subject({ status: 'recorded' }), everything],
  ['no recording', {}, undefined, ofNoRecording],
  ['no recording, of some lines', { lines: ['sales'] }, undefined, ofNoRecordingInAScope],
  ['no recording, of some companies', { controllers: ['acme'] }, undefined, ofNoRecordingOfSomeCompanies],
  ['no recording, of some extensions', { extensions: ['101'] }, undefined, ofNoRecordingInAScope],
  ['no recording, of some purposes', { purposes: ['training'] }, undefined, ofNoRecordingInAScope],
  ['their line', { lines: ['sales'] }, subject(), everything],
  ['their company', { controllers: ['acme'] }, subject(), everything],
  ['the company itself', { controllers: ['own'] }, subject({ controller: null }), everything],
  ['their extension', { extensions: ['101'] }, subject(), everything],
  ['their purpose', { purposes: ['training'] }, subject(), everything],
  ['another line', { lines: ['support'] }, subject(), nothing],
  ['no line of all', { lines: [] }, subject(), nothing],
  ['a call of no line', { lines: ['sales'] }, subject({ line: null }), nothing],
  ['another company', { controllers: ['own', 'other'] }, subject(), nothing],
  ['a call of the company itself', { controllers: ['acme'] }, subject({ controller: null }), nothing],
  ['a call of who knows which company', { controllers: ['own', 'acme'] }, subject({ controller: undefined }), nothing],
  ['another extension', { extensions: ['102'] }, subject(), nothing],
  ['a call of no extension', { extensions: ['101'] }, subject({ extension: null }), nothing],
  ['another purpose', { purposes: ['evidence'] }, subject(), nothing],
  ['their purpose on another line', { purposes: ['training'], lines: ['support'] }, subject(), nothing],
  [
    'a purpose of theirs beside another one',
    { purposes: ['training'] },
    subject({ purposes: [purposeOfAll({ name: 'evidence' }), purposeOfAll()] }),
    everything,
  ],
  ['a purpose that names nobody', {}, subject({ purposes: [purposeOfAll({ mayListen: [] })] }), notNamed],
  [
    'a purpose that names nobody beside one that is not theirs',
    { purposes: ['evidence'] },
    subject({ purposes: [purposeOfAll({ name: 'evidence', mayListen: [] }), purposeOfAll()] }),
    notNamed,
  ],
  ['a purpose that ends at this moment', {}, subject({ purposes: [purposeOfAll({ keepUntil: at })] }), over],
  [
    'a purpose that has ended beside one that names nobody',
    {},
    subject({ purposes: [purposeOfAll({ keepUntil: at }), purposeOfAll({ name: 'evidence', mayListen: [] })] }),
    over,
  ],
  ['a recording that runs', {}, subject({ status: 'recording' }), unfinished],
  ['a recording that failed', {}, subject({ status: 'failed' }), unusable],
  ['a recording that was erased', {}, subject({ status: 'erased' }), gone],
  ['a recording that was discarded', {}, subject({ status: 'discarded' }), gone],
  ['a recording that is lost', {}, subject({ status: 'lost' }), gone],
  ['a call without a recording', {}, subject({ status: 'none' }), gone],
  ['a purpose on approval', {}, subject({ purposes: [purposeOfAll({ needsApproval: true })] }), toBeApproved],
  [
    'an approval',
    {},
    subject({
      purposes: [purposeOfAll({ needsApproval: true })],
      approvals: [{ purpose: 'training', since: at, until: at + 1 }],
    }),
    everything,
  ],
  [
    'an approval that ends at this moment',
    {},
    subject({
      purposes: [purposeOfAll({ needsApproval: true })],
      approvals: [{ purpose: 'training', since: at, until: at }],
    }),
    toBeApproved,
  ],
  [
    'an approval that was given before the clock was set back',
    {},
    subject({
      purposes: [purposeOfAll({ needsApproval: true })],
      approvals: [{ purpose: 'training', since: at + 600_001, until: at + 700_000 }],
    }),
    toBeApproved,
  ],
  [
    'an approval for another purpose',
    {},
    subject({
      purposes: [purposeOfAll({ needsApproval: true })],
      approvals: [{ purpose: 'evidence', since: at, until: at + 1 }],
    }),
    toBeApproved,
  ],
  [
    'an approval whose purpose has ended',
    {},
    subject({
      purposes: [purposeOfAll({ needsApproval: true, keepUntil: at })],
      approvals: [{ purpose: 'training', since: at, until: at + 1 }],
    }),
    over,
  ],
];

test.each(situations)('each role may do with %s what the table says', (_, scopes, asked, table) => {
  expect(columns.split(/\s+/).filter((word) => word !== '')).toEqual(acts);
  const expected = table
    .trim()
    .split('\n')
    .map((line) => line.trim().replaceAll(/ +/g, ' '));
  const decided = roles.map((role) => {
    const cells = acts.map((act) => {
      const decision = decideAccess(actor({ ...scopes, role }), act, asked, at);
      return letters[decision.allowed ? 'allowed' : decision.reason];
    });

    return `${role}: ${cells.join(' ')}`;
  });
  expect(decided).toEqual(expected);
});

test('whoever may hear a recording is told by which purposes, and until when', () => {
  const asked = subject({
    purposes: [
      purposeOfAll({ keepUntil: at + 5 }),
      purposeOfAll({ name: 'quality', keepUntil: at + 9, needsApproval: true }),
      purposeOfAll({ name: 'evidence', mayListen: ['legal'] }),
      purposeOfAll({ name: 'over', keepUntil: at }),
    ],
    approvals: [
      { purpose: 'quality', since: at, until: at + 3 },
      { purpose: 'quality', since: at, until: at + 7 },
      { purpose: 'quality', since: at + 600_001, until: at + 8 },
    ],
  });
  expect(decideAccess(actor(), 'listen', asked, at)).toEqual({
    allowed: true,
    by: [
      { purpose: 'training', until: at + 5 },
      { purpose: 'quality', until: at + 7 },
    ],
  });
});
