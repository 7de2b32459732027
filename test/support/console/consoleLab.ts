import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { TOTP, Secret } from 'otpauth';
import { burstTone, continuousTone, type ToneFile } from '../../../lab/telephones/audio.ts';
import { hold, resume } from '../../../lab/telephones/dialog.ts';
import { spawnLive, type LiveProcess } from '../../../lab/machine/processes.ts';
import { labPurpose, type Rig, type RigOptions } from '../../../lab/rig.ts';
import { startRtpReceiver, type RtpReceiver } from '../../../lab/telephones/rtpReceiver.ts';
import { placeCall, startAgent, type Agent, type Call } from '../../../lab/telephones/sip.ts';
import { hashPassword } from '../../../src/access/password.ts';
import { newTotpSecret } from '../../../src/access/totp.ts';
import { eventually } from '../poll.ts';

/** A telephone system with calls of each kind, people who may come in, and the console as `preavis web` serves it. */

export const password = 'a long enough password';

/** The lawyer has a second factor. */
export type People = { config: Record<string, unknown>; codeOfLawyer: () => string };

export async function somePeople(): Promise<People> {
  const passwordHash = await hashPassword(password);
  const totpSecret = newTotpSecret();

  return {
    config: {
      anna: { role: 'coach', passwordHash },
      louis: { role: 'legal', passwordHash, totpSecret },
      olga: { role: 'officer', passwordHash },
      otto: { role: 'operator', passwordHash },
      ada: { role: 'auditor', passwordHash },
      adam: { role: 'admin', passwordHash },
    },
    codeOfLawyer: () => new TOTP({ secret: Secret.fromBase32(totpSecret) }).generate(),
  };
}

type Keeping = { keep: <T extends Agent | Call | RtpReceiver>(made: Promise<T>) => Promise<T> };
export type Phones = { agent: Agent; holding: Agent; receiver: RtpReceiver; busy: Agent };

export async function startPhones({ keep }: Keeping): Promise<Phones> {
  const receiver = await keep(startRtpReceiver());

  return {
    agent: await keep(startAgent({ behaviour: 'answer', tone: await burstTone(1_000), ringMs: 200, atOnce: 20 })),
    holding: await keep(startAgent({ behaviour: 'answer', tone: await continuousTone(800), ringMs: 200, receiver })),
    receiver,
    busy: await keep(startAgent({ behaviour: 'busy' })),
  };
}

/** Coaches hear what is for training; the lawyer what is for agreements. */
export function consoleRig({ agent, holding, busy }: Phones, { config }: People): RigOptions {
  const training = labPurpose('training', 'Calls are listened to in order to teach how they are led.', 28);
  const agreement = labPurpose('agreement', 'Calls are kept in order to show what was agreed.', 392);

  return {
    extensions: {
      sales: `${agent.dialString},20,line=sales`,
      desk: `${holding.dialString},20,line=desk`,
      orders: `${agent.dialString},20,line=orders`,
      busy: `${busy.dialString},20,line=sales`,
    },
    config: {
      purposes: {
        training: {
          ...training,
          names: { fr: 'Formation', nl: 'Opleiding', de: 'Schulung', en: 'Staff training' },
          consent: 'optOut',
          mayListen: ['coach', 'officer', 'operator', 'auditor'],
        },
        agreement: {
          ...agreement,
          names: {
            fr: 'Preuve d’un accord',
            nl: 'Bewijs van een afspraak',
            de: 'Nachweis einer Vereinbarung',
            en: 'Evidence of an agreement',
          },
          kind: 'evidence',
          consent: 'optIn',
          mayListen: ['legal', 'officer'],
          holdsAllowed: true,
        },
      },
      lines: {
        sales: {
          names: { fr: 'Ventes', nl: 'Verkoop', de: 'Verkauf', en: 'Sales' },
          purposes: ['training'],
          defaultLanguages: ['fr'],
        },
        desk: {
          names: { fr: 'Accueil', nl: 'Onthaal', de: 'Empfang', en: 'Desk' },
          purposes: ['training'],
          defaultLanguages: ['fr'],
        },
        orders: {
          names: { fr: 'Commandes', nl: 'Bestellingen', de: 'Bestellungen', en: 'Orders' },
          purposes: ['agreement'],
          defaultLanguages: ['fr'],
        },
      },
      // Nobody has called it yet.
      controllers: { acme: { name: 'Acme' } },
      access: { users: config },
      annotation: {
        rating: {
          greeting: { label: { en: 'Greeting', fr: 'Accueil', nl: 'Begroeting', de: 'Begrüßung' }, points: 5 },
        },
      },
      web: { startedBy: 'itself', listen: '127.0.0.1:0', trustedProxies: ['127.0.0.1'] },
    },
    environment: { PREAVIS_PRIVACY_HASH_KEY: 'k'.repeat(32) },
  };
}

