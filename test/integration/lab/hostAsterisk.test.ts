import type { findHostAsterisk } from '../../../lab/asterisk/hostAsterisk.mjs';
import { hasMachine, lookOnMachine } from '../../support/rig/machine.ts';

/** Root on a machine where the lab has made its small Debian; it is played by that Debian, with changes of its own. */
const describeOnMachine = hasMachine ? describe : describe.skip;

const usual = '/usr/sbin:/usr/bin';
const ofPackage = { program: '/usr/sbin/asterisk', dataFolder: '/usr/share/asterisk' };

function look(change: string, path: string): ReturnType<typeof findHostAsterisk> {
  const [first, second] = lookOnMachine(change, path);
  if (!first) throw new Error('Nothing was looked for.');
  expect(second).toEqual(first);
  return first;
}

describeOnMachine('an Asterisk on PATH', () => {
  it('is taken when it is the machine’s package', () => {
    const { asterisk, passedOver } = look('true', usual);
    expect(asterisk).toMatchObject({ ...ofPackage, version: expect.stringMatching(/^\d+\./) as string });
    expect(passedOver).toEqual([]);
  });

  it('is passed over when it is a wrapper of the package, which is taken itself', () => {
    const wrapper = `mkdir /w; printf '#!/bin/sh\\nexec /usr/sbin/asterisk "$@"\\n' >/w/asterisk; chmod +x /w/asterisk`;
    const { asterisk, passedOver } = look(wrapper, `/w:${usual}`);
    expect(asterisk).toMatchObject(ofPackage);
    expect(passedOver).toEqual(['/w/asterisk is passed over: it is a script, and the lab runs only Asterisk itself.']);
  });

  it('is taken when it was built from source, with the data folder beside it', () => {
    const build = `mkdir -p /opt/asterisk/sbin /opt/asterisk/var/lib
      cp /usr/sbin/asterisk /opt/asterisk/sbin; cp -r /usr/share/asterisk /opt/asterisk/var/lib
      ln -s /opt/asterisk/sbin/asterisk /usr/local/sbin/asterisk`;
    expect(look(build, `/usr/local/sbin:${usual}`)).toMatchObject({
      asterisk: { program: '/opt/asterisk/sbin/asterisk', dataFolder: '/opt/asterisk/var/lib/asterisk' },
      passedOver: [],
    });
  });

  it('is passed over when the user that the lab runs it as may not run it', () => {
    const hide = 'mkdir -m 700 /hidden; cp /usr/sbin/asterisk /hidden';
    expect(look(hide, `/hidden:${usual}`)).toMatchObject({
      asterisk: ofPackage,
      passedOver: [expect.stringContaining('/hidden/asterisk is passed over: it does not say its version (chroot --')],
    });
  });

  it('is passed over when its data folder is missing', () => {
    const { asterisk, passedOver } = look('rm -r /usr/share/asterisk /var/lib/asterisk', usual);
    expect(asterisk).toBeUndefined();
    expect(passedOver).toEqual([
      '/usr/sbin/asterisk is passed over: none of its data folders has a rest-api folder ' +
        '(/usr/share/asterisk, /usr/var/lib/asterisk, /var/lib/asterisk, /usr/local/share/asterisk).',
    ]);
  });

  it('is passed over when it does not start with the modules that Préavis needs', () => {
    const { asterisk, passedOver } = look('rm /usr/lib/*/asterisk/modules/app_stasis.so', usual);
    expect(asterisk).toBeUndefined();
    expect(passedOver).toEqual([expect.stringMatching(/passed over: a trial start failed \(.*app_stasis\.so/)]);
  });
});
