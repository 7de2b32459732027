/** A number and what it counts: `1 recording`, `2 recordings`. The words may go on, as in `recording waits` and `recordings wait`. */
export function counted(count: number, one: string, several = `${one}s`): string {
  return `${count} ${count === 1 ? one : several}`;
}
