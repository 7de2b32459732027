import * as z from 'zod';
import { PreavisError } from '../../core/errors.ts';
import { collectedPage } from '../annotationSchemas.ts';
import { route, type Route } from '../route.ts';
import { shownRecordingOfList } from '../shown.ts';
import { listedCalls, type ListedCall } from '../subjects.ts';
import { nameGiven } from '../schemas.ts';

/** Where the list of a collection goes on: the position of the last recording that was looked at. */
const positionCursor = z
  .string()
  .regex(/^2\.\d{1,15}$/, 'is not a cursor of this list')
  .transform((text) => Number(text.slice(2)));

/** So many parts of a collection are gone through for one page of what an actor may see. */
const mostRounds = 4;

export const collectionRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/collections/{collection}/recordings',
    summary: 'List the recordings of a collection, in their order',
    act: 'list',
    params: z.strictObject({ collection: nameGiven }),
    query: z.strictObject({
      limit: z.coerce.number().int().min(1).max(200).default(50).describe('At most this many.'),
      cursor: positionCursor.optional().describe('`next` of the page before.'),
    }),
    answer: { status: 200, schema: collectedPage, description: 'A page of recordings.' },
    handle: async ({ actor, params: { collection }, query: { limit, cursor = 0 } }, ports) => {
      if (!Object.hasOwn(ports.config.annotation.collections, collection)) {
        throw new PreavisError('address_unknown', 'there is no collection of this name');
      }
      const seen: ListedCall[] = [];
      let beyond: number | undefined = cursor;
      for (let round = 0; round < mostRounds && beyond !== undefined && seen.length < limit; round += 1) {
        const most = limit - seen.length;
        const page = await ports.catalogue.collections.list(collection, beyond, most);
        const calls = page.map(({ call }) => call);
        seen.push(...(await listedCalls(ports, actor, calls)));
        beyond = page.length < most ? undefined : page.at(-1)?.position;
      }
      const recordings = seen.flatMap((each) => shownRecordingOfList(each, ports.clock.now()) ?? []);

      return { kind: 'json', body: { recordings, next: beyond === undefined ? null : `2.${beyond}` } };
    },
  }),
];
