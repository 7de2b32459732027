/**
 * The acoustic self-check of a finished recording: does the sound bear out what the receipt says of it? What it finds is
 * flagged and counted; nothing is ever deleted or refused because of it.
 */
import { makePeakMeter } from './peaks.ts';
import { makePromptFinder, type PromptFound } from './promptFinder.ts';
import type { PlayedPrompt } from './preparedPrompt.ts';
import { makeSoundMeter, type SoundMeasures } from './soundMeter.ts';
import { readRecording, type WavInfo } from './wav.ts';

type Party = 'caller' | 'destination';

export type AudioFinding =
  /**
   * A prompt, or a part of it, is in the recording: the recorder began too early, or something picked up what the caller
   * heard. 1.25 s alone are enough, most often 1 s; under other speech it takes 3 s, or the whole of a shorter prompt.
   * Words that one of the parties says in the very same voice (a synthesiser) count as well.
   */
  | ({ kind: 'notice_inside' } & PromptFound)
  /** No 100 ms are louder than -60 dBFS. */
  | { kind: 'silent'; loudestDbfs: number | null }
  /** Silence of at least `longSilenceMs` in a recording that is not silent. */
  | { kind: 'long_silence'; atMs: number; ms: number }
  /** By more than `durationToleranceMs`. */
  | { kind: 'shorter_than_expected'; durationMs: number; expectedMs: number }
  /** At least `clippedShare` of the samples lie in runs at full scale. */
  | { kind: 'clipped'; share: number }
  /** Never found by checkRecording: see `oneSided`. */
  | OneSided;

export const selfCheckFindings = [
  'notice_inside',
  'silent',
  'long_silence',
  'shorter_than_expected',
  'clipped',
  'one_sided',
] as const;
export type AudioFindingKind = (typeof selfCheckFindings)[number];

export type OneSided = { kind: 'one_sided'; silent: Party; by: 'packets' | 'talk' };

export type SelfCheck = {
  /** What was listened to. */
  wav: WavInfo;
  findings: AudioFinding[];
  /** How loud it is, for a picture of it (peaks.ts). */
  peaks: Int8Array;
  measured: SoundMeasures & {
    /** How many of the prompts were looked for; one with less than 1 s of sound cannot be. */
    promptsSought: number;
  };
};

const longSilenceMs = 60_000;
const clippedShare = 0.001;

/**
 * How much shorter than Asterisk's own times a file may be. Measured: at most 20 ms either way, one frame. The rest is
 * for a machine that is late with one of the two events, and for an hour on two clocks.
 */
function durationToleranceMs(expectedMs: number): number {
  return 500 + expectedMs / 1_000;
}

export type CheckOptions = {
  prompts: readonly PlayedPrompt[];
  expectedMs: number | undefined;
  signal?: AbortSignal;
};

/**
 * Reads a recording once, in pieces. The work between two pieces takes a few ms, so that calls are not kept waiting.
 *
 * @param file 8000 or 16,000 Hz, one channel or two, 16 bits.
 * @param options.prompts What the caller heard, as played.
 * @param options.expectedMs From Asterisk's start of the recording to its end, without pauses; undefined when one of the
 * two was not seen.
 * @throws PreavisError `wav_invalid`, `wav_empty`, `spool_unusable`; the signal's reason when it aborts.
 */
export async function checkRecording(file: string, options: CheckOptions): Promise<SelfCheck> {
  const { prompts, expectedMs, signal } = options;
  signal?.throwIfAborted();
  const meter = makeSoundMeter();
  const finder = makePromptFinder(prompts);
  const peaks = makePeakMeter();
  const wav = await readRecording(file, ({ mixed, loudest }) => {
    signal?.throwIfAborted();
    meter.push(loudest);
    finder.push(mixed);
    peaks.push(loudest);
  });
  const found = finder.end();
  const sound = meter.end();
  const { durationMs } = wav;
  const findings: AudioFinding[] = found.map((prompt) => ({ kind: 'notice_inside', ...prompt }));
  if (sound.heardMs === 0) {
    findings.push({ kind: 'silent', loudestDbfs: sound.loudestDbfs });
  } else if (sound.longestSilence.ms >= longSilenceMs) {
    findings.push({ kind: 'long_silence', ...sound.longestSilence });
  }
  if (expectedMs !== undefined && durationMs < expectedMs - durationToleranceMs(expectedMs)) {
    findings.push({ kind: 'shorter_than_expected', durationMs, expectedMs });
  }
  if (sound.clippedShare >= clippedShare) findings.push({ kind: 'clipped', share: sound.clippedShare });
  return { wav, findings, peaks: peaks.end(), measured: { ...sound, promptsSought: finder.searched } };
}

/** What is known of the sound that one party sent while the recording ran; a count that is not known is left out. */
export type LegEvidence = {
  /** RTP packets that Asterisk received from it. */
  packets?: number | undefined;
  /** How long Asterisk's talk detection heard it. */
  talkMs?: number | undefined;
};

/** A shorter recording may well hold one party only. */
const oneSidedFromMs = 10_000;
/** RTP is 16 to 100 packets a second. A party that never speaks, with silence suppression, sends one in some seconds. */
const sendingPerSecond = 10;
const nothingPerSecond = 1;
/** A cough is no talk; so much talk with nobody answering is none either. */
const talkingMs = 5_000;
const noTalkMs = 500;

/**
 * Whether one party was there and the other one was not heard: no media from it, a muted microphone, a firewall.
 *
 * The recording cannot show this. As a rule it is one channel with both parties mixed, and a monologue sounds the same whether the
 * other one listens or cannot be heard. So it is judged by what Asterisk knows of each leg: packets received (nothing
 * arrived at all) or, from channels with TALK_DETECT, time talked (packets arrived, but they held silence). Whoever has
 * these numbers calls this function beside checkRecording; a leg without numbers gives no finding. Voicemail and
 * announcements are one-sided as well: it is a reason to listen, not a fault.
 */
export function oneSided(
  legs: { caller: LegEvidence | undefined; destination: LegEvidence | undefined },
  durationMs: number,
): OneSided | undefined {
  const { caller, destination } = legs;
  if (durationMs < oneSidedFromMs || caller === undefined || destination === undefined) return undefined;
  const seconds = durationMs / 1_000;
  const byPackets = silentOne(caller.packets, destination.packets, {
    nothing: nothingPerSecond * seconds,
    something: sendingPerSecond * seconds,
  });
  if (byPackets !== undefined) return { kind: 'one_sided', silent: byPackets, by: 'packets' };
  const byTalk = silentOne(caller.talkMs, destination.talkMs, { nothing: noTalkMs, something: talkingMs });
  return byTalk === undefined ? undefined : { kind: 'one_sided', silent: byTalk, by: 'talk' };
}

function silentOne(
  caller: number | undefined,
  destination: number | undefined,
  { nothing, something }: { nothing: number; something: number },
): Party | undefined {
  if (caller === undefined || destination === undefined) return undefined;
  if (caller < nothing && destination >= something) return 'caller';
  if (destination < nothing && caller >= something) return 'destination';
  return undefined;
}
