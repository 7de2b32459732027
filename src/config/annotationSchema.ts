import * as z from 'zod';
import { ownCalls, unknownCompanies } from './controllerSchema.ts';
import { key, name, section } from './field.ts';
import { localText } from './localText.ts';

/** What people may write about a recording: the section `annotation`. */

const label = localText(z.string().trim().min(1).max(100));

const criterion = z.strictObject({
  label: key(label, 'What it is called, or a text for each language.'),
  text: key(
    localText(z.string().trim().min(1).max(1_000)).optional(),
    'What whoever rates is to look at, or a text for each language.',
  ),
  points: key(z.int().min(2).max(10).default(5), 'The best value; 1 is the worst.'),
});

const collection = z.strictObject({
  label: key(label, 'What it is called, or a text for each language.'),
  controllers: key(
    z.array(name).min(1).optional(),
    `The companies whose recordings are put into it, by their names in controllers, or ${ownCalls}; default: all, each for itself.`,
  ),
});

/** Those of an installation that names none. */
const usualCollections = {
  exemplary: { label: { en: 'Exemplary', fr: 'Exemplaires', nl: 'Voorbeelden', de: 'Vorbildlich' } },
  'needs-work': { label: { en: 'Needs work', fr: 'À améliorer', nl: 'Te verbeteren', de: 'Verbesserungsbedarf' } },
};

export const annotation = section({
  rating: key(
    z.record(name, criterion).default({}),
    'The form by which recordings are rated: its criteria, by names of yours. Without one nothing is rated.',
  ),
  collections: key(
    z.record(name, collection).default(usualCollections),
    'The collections that recordings are put into, by names of yours; default: exemplary and needs-work.',
  ),
});

/** Whether recordings of one of these companies, or of `own`, are put into it. */
export const isCollectionOf = (
  { controllers }: Pick<z.output<typeof collection>, 'controllers'>,
  companies: readonly string[] | undefined,
): boolean =>
  controllers === undefined || companies === undefined || controllers.some((each) => companies.includes(each));

/** What no single key shows to be wrong. */
export function collectionFaults(
  { collections }: AnnotationConfig,
  companies: Readonly<Record<string, unknown>>,
): { path: string[]; message: string }[] {
  return Object.entries(collections).flatMap(([id, { controllers }]) => {
    const unknown = unknownCompanies(controllers, companies);
    const path = ['annotation', 'collections', id, 'controllers'];

    return unknown === undefined ? [] : [{ path, message: unknown }];
  });
}

export type AnnotationConfig = z.output<typeof annotation>;
