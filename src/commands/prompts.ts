import { installPrompts } from '../config/installPrompts.ts';
import { loadLibrary, soundsFolder } from '../parts.ts';
import { configOf, type CommandContext, type ExitCode } from './context.ts';

/** Puts the prompts where Asterisk finds them; prompts that are there already stay. */
export async function promptsInstall(
  context: CommandContext,
  { to, json }: { to: string; json: boolean },
): Promise<ExitCode> {
  const config = await configOf(context);
  const library = await loadLibrary(config);
  const result = await installPrompts(library, soundsFolder(config), to, config.notice.languages);
  if (json) context.print(JSON.stringify(result, undefined, 2));
  else context.print(`${result.copied.length} sound files copied, ${result.kept.length} were there already`);

  return 0;
}
