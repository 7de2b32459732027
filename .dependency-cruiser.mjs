/** The rooms of src, bottom to top: a room imports from itself and from rooms before it (docs/architecture.md). */
export const rooms = [
  'core',
  'config',
  'prompts',
  'policy',
  'papers',
  'ari',
  'audio',
  'call',
  'dialplan',
  'catalogue',
  'store',
  'receipt',
  'archive',
  'retention',
  'access',
  'evidence',
  'dataSubject',
  'webhooks',
  'services',
  'serve',
  'web',
  'cli',
];

/** The parts of src/call, bottom to top, by the same rule. */
const partsOfCall = ['decide', 'plan', 'watch', 'session', 'promptRecording', 'registry'];

/** Lists of names that the console shows in words. */
const namesAlone =
  '^src/(access/searchGrounds|call/decide/unrecordedReasons|catalogue/(holdGrounds|statuses)|dataSubject/languages)\\.ts$';

const anyOf = (names) => `^src/(${names.join('|')})/`;

export default {
  forbidden: [
    {
      name: 'no-circle',
      comment: 'Files that import each other cannot be read one after the other.',
      severity: 'error',
      from: { path: '^(src|console)/' },
      to: { circular: true },
    },
    {
      name: 'no-file-outside-a-room',
      comment: 'Each file of src but main.ts is in a room of .dependency-cruiser.mjs.',
      severity: 'error',
      from: { path: '^src/', pathNot: [anyOf(rooms), '^src/main\\.ts$'] },
      to: {},
    },
    {
      name: 'src-alone',
      comment: 'The product imports nothing of its tests, its lab or its benchmarks.',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(test|lab|bench|docs|console)/' },
    },
    {
      name: 'console-by-the-api',
      comment: 'The console asks the API. Of src it has types, and lists of names in files that import nothing.',
      severity: 'error',
      from: { path: '^console/' },
      to: { path: '^(src|test|lab|bench|docs)/', pathNot: namesAlone, dependencyTypesNot: ['type-only'] },
    },
    ...rooms.map((room, index) => ({
      name: `upward-from-${room}`,
      comment: `src/${room} imports from rooms below it only (docs/architecture.md).`,
      severity: 'error',
      from: { path: anyOf([room]) },
      to: { path: [anyOf(rooms.slice(index + 1)), '^src/main\\.ts$'] },
    })),
    {
      name: 'no-file-outside-a-part-of-call',
      comment: 'Every file of src/call is in a part of it, so that its place in the order is known.',
      severity: 'error',
      from: { path: '^src/call/', pathNot: `^src/call/(${partsOfCall.join('|')})/` },
      to: {},
    },
    ...partsOfCall.map((part, index) => ({
      name: `upward-from-call-${part}`,
      comment: `src/call/${part} imports from parts of src/call below it only (docs/architecture.md).`,
      severity: 'error',
      from: { path: `^src/call/${part}/` },
      to: { path: '^src/call/', pathNot: `^src/call/(${partsOfCall.slice(0, index + 1).join('|')})/` },
    })),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    detectProcessBuiltinModuleCalls: true,
  },
};
