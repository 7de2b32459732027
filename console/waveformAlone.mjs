import { join } from 'node:path';

/** Modules of wavesurfer.js that no waveform of a known picture and a known element needs, and what stands in their place. */
const unneeded = {
  // It decodes sound by itself: the console shows what the self-check has measured, and plays by an element of the page.
  './webaudio.js': 'export default class {}',
  './fetcher.js': 'export default {};',
  './base-plugin.js': 'export default undefined;',
  './define-plugin.js': 'export const definePlugin = undefined;',
  // Of the picture alone, whose values are within their bounds.
  './decoder.js': `export default {
    createBuffer: (channels, duration) => ({
      duration,
      length: channels[0].length,
      sampleRate: channels[0].length / duration,
      numberOfChannels: channels.length,
      getChannelData: (place) => channels[place],
    }),
  };`,
};
const prefix = '\0without:';

/**
 * Takes the modules of wavesurfer.js in the place of its single file, without those that are never used: a quarter of what it is.
 *
 * @param folder of its modules
 */
export function waveformAlone(folder) {
  const left = new Set(Object.keys(unneeded));

  return {
    name: 'waveform-alone',
    enforce: 'pre',
    resolveId(id, importer = '') {
      if (id === 'wavesurfer.js') return join(folder, 'wavesurfer.js');
      if (!importer.startsWith(folder) || !Object.hasOwn(unneeded, id)) return undefined;
      left.delete(id);

      return prefix + id;
    },
    load: (id) => (id.startsWith(prefix) ? unneeded[id.slice(prefix.length)] : undefined),
    buildEnd(error) {
      if (error === undefined && left.size > 0)
        throw new Error(`wavesurfer.js has no ${[...left].join(', ')} any more`);
    },
  };
}
