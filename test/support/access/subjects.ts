import type { Actor, Subject, SubjectPurpose } from '../../../src/access/actor.ts';
import { roles } from '../../../src/config/roles.ts';

export const at = Date.UTC(2026, 10, 29);

/** In force, and heard by every role. */
export function purposeOfAll(options: Partial<SubjectPurpose> = {}): SubjectPurpose {
  return { name: 'training', keepUntil: at + 1, mayListen: roles, needsApproval: false, ...options };
}

/** A recording in the archive that everybody may hear who hears anything. */
export function subject(options: Partial<Subject> = {}): Subject {
  return {
    line: 'sales',
    controller: 'acme',
    extension: '101',
    purposes: [purposeOfAll()],
    status: 'archived',
    approvals: [],
    ...options,
  };
}

export function actor(options: Partial<Actor> = {}): Actor {
  return { name: 'user:anna', role: 'coach', lines: undefined, extensions: undefined, purposes: undefined, ...options };
}
