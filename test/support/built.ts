/** The address of a module of the build, for programs that import it: Node runs it as it is, and nothing is compiled. */
export function built(module: string): string {
  return new URL(`../../dist/${module}`, import.meta.url).href;
}
