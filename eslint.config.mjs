import tseslint from 'typescript-eslint';

const forms = [
  { selector: 'ExportDefaultDeclaration', message: 'No default export: a thing has one name everywhere.' },
  { selector: 'ExportAllDeclaration', message: 'No barrel file.' },
];

export default tseslint.config(
  { ignores: ['dist/', 'node_modules/', 'coverage/'] },
  { files: ['**/*.{ts,tsx}'], extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked] },
  {
    files: ['**/*.{ts,tsx}'],
    // Not projectService: it loads the whole program a second time for a file with a shebang (src/main.ts).
    languageOptions: {
      parserOptions: { project: ['./tsconfig.json', './console/tsconfig.json'], tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: false }],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/consistent-type-definitions': 'off',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      'no-restricted-syntax': ['error', ...forms],
      'no-console': 'error',
    },
  },
  { files: ['lab/**/*.ts', 'bench/**/*.ts', 'src/main.ts', 'src/cli/**/*.ts'], rules: { 'no-console': 'off' } },
  {
    files: ['src/**/*.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        ...forms,
        {
          selector: "MemberExpression[object.name='AbortSignal'][property.name='timeout']",
          message:
            'Node collects it as garbage behind AbortSignal.any, and it never fires: timeLimit of src/core/timeLimit.ts.',
        },
      ],
    },
  },
  {
    files: ['src/**/*.ts', 'console/src/**/*.{ts,tsx}'],
    // Blank lines and comments do not count. Where one is longer, the comment that allows it says why in one sentence.
    rules: {
      'max-lines': ['error', { max: 400, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': ['error', { max: 60, skipBlankLines: true, skipComments: true }],
    },
  },
  // All that the console says in a language is in one file, to be read from top to bottom.
  { files: ['console/src/messages/*.ts'], rules: { 'max-lines': 'off' } },
);
