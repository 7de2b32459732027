import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { extension, pin, usePhoneRig } from '../../support/call/promptPhone.ts';
import { eventually } from '../../support/poll.ts';
import { logText } from '../../support/rig/rigs.ts';

/** Operators who hang up, are cut off, or have no PIN, while they record a prompt by telephone: nothing is left of it. */

const at = usePhoneRig();

/** Keys that come late are other keys to Asterisk. Nobody of an attempt that went wrong is in the way of the next one. */
const onTime = (act: () => Promise<void>): Promise<void> =>
  at.onTime(async () => {
    if (at.rig.servePid() === undefined) await at.rig.startServe();
    await at.expectNothingLeft();
    await act();
    await at.expectNothingLeft();
  });

it('ends with nothing left when the operator hangs up, at any step', () =>
  onTime(async () => {
    const hangUpIn = async (state: string, keys: readonly string[] = []): Promise<void> => {
      const phone = await at.ring(at.voice);
      const waits = ['enteringPin', 'enteringCode', 'presenting', 'recording'];
      for (const [index, each] of keys.entries()) {
        await phone.reached(waits[index] ?? state);
        if (index === 3) await sleep(at.voice.lengthMs + 300);
        await phone.type(each);
      }
      await phone.reached(state);
      await phone.call.hangUp();
      await phone.endsWithout('hung_up');
    };
    await Promise.all([
      hangUpIn('presenting', [`${pin}#`, '063#']),
      hangUpIn('recording', [`${pin}#`, '063#', '#']),
      hangUpIn('reviewing', [`${pin}#`, '063#', '#', '#']),
      // One after the other: more than four operators are not let in.
      hangUpIn('enteringPin').then(() => hangUpIn('enteringCode', [`${pin}#`])),
    ]);
    expect(existsSync(at.sourceOf('de', 'opt-out-ack'))).toBe(false);
  }));

it('leaves nothing when Préavis is killed while somebody speaks', () =>
  onTime(async () => {
    const phone = await at.ring(at.voice);
    await phone.speakTo('063');
    // Asterisk tells of a recorder before it makes its file.
    await eventually(() => at.takesLeft().length === 1);
    await at.rig.killServe();
    expect(at.takesLeft()).toHaveLength(1);
    await at.rig.startServe();
    await phone.call.ended;
    await at.expectNothingLeft();
    expect(existsSync(at.sourceOf('de', 'opt-out-ack'))).toBe(false);
  }));

it('ends after three wrong PINs, and a storm of keys opens nothing', () =>
  onTime(async () => {
    const phone = await at.ring(at.voice);
    await phone.reached('enteringPin');
    await phone.type(`123456789012345678901234567890${pin}#`);
    await phone.reached('enteringPin', 2);
    await phone.type('#');
    await phone.reached('enteringPin', 3);
    await phone.type(`${pin}1#1#1#1#`);
    await phone.endsWithout('pin_wrong');
    await phone.call.ended;
    // A thread of its own writes Asterisk's log, behind what it does.
    await eventually(() => {
      expect(at.rig.asterisk.logs()).toContain(`after ${extension}: result=notStored reason=pin_wrong`);
    });
    expect(phone.states()).not.toContain('enteringCode');
  }));

it('accepts no PIN for a while after ten wrong ones in any calls', () =>
  onTime(async () => {
    const wrongly = async (tries: number) => {
      const phone = await at.ring(at.voice);
      for (let count = 0; count < tries; count += 1) {
        await phone.reached('enteringPin', count + 1);
        await phone.type('111111#');
      }
      return phone;
    };
    // Three were typed in the call before.
    const lost = await Promise.all([wrongly(3), wrongly(3)]);
    for (const phone of lost) await phone.call.ended;
    const last = await wrongly(1);
    await last.reached('enteringPin', 2);
    await last.type(`${pin}#`);
    await last.reached('enteringPin', 3);
    await last.type('*');
    await last.call.ended;
    for (const phone of [...lost, last]) {
      await phone.reached('ended');
      expect(phone.states()).not.toContain('enteringCode');
    }
    expect(logText(at.rig)).toContain('too many wrong PINs');
  }));
