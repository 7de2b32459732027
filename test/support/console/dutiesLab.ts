import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fakeClockVariables, installFakeClock, setFakeClock } from '../../../lab/asterisk/fakeClock.ts';
import { burstTone, continuousTone } from '../../../lab/telephones/audio.ts';
import { labPurpose, type Rig, type RigOptions } from '../../../lab/rig.ts';
import { placeCall, startAgent, type Agent } from '../../../lab/telephones/sip.ts';
import { numberOfLiege, startWebOf, type People, type Web } from './consoleLab.ts';

/** Calls of people who later ask what is kept of them. What is for training is heard on approval only. */

/** Called twice: once for training, once for an agreement, which is evidence. */
export const numberOfAgreement = numberOfLiege;
/** Called once, and refused. */
export const numberOfRefusal = '+3232000000';
const numberOfComplaint = '+442070000000';
/** Nobody has called from it. */
export const numberOfNobody = '+3225000000';

export const startSales = async (): Promise<Agent> =>
  startAgent({ behaviour: 'answer', tone: await burstTone(1_000), ringMs: 200, atOnce: 20 });

export function dutiesRig({ dialString }: Agent, { config }: People): RigOptions {
  const training = labPurpose('training', 'Calls are listened to in order to teach how they are led.', 28);
  const agreement = labPurpose('agreement', 'Calls are kept in order to show what was agreed.', 392);

  return {
    extensions: {
      sales: `${dialString},20,line=sales`,
      orders: `${dialString},20,line=orders`,
      complaints: `${dialString},20,line=complaints`,
    },
    config: {
      purposes: {
        training: { ...training, consent: 'optOut', mayListen: ['coach', 'officer'], holdsAllowed: true },
        agreement: { ...agreement, kind: 'evidence', consent: 'optIn', mayListen: ['legal', 'officer'] },
      },
      lines: {
        sales: { purposes: ['training'], defaultLanguages: ['fr'] },
        orders: { purposes: ['agreement'], defaultLanguages: ['fr'] },
        complaints: { purposes: ['training'], defaultLanguages: ['en'] },
      },
      access: {
        users: config,
        approvalFor: ['training'],
        approvalHours: 8,
        session: { idleMinutes: 1_440, hours: 168 },
      },
      web: { listen: '127.0.0.1:0', trustedProxies: ['127.0.0.1'] },
    },
    environment: { PREAVIS_PRIVACY_HASH_KEY: 'k'.repeat(32) },
  };
}

const pressedOften = Array.from({ length: 40 }, (_none, index) => ({ afterMs: 1_000 * (index + 1), digit: '1' }));

const placed = [
  { to: 'sales', fromNumber: numberOfAgreement },
  { to: 'orders', fromNumber: numberOfAgreement, digits: pressedOften },
  { to: 'sales', fromNumber: numberOfRefusal, digits: [{ afterMs: 2_000, digit: '9' }] },
  { to: 'complaints', fromNumber: numberOfComplaint, talkMs: 30_000 },
  { to: 'sales', fromNumber: '+492210000000' },
] as const;

/** All at once. */
export async function makeDutyCalls(rig: Rig): Promise<void> {
  const tone = await continuousTone(440);
  const calls = placed.map(async (each) => {
    const call = await placeCall({
      sipPort: rig.asterisk.sipPort,
      to: each.to,
      fromNumber: each.fromNumber,
      tone,
      // Behind notice and ringing.
      hangUpAfterMs: ('talkMs' in each ? each.talkMs : 4_000) + 16_000,
      ...('digits' in each ? { digits: [...each.digits] } : {}),
    });
    await call.ended;
    await call.stop();
  });
  await Promise.all(calls);
}

export type WebWithClock = Web & {
  /** Of this server alone. @param off from the right time, such as `+60h` or `+0` */
  setClock: (off: string) => void;
};

export async function startWebWithClock(rig: Rig, logFile: string): Promise<WebWithClock> {
  const folder = join(rig.folder, 'web-clock');
  mkdirSync(folder, { recursive: true });
  installFakeClock(folder, '+0');
  const web = await startWebOf(rig, logFile, fakeClockVariables(folder));

  return {
    ...web,
    setClock: (off) => {
      setFakeClock(folder, off);
    },
  };
}
