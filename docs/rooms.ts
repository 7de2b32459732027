/** The picture of docs/architecture.md: which room of src imports from which, made of the imports by `npm run docs`. */
import { cruise, type ICruiseResult } from 'dependency-cruiser';
import { rooms } from '../.dependency-cruiser.mjs';

const begin = '<!-- rooms: made by `npm run docs`; changes by hand are lost. -->';
const end = '<!-- /rooms -->';

const roomOf = (path: string): string | undefined =>
  path === 'src/main.ts' ? 'main' : /^src\/([^/]+)\//.exec(path)?.[1];

/** Has for each room those that it imports from. */
async function importsOfRooms(): Promise<Map<string, Set<string>>> {
  const { output } = await cruise(['src'], { tsPreCompilationDeps: true, doNotFollow: { path: 'node_modules' } });
  const found = new Map<string, Set<string>>();
  for (const { source, dependencies } of (output as ICruiseResult).modules) {
    const from = roomOf(source);
    if (from === undefined) continue;
    const own = found.get(from) ?? new Set();
    found.set(from, own);
    for (const { resolved } of dependencies) {
      const to = roomOf(resolved);
      if (to !== undefined && to !== from) own.add(to);
    }
  }

  return found;
}

/** Rooms that are reached from this one by more than one arrow need none of their own. */
function withoutDetours(imports: ReadonlyMap<string, ReadonlySet<string>>): [string, string][] {
  const reached = (room: string): Set<string> =>
    new Set([...(imports.get(room) ?? [])].flatMap((next) => [next, ...reached(next)]));

  return [...imports].flatMap(([from, direct]) => {
    const beyond = new Set([...direct].flatMap((next) => [...reached(next)]));
    return [...direct].filter((to) => !beyond.has(to)).map((to): [string, string] => [from, to]);
  });
}

const placeOf = (room: string): number => (room === 'main' ? rooms.length : rooms.indexOf(room));

/** The picture, as Mermaid between its two marks. */
export async function roomPicture(): Promise<string> {
  const arrows = withoutDetours(await importsOfRooms()).toSorted(
    ([one, to], [other, otherTo]) => placeOf(other) - placeOf(one) || placeOf(otherTo) - placeOf(to),
  );
  // `call` is a word of Mermaid, so a room's name is only the label of its node.
  const node = (room: string): string => `room_${room}["${room}"]`;
  const lines = arrows.map(([from, to]) => `  ${node(from)} --> ${node(to)}`);

  return [begin, '', '```mermaid', 'flowchart TD', ...lines, '```', '', end].join('\n');
}

/** The page with this picture in the place of its own. Throws an Error where it has no place for one. */
export function withPicture(page: string, picture: string): string {
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from === -1 || to === -1) throw new Error('docs/architecture.md has no place for the picture of the rooms');

  return page.slice(0, from) + picture + page.slice(to + end.length);
}
