import type { Config } from './schema.ts';

/**
 * The configuration as one company sees it: its own lines, the purposes of these, and itself as the controller. What no line has is the
 * company's own: the dialplan may ask for it.
 * @param controller one of `controllers`, or null for the company itself, with the lines that belong to none of them
 */
export function asController(config: Config, controller: string | null): Config {
  if (controller === null && Object.keys(config.controllers).length === 0) return config;
  // Of a company that left the configuration nothing is known but its name there.
  const responsible = controller === null ? config.controller : (config.controllers[controller] ?? { recipients: [] });
  const lines = Object.fromEntries(
    Object.entries(config.lines).filter(([, line]) => (line.controller ?? null) === controller),
  );
  const has = (of: Config['lines'], purpose: string): boolean =>
    Object.values(of).some(({ purposes }) => purposes.includes(purpose));
  const purposes = Object.fromEntries(
    Object.entries(config.purposes).filter(([id]) => has(lines, id) || (controller === null && !has(config.lines, id))),
  );

  return { ...config, controller: responsible, controllers: {}, lines, purposes };
}

/** The key of the configuration below which a company stands. */
export const sectionOf = (controller: string | null): string =>
  controller === null ? 'controller' : `controllers.${controller}`;
