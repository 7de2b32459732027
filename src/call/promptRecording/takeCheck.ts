import { promptLimits } from '../../prompts/check.ts';
import { readPromptSound, soundLengthMs } from '../../prompts/soundFile.ts';
import { activeSpeechLevel, speechSpan } from '../../prompts/loudness.ts';

/** Whether what an operator spoke can become a prompt: speech, and about as long as its text needs. */
export type TakeVerdict =
  | { usable: true; durationMs: number }
  | { usable: false; reason: 'broken' | 'silent' | 'too_short' | 'too_long'; durationMs: number };

/** In dBov. Quieter speech would be raised above its own noise; telephones give -35 and more. */
const quietest = -45;

export function judgeTake(bytes: Buffer | undefined, text: string): TakeVerdict {
  const sound = bytes === undefined ? 'is missing' : readPromptSound('wav', bytes);
  if (typeof sound === 'string') return { usable: false, reason: 'broken', durationMs: 0 };
  const durationMs = soundLengthMs(sound);
  const level = activeSpeechLevel(sound);
  const span = level < quietest ? undefined : speechSpan(sound, level);
  if (span === undefined) return { usable: false, reason: 'silent', durationMs };
  const pace = text.length / ((span.to - span.from) / sound.rate);
  if (pace > promptLimits.pace.to) return { usable: false, reason: 'too_short', durationMs };
  if (pace < promptLimits.pace.from) return { usable: false, reason: 'too_long', durationMs };

  return { usable: true, durationMs };
}
