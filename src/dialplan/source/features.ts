import type { Place } from '../dialplan.ts';
import { splitArguments } from '../invocation.ts';
import { readConfigText, type ConfigFiles } from './statements.ts';

/** Codes that somebody dials in a talk, by features.conf. */

const builtInFeatures = ['blindxfer', 'atxfer', 'disconnect', 'parkcall', 'automon', 'automixmon'] as const;
export type BuiltInFeature = (typeof builtInFeatures)[number];

export type Features = {
  /** By their name in [featuremap]; empty where it has no code. */
  builtIn: Readonly<Record<BuiltInFeature, string>>;
  /** [applicationmap]. */
  own: readonly { name: string; code: string; application: string; place: Place }[];
};

/** Asterisk's own, where features.conf says nothing (main/features_config.c). */
export const standardFeatures: Features = {
  builtIn: { blindxfer: '#', atxfer: '', disconnect: '*', parkcall: '', automon: '', automixmon: '' },
  own: [],
};

const isBuiltIn = (name: string): name is BuiltInFeature => builtInFeatures.some((known) => known === name);

/** Throws dialplan_unreadable. */
export async function readFeatures(path: string, files: ConfigFiles): Promise<Features> {
  const { sections } = await readConfigText([path], files, true);
  const builtIn: Record<BuiltInFeature, string> = { ...standardFeatures.builtIn };
  const own: Features['own'][number][] = [];
  for (const { name: section, statements } of sections) {
    for (const { name, value, place } of statements) {
      if (section === 'featuremap' && isBuiltIn(name)) builtIn[name] = value;
      // name => code,whoseChannel,application,...
      if (section !== 'applicationmap') continue;
      const [code = '', , application = ''] = splitArguments(value).map((part) => part.trim());
      own.push({ name, code, application: application.split('(')[0] ?? '', place });
    }
  }

  return { builtIn, own };
}

/** The names of `features show`. */
const shown: Readonly<Record<string, BuiltInFeature>> = {
  'Blind Transfer': 'blindxfer',
  'Attended Transfer': 'atxfer',
  'Disconnect Call': 'disconnect',
  'Park Call': 'parkcall',
  'One Touch Monitor': 'automon',
  'One Touch MixMonitor': 'automixmon',
};

/** What Asterisk prints for `features show`: a name, its standard code and its code, in columns of 25 and 7 characters. */
export function readFeaturesShow(text: string): Features {
  const builtIn: Record<BuiltInFeature, string> = { ...standardFeatures.builtIn };
  const own: Features['own'][number][] = [];
  let part: 'builtIn' | 'own' | undefined;
  for (const line of text.split('\n')) {
    if (line.trim() === '') part = undefined;
    else if (line.startsWith('Builtin Feature')) part = 'builtIn';
    else if (line.startsWith('Dynamic Feature')) part = 'own';
    else if (!line.startsWith('-') && !line.startsWith('(')) {
      const name = line.slice(0, 25).trim();
      const code = line.slice(34).trim();
      const known = shown[name];
      if (part === 'builtIn' && known !== undefined) builtIn[known] = code;
      if (part === 'own') own.push({ name, code, application: '', place: { file: 'features.conf', line: 0 } });
    }
  }

  return { builtIn, own };
}
