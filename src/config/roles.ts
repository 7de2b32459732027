/**
 * What a user or a token of `access` is for. coach: hears calls to teach. legal: proves agreements. officer: answers persons and authorities.
 * operator: runs the service. auditor: looks at what the others did. admin: lets people in, and hears nothing.
 */
export const roles = ['coach', 'legal', 'officer', 'operator', 'auditor', 'admin'] as const;
export type Role = (typeof roles)[number];
