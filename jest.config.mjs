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
  // Most of a test's time is waiting for calls and timers.
  maxWorkers: 3,
  // Real servers on a busy machine; tests wait by polling, so a fast one stays fast.
  testTimeout: 180_000,
  projects: ['unit', 'integration', 'acceptance'].map((kind) => ({
    ...common,
    displayName: kind,
    testMatch: [`<rootDir>/test/${kind}/**/*.test.ts`],
  })),
};
