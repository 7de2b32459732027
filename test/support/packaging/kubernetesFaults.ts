import { createRequire } from 'node:module';
import { join } from 'node:path';
import ts from 'typescript';

/** What is wrong with objects of Kubernetes by its own schema, and by its types, which know no other keys. */

const root = join(import.meta.dirname, '..', '..', '..');
const require = createRequire(import.meta.url);

export type KubernetesObject = { apiVersion: string; kind: string; metadata: { name: string } };

type Validated = { validate: () => void };
type Models = Readonly<Record<string, new (data: object) => Validated>>;

/** `apps/v1` has a module of its own; `policy/v1` too; `v1` is the core. */
const moduleOf = (apiVersion: string): string => `kubernetes-models/${apiVersion}`;

/** By the schema: kinds of values, what is missing, and values that are none of a list. It lets other keys pass. */
function bySchema(object: KubernetesObject): string[] {
  const models = require(moduleOf(object.apiVersion)) as Models;
  const Model = models[object.kind];
  if (Model === undefined) return [`${object.apiVersion} has no ${object.kind}`];
  try {
    new Model(object).validate();
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }

  return [];
}

/** By the types, in which a misspelt key is an error. */
function byTypes(objects: readonly KubernetesObject[]): string[] {
  const name = join(root, 'test', 'objects.ts');
  const text = objects
    .map(
      (object, index) =>
        `import type { I${object.kind} as T${index} } from '${moduleOf(object.apiVersion)}';\n` +
        `export const object${index}: T${index} = ${JSON.stringify(object, undefined, 1)};\n`,
    )
    .join('');
  const options: ts.CompilerOptions = {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    types: [],
    lib: ['lib.es2023.d.ts'],
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    target: ts.ScriptTarget.ES2023,
  };
  const host = ts.createCompilerHost(options);
  const given = ts.createSourceFile(name, text, {
    languageVersion: ts.ScriptTarget.ES2023,
    impliedNodeFormat: ts.ModuleKind.ESNext,
  });
  const withObjects: ts.CompilerHost = {
    ...host,
    getSourceFile: (file, ...rest) => (file === name ? given : host.getSourceFile(file, ...rest)),
    fileExists: (file) => file === name || host.fileExists(file),
  };
  const program = ts.createProgram([name], options, withObjects);

  return ts.getPreEmitDiagnostics(program).map((each) => ts.flattenDiagnosticMessageText(each.messageText, '\n'));
}

/** One sentence for each fault; none where Kubernetes would take them. */
export function kubernetesFaults(objects: readonly KubernetesObject[]): string[] {
  return [...objects.flatMap(bySchema), ...byTypes(objects)];
}