/** Long enough that a seek by ten seconds lands within it, ms. */
const talkMs = 24_000;
const briefMs = 4_000;

type Placed = { to: string; fromNumber: string; talkMs?: number; digits?: { afterMs: number; digit: string }[] };

/** What the caller from Liège says lasts the longest: it is played, and erased while it is. */
export const numberOfLiege = '+3242000000';

const placed: readonly Placed[] = [
  { to: 'sales', fromNumber: numberOfLiege, talkMs },
  { to: 'sales', fromNumber: '+3232000000', talkMs: briefMs, digits: [{ afterMs: 2_000, digit: '9' }] },
  {
    to: 'orders',
    fromNumber: '+492210000000',
    digits: Array.from({ length: 40 }, (_none, index) => ({ afterMs: 1_000 * (index + 1), digit: '1' })),
  },
  { to: 'busy', fromNumber: '+3242000002' },
];

type OnHold = { tone: ToneFile; beforeMs: number; heldMs: number; afterMs: number };

/** Somebody calls, is put on hold for a while, and talks on. */
export async function callOnHold(
  rig: Rig,
  { holding, receiver }: Phones,
  { tone, beforeMs, heldMs, afterMs }: OnHold,
): Promise<void> {
  const own = await startRtpReceiver();
  const call = await placeCall({
    sipPort: rig.asterisk.sipPort,
    to: 'desk',
    fromNumber: '+442070000000',
    tone,
    receiver: own,
  });
  try {
    const dialog = await eventually(() => {
      const found = holding.dialogs().at(-1);
      if (found === undefined) throw new Error('nobody talks at the desk');
      return found;
    });
    const heard = () => eventually(() => receiver.latest(1_500).length > 0 && own.latest(1_500).length > 0);
    await heard();
    // How long they talk and are held is what the receipt then tells.
    await sleep(beforeMs);
    await hold(dialog, receiver.port);
    await sleep(heldMs);
    await resume(dialog, receiver.port);
    await sleep(afterMs);
    await call.hangUp();
    await call.ended;
  } finally {
    await call.stop();
    own.close();
  }
}

/** All at once. */
export async function makeCalls(rig: Rig, phones: Phones): Promise<void> {
  const tone = await continuousTone(440);
  const calls = placed.map(async ({ to, fromNumber, talkMs: talk = briefMs, digits }) => {
    const call = await placeCall({
      sipPort: rig.asterisk.sipPort,
      to,
      fromNumber,
      tone,
      // Behind notice and ringing.
      hangUpAfterMs: talk + 16_000,
      ...(digits === undefined ? {} : { digits }),
    });
    await call.ended;
    await call.stop();
  });
  await Promise.all([...calls, callOnHold(rig, phones, { tone, beforeMs: 3_000, heldMs: 2_500, afterMs: 3_000 })]);
}

export type Web = { url: string; process: LiveProcess };

/** `preavis web` as a process of its own, with the console that was built. */
export async function startWebOf(rig: Rig, logFile: string, more: Readonly<Record<string, string>> = {}): Promise<Web> {
  const started = await spawnLive(process.execPath, ['dist/main.js', 'web'], {
    logFile,
    env: { ...process.env, NODE_OPTIONS: '', ...rig.variables, ...more },
    priority: 'product',
  });

  return { process: started, url: await urlIn(logFile, started) };
}

async function urlIn(logFile: string, started: LiveProcess): Promise<string> {
  return eventually(() => {
    const text = readFileSync(logFile, 'utf8');
    const [, url] = /"url":"([^"]+)"/.exec(text) ?? [];
    if (url === undefined)
      throw new Error(`preavis web does not listen${started.isRunning() ? '' : ': it ended'}: ${text}`);

    return url;
  });
}
