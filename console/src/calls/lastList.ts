/** The list that somebody came from, for the way back to it; of this visit alone. */
let last = '/calls';

export function rememberList(address: string): void {
  last = address;
}

export const lastList = (): string => last;
