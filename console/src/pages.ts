/** Whether the server has a page at this address, where it has one of this room at all. */
export const isPage = (path: string): boolean =>
  /^\/((calls|collections|retention)(\/[^/]+)?|approvals(\/own)?|[^/]*)$/.test(path);
