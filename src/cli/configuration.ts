import { loadConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import type { CommandContext } from './context.ts';

export function configOf(context: CommandContext): Promise<Config> {
  return loadConfig(context.configFile, context.environment);
}
