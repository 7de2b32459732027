// Run with NODE_OPTIONS=--experimental-vm-modules (npm test does).
const common = {
  extensionsToTreatAsEsm: ['.ts'],
  // The compiler rewrites ./x.ts to ./x.js, which is not there in a test run.
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: { '^.+\\.ts$': ['ts-jest', { useESM: true, tsconfig: 'tsconfig.json', diagnostics: false }] },
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
