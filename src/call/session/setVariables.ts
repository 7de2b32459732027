import type { AriCommands } from '../../ari/port.ts';
import type { ChannelId } from '../../core/ids.ts';

/** Sets several variables in one request, by Asterisk's function ARRAY(); no value has a comma. Asks nothing for none of them. */
export async function setVariables(
  ari: Pick<AriCommands, 'setVariable'>,
  channel: ChannelId,
  variables: Readonly<Record<string, string>>,
): Promise<void> {
  const [names, values] = [Object.keys(variables), Object.values(variables)];
  if (names.length > 0) await ari.setVariable(channel, `ARRAY(${names.join(',')})`, values.join(','));
}
