import { basePath } from './route.ts';

export const callbackPath = '/session/openid/callback';

/** Where the identity provider sends people back to: what is registered there. */
export const redirectUrlOf = ({ origin }: { origin: string }): string => `${origin}${basePath}${callbackPath}`;
