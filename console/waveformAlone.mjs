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

/** Methods of its classes that nothing calls: the waveform is never zoomed or scrolled, has no plugins, and the page plays its sound. */
const uncalled = {
  'wavesurfer.js':
    `getState getRenderer getWrapper getWidth getScroll setScroll setScrollTime getActivePlugins registerPlugin
    unregisterPlugin loadBlob zoom getDecodedData toggleInteraction getVolume setVolume getMuted setMuted getPlaybackRate setSinkId
    getMediaElement play playPause stop skip empty setMediaElement unsubscribePlayerEvents exportImage`.split(/\s+/),
  'renderer.js': 'getWrapper getWidth getScroll setScroll setScrollPercentage getVisibleRange zoom exportImage'.split(
    ' ',
  ),
  'player.js': 'setMediaElement play getVolume setVolume getMuted setMuted getPlaybackRate setSinkId'.split(' '),
};
/** Those that something calls, and only where the console never comes: they do nothing. */
const unreached = {
  'wavesurfer.js': ['initPlugins', 'exportPeaks'],
  'renderer.js': ['renderLineWaveform', 'scrollIntoView'],
};

/** The code without these methods of its classes. Throws where it has one of them no more, or calls one that is removed. */
function withoutMethods(code, { body }, { removed, emptied }) {
  const methods = body
    .map((statement) => statement.declaration ?? statement)
    .filter(({ type }) => type === 'ClassDeclaration')
    .flatMap((each) => each.body.body)
    .filter(({ type, key }) => type === 'MethodDefinition' && key.type === 'Identifier');
  const cuts = [...removed, ...emptied].map((name) => {
    const found = methods.find(({ key }) => key.name === name);
    if (found === undefined) throw new Error(`wavesurfer.js has no method ${name} any more`);

    return emptied.includes(name) ? { start: found.value.body.start + 1, end: found.value.body.end - 1 } : found;
  });
  const left = cuts
    .toSorted((one, other) => other.start - one.start)
    .reduce((text, { start, end }) => text.slice(0, start) + text.slice(end), code);
  const called = removed.find((name) => left.includes(`this.${name}(`));
  if (called !== undefined) throw new Error(`wavesurfer.js calls its method ${called}`);

  return left;
}

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
    transform(code, id) {
      if (!id.startsWith(folder)) return undefined;
      const file = id.slice(folder.length);

      return withoutMethods(code, this.parse(code), { removed: uncalled[file] ?? [], emptied: unreached[file] ?? [] });
    },
    buildEnd(error) {
      if (error === undefined && left.size > 0)
        throw new Error(`wavesurfer.js has no ${[...left].join(', ')} any more`);
    },
  };
}
