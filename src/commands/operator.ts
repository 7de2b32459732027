import { userInfo } from 'node:os';

/** As useradd and directory services allow; anything else in the environment is not repeated. */
const accountName = /^[A-Za-z0-9_][A-Za-z0-9._@\\-]{0,63}\$?$/;

/** The name of the account that runs this process; its number where it has none, as in a container. */
function account(): string {
  try {
    return userInfo().username;
  } catch {
    return `${process.geteuid?.() ?? 'unknown'}`;
  }
}

/** Who runs this command, for the audit trail: the operating system's user, and who became that user by sudo. */
export function operatorOf(environment: NodeJS.ProcessEnv): string {
  const before = environment['SUDO_USER'];
  const by = before !== undefined && accountName.test(before) ? `, by sudo from ${before}` : '';

  return `user ${account()}${by}`;
}
