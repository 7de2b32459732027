import * as z from 'zod';
import { ownCalls } from '../../config/controllerSchema.ts';
import { collectedPage } from '../annotationSchemas.ts';
import { requireCollection } from '../company.ts';
import { route, type Route } from '../route.ts';
import { shownRecordingOfList } from '../shown.ts';
import { nameGiven, page } from '../schemas.ts';
import { seenPage } from '../seenPages.ts';

export const collectionRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/collections/{collection}/recordings',
    summary: 'List the recordings of a collection, in their order',
    act: 'list',
    params: z.strictObject({ collection: nameGiven }),
    query: z.strictObject(page),
    answer: { status: 200, schema: collectedPage, description: 'A page of recordings.' },
    handle: async ({ actor, pages, params: { collection }, query: { limit } }, ports) => {
      requireCollection(collection, actor.controllers, ports.config);
      const companies = actor.controllers?.map((each) => (each === ownCalls ? '' : each));
      const { listed, next } = await seenPage<number>(actor, ports, {
        // The position of the last recording that was shown.
        after: pages.begin(z.number()) ?? 0,
        limit,
        read: async (after, most) => {
          const rows = await ports.catalogue.collections.list(collection, companies, after, most);

          return rows.map(({ call, position }) => ({ call, place: position }));
        },
      });
      const recordings = listed.flatMap((each) => shownRecordingOfList(each, ports.clock.now()) ?? []);

      return { kind: 'json', body: { recordings, next: pages.next(next) } };
    },
  }),
];
