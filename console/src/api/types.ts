import type * as z from 'zod';
import type { annotation, annotationForm, collectedPage, comment } from '../../../src/web/annotationSchemas.ts';
import type {
  callDetail,
  callPage,
  hold,
  listedCall,
  liveCall,
  recordingDetail,
  recordingPart,
} from '../../../src/web/schemas.ts';

/** What the API sends, by the very schemas that it is written with. */
export type Call = z.output<typeof listedCall>;
export type CallPage = z.output<typeof callPage>;
export type CallDetail = z.output<typeof callDetail>;
export type RecordingPart = z.output<typeof recordingPart>;
export type RecordingDetail = z.output<typeof recordingDetail>;
export type Hold = z.output<typeof hold>;
export type Annotation = z.output<typeof annotation>;
export type AnnotationForm = z.output<typeof annotationForm>;
export type Comment = z.output<typeof comment>;
export type CollectedPage = z.output<typeof collectedPage>;
export type LiveCall = z.output<typeof liveCall>;
export type AuditStep = NonNullable<RecordingDetail['audit']>[number];
