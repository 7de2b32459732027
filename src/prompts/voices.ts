/**
 * Who speaks a language. placeholder: espeak-ng, which sounds like a machine. synthetic: a synthesiser that sounds like a person.
 * recording: a person.
 */
export const voiceKinds = ['placeholder', 'synthetic', 'recording'] as const;
export type VoiceKind = (typeof voiceKinds)[number];

/** The voice of espeak-ng that the key `voice` of a language names; undefined for any other synthesiser or a person. */
export function espeakVoice(voice: string): string | undefined {
  return /^espeak-ng ([A-Za-z][A-Za-z0-9+-]*)$/.exec(voice)?.[1];
}

/**
 * Whether a sound is not yet by the kind of voice that prompts.yaml names: a synthesiser in the place of a person, or espeak-ng in
 * that of a better one.
 *
 * @param made of its language
 * @param spoken what the sound was made from; `source` is null where a synthesiser spoke
 */
export function isOfOtherVoice(made: VoiceKind, spoken: { source: string | null; voice: string }): boolean {
  switch (made) {
    case 'placeholder':
      return false;
    case 'synthetic':
      return spoken.source === null && espeakVoice(spoken.voice) !== undefined;
    case 'recording':
      return spoken.source === null;
  }
}
