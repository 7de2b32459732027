import { splitArguments, type Invocation } from '../invocation.ts';

/** Applications of Asterisk that answer a call that is not answered yet, with the option that keeps them from it. */
const answering: Readonly<Record<string, RegExp | undefined>> = {
  answer: undefined,
  authenticate: undefined,
  background: undefined,
  confbridge: undefined,
  directory: undefined,
  disa: /noanswer/,
  meetme: undefined,
  milliwatt: undefined,
  playback: /noanswer/,
  read: undefined,
  record: undefined,
  vmauthenticate: undefined,
  voicemail: undefined,
  voicemailmain: undefined,
};

export function doesAnswer({ application, data }: Invocation): boolean {
  if (!Object.hasOwn(answering, application)) return false;
  if (application === 'background') return !(splitArguments(data)[1] ?? '').includes('n');
  // Read(variable,file,digits,options,...)
  if (application === 'read') return !(splitArguments(data)[3] ?? '').includes('n');
  const unless = answering[application];

  return !unless?.test(data);
}
