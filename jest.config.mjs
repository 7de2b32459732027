// Run with NODE_OPTIONS=--experimental-vm-modules (npm test does).
const common = {
  extensionsToTreatAsEsm: ['.ts'],
  // Types are only taken away here, as Node itself would; `npm run typecheck` looks at them.
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        swcrc: false,
        jsc: {
          target: 'es2023',
          parser: { syntax: 'typescript' },
          transform: { verbatimModuleSyntax: true },
        },
      },
    ],
  },
};

export default {
  // Failures are printed where they happen; our reporter lists their files, so jest's list of a thousand lines is left out.
  reporters: ['default', ['summary', { summaryThreshold: 100_000 }], '<rootDir>/test/run/reporter.mjs'],
  testSequencer: '<rootDir>/test/run/sequencer.mjs',
  globalSetup: '<rootDir>/test/run/setUp.mjs',
  globalTeardown: '<rootDir>/test/run/tearDown.mjs',
  // Most of the time of acceptance tests is waiting for calls and timers. With six on two processors a run was hardly shorter, since it
  // computes for as long, and the lab was late more often.
  maxWorkers: 4,
  // Jest keeps the modules of every file until its worker ends; freeing them takes longer than the default of 500 ms.
  workerGracefulExitTimeout: 10_000,
  // Real servers on a busy machine; tests wait by polling, so a fast one stays fast. Some place two rounds of calls, one after the
  // other, and each round again when the lab was late (test/support/rig/onTime.ts).
  testTimeout: 360_000,
  projects: ['unit', 'integration', 'acceptance'].map((kind) => ({
    ...common,
    testEnvironment: '<rootDir>/test/run/environment.mjs',
    displayName: kind,
    testMatch: [`<rootDir>/test/${kind}/**/*.test.ts`],
  })),
};
