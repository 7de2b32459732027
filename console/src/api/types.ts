import type * as z from 'zod';
import type { annotation, annotationForm, collectedPage, comment } from '../../../src/web/annotationSchemas.ts';
import type { certificateOut } from '../../../src/web/certificate.ts';
import type { approval, approvalPage } from '../../../src/web/routes/approvals.ts';
import type { certificatePage } from '../../../src/web/routes/certificates.ts';
import type { exception } from '../../../src/web/routes/erasure.ts';
import type { erasures, personErased, personFound } from '../../../src/web/routes/persons.ts';
import type { endingPage, heldPage } from '../../../src/web/routes/retention.ts';
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
export type RecordingOfList = CollectedPage['recordings'][number];
export type LiveCall = z.output<typeof liveCall>;
export type AuditStep = NonNullable<RecordingDetail['audit']>[number];
export type HeldRecording = z.output<typeof heldPage>['recordings'][number];
export type HeldPage = z.output<typeof heldPage>;
export type EndingPage = z.output<typeof endingPage>;
export type EndingRecording = EndingPage['recordings'][number];
export type Certificate = z.output<typeof certificateOut>;
export type CertificatePage = z.output<typeof certificatePage>;
export type Approval = z.output<typeof approval>;
export type ApprovalPage = z.output<typeof approvalPage>;
export type PersonFound = z.output<typeof personFound>;
export type PersonErased = z.output<typeof personErased>;
export type PersonErasures = z.output<typeof erasures>;
export type KeepingReason = z.output<typeof exception>;
