import { fault, type Fault } from '../faults.ts';
import { featureLetters } from '../flow/moves.ts';
import { optionLetters, routineOf, sidesOf, splitArguments, type Invocation } from '../invocation.ts';
import { beginning, type Look, type Scene } from './scene.ts';

/** Recorders that are not those of Préavis, and whether a caller comes to them untold. */

/** What the application is called, and what it records. */
const recorders: Readonly<Record<string, string>> = {
  mixmonitor: 'MixMonitor()',
  monitor: 'Monitor()',
  record: 'Record()',
  dictate: 'Dictate()',
};
/** Those with a letter among their options that records, and at which place the options are. */
const byOption: Readonly<Record<string, { name: string; at: number }>> = {
  meetme: { name: 'MeetMe()', at: 1 },
  page: { name: 'Page()', at: 1 },
  chanspy: { name: 'ChanSpy()', at: 1 },
  extenspy: { name: 'ExtenSpy()', at: 1 },
};

/** FreePBX records in this routine where its third argument says so (module callrecording, functions.inc.php). */
const recordCheck = 'sub-record-check';
const recordingModes = /^(force|always|yes|delayed)$/i;

function freePbxRecorder(text: string): string | undefined {
  const { target, given } = routineOf(text);

  return target?.context === recordCheck && recordingModes.test(given[2]?.trim() ?? '')
    ? `the recorder of FreePBX (${recordCheck})`
    : undefined;
}

/** Variables that make a recorder begin later. */
const variables: readonly [RegExp, string][] = [
  [/^_{0,2}REC_POLICY_MODE\s*=\s*(force|always|yes|delayed)\s*$/i, 'the recorder of FreePBX (REC_POLICY_MODE)'],
  [/^_{0,2}MONITOR_(FILENAME|EXEC|OPTIONS)\s*=\s*\S/i, 'the recorder of Queue() (MONITOR_...)'],
  [/^CONFBRIDGE\(bridge,record_conference\)\s*=\s*(yes|true|on|1)\s*$/i, 'the recorder of ConfBridge()'],
];

/** The recorder that this starts, for a sentence; undefined for none. */
function recorderOf({ application, data }: Invocation): string | undefined {
  const known = recorders[application];
  if (known !== undefined) return known;
  switch (application) {
    case 'gosub':
      return freePbxRecorder(data);
    case 'gosubif':
      return sidesOf(data)
        .sides.map(freePbxRecorder)
        .find((found) => found !== undefined);
    case 'set':
    case 'mset':
      return variables.find(([form]) => form.test(data.trim()))?.[1];
    case 'originate': {
      const [, kind = '', started = ''] = splitArguments(data).map((part) => part.trim().toLowerCase());
      const name = kind === 'app' ? recorders[started] : undefined;
      return name === undefined ? undefined : `${name} of a call by Originate()`;
    }
    default: {
      const option = byOption[application];
      const records = option !== undefined && optionLetters(splitArguments(data)[option.at] ?? '').includes('r');
      return records ? `the recorder of ${option.name}` : undefined;
    }
  }
}

/** The key that starts a recorder in a talk that this makes: `w` and `x` of Dial() and Queue(). */
function keyOf(invocation: Invocation, { features: { builtIn }, dialplan }: Scene): string | undefined {
  const letters = featureLetters(invocation, dialplan);
  if (/w/i.test(letters) && builtIn.automon !== '') return 'automon';

  return /x/i.test(letters) && builtIn.automixmon !== '' ? 'automixmon' : undefined;
}

const logins = /^(authenticate|vmauthenticate|voicemailmain)$/;
/** FreePBX calls an employee there who is about to speak a greeting (module recordings). */
const greetings = 'systemrecording-gui';

/** By context, extension: the priority behind which somebody has shown who they are. */
function loginsOf(all: readonly Look[]): ReadonlyMap<string, number> {
  const first = new Map<string, number>();
  for (const { step, invocations } of all) {
    if (!invocations.some(({ application }) => logins.test(application))) continue;
    const key = JSON.stringify([step.context, step.extension]);
    first.set(key, Math.min(step.priority, first.get(key) ?? Infinity));
  }

  return first;
}

/** FreePBX goes on with a recording that a transfer or a parking has ended: what began it is judged where it begins. */
const goesOn = /\$\{REC_STATUS\}"?\s*!=\s*"?RECORDING/;
const stepsBefore = 2;

function isContinued({ step }: Look, { dialplan }: Scene): boolean {
  const steps = dialplan.contexts.get(step.context)?.extensions.get(step.extension)?.steps;
  const before = Array.from({ length: stepsBefore }, (_, index) => steps?.get(step.priority - 1 - index));

  return before.some((each) => /^gotoif$/i.test(each?.application ?? '') && goesOn.test(each?.data ?? ''));
}

const tellFirst =
  'Take this recorder away: Préavis records. Tell callers first, by Gosub(preavis-tell,s,1(line=NAME)), and who is called by U(preavis-told^line=NAME) of Dial().';

function judge(scene: Scene, look: Look, invocation: Invocation, isBehindLogin: boolean): Fault[] {
  const recorder = recorderOf(invocation);
  const key = recorder === undefined ? keyOf(invocation, scene) : undefined;
  if ((recorder === undefined && key === undefined) || isContinued(look, scene)) return [];
  const { place } = look.step;
  const what = recorder ?? `The key of ${key ?? ''} (features.conf)`;
  const sentence = what.charAt(0).toUpperCase() + what.slice(1);
  const untold = look.arrivals.find(({ told }) => told === 'no' || (told === 'skipped' && !invocation.isConditional));
  if (untold !== undefined) {
    const from = `a call that begins at ${beginning(scene, untold, look.step)}, and nobody was told before`;
    if (key !== undefined) {
      return [
        fault(
          'recorder-by-key',
          place,
          `${sentence} records ${from}.`,
          'Take w, W, x and X out of the options, or write Gosub(preavis-tell,s,1(line=NAME)) before it.',
        ),
      ];
    }
    if (isBehindLogin && invocation.application === 'record') {
      const remedy = 'Leave it if only your own people come here, such as for a greeting; else tell them first.';
      return [fault('recorder-behind-login', place, `${sentence} records whoever logged in, untold.`, remedy)];
    }

    return [fault('recorder-without-notice', place, `${sentence} records ${from}.`, tellFirst)];
  }
  if (key !== undefined || !look.arrivals.some(({ told }) => told === 'bridge' || told === 'follow')) return [];
  const beside = `${sentence} records beside Préavis, also whoever refused, and nothing erases it when it is due.`;

  return [fault('recorder-beside', place, beside, 'Take this recorder away: Préavis records after the notice.')];
}

export function recorderFaults(scene: Scene, all: readonly Look[]): Fault[] {
  const loggedIn = loginsOf(all);

  return all.flatMap((look) => {
    const { context, extension, priority } = look.step;
    const since = loggedIn.get(JSON.stringify([context, extension]));

    return look.invocations.flatMap((invocation) =>
      judge(scene, look, invocation, context === greetings || (since !== undefined && since < priority)),
    );
  });
}
