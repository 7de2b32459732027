import { rm, writeFile } from 'node:fs/promises';
import { finishRecordings, sweepSpool } from '../../../../src/archive/finish/finish.ts';
import { spoolFile, unfinishedIn } from '../../../../src/archive/finish/spool.ts';
import type { CallEvent } from '../../../../src/call/decide/events.ts';
import { archiveStage, type ArchiveStage } from '../../../support/archive/archiving.ts';
import { callStart, eventsTo, heardNotice, keys, press, stranger } from '../../../support/call/calls.ts';
import { catalogues, saveCall, type SavedCall } from '../../../support/catalogue/catalogues.ts';
import { toneWav } from '../../../support/policy/promptFolder.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const open = catalogues();
let stages = 0;
const stage = (): Promise<ArchiveStage> => archiveStage(folder.path(`${(stages += 1)}`), open);

type Facts = SavedCall['facts'];
const answered: CallEvent[] = [{ type: 'ready' }, { type: 'callerAnswered' }];
const callerLeft: CallEvent = { type: 'callerLeft', at: callStart + 60_000 };
const begun = (facts: Facts): CallEvent[] => [{ type: 'planned', order: facts.order }, ...answered];

/** A call whose recorder was never reported: its process died, the next one found the caller gone. */
const died = (facts: Facts): CallEvent[] => [...eventsTo('dialling', facts), callerLeft];

/** A WAV in the spool as this call would have made it. */
async function orphan(set: ArchiveStage, options: NonNullable<Parameters<typeof saveCall>[1]>): Promise<SavedCall> {
  const call = await saveCall(set.catalogue, options);
  expect(await set.catalogue.recordings.find(call.id)).toBeUndefined();
  await writeFile(spoolFile(set.spoolFolder, call.id), toneWav(440));

  return call;
}

test('what is in the spool and not known to be finished is what the catalogue does not know, or is being recorded', async () => {
  const set = await stage();
  const unknown = await orphan(set, { events: died });
  const recorded = await set.recorded();
  expect((await unfinishedIn(set.spoolFolder, set.catalogue)).sort()).toEqual([unknown.id, recorded.id].sort());
  await finishRecordings(set);
  expect((await set.catalogue.recordings.find(recorded.id))?.status).toBe('recorded');
  expect(await unfinishedIn(set.spoolFolder, set.catalogue)).toEqual([unknown.id]);
});

describe('a WAV in the spool that the catalogue does not know', () => {
  test.each([
    ['nobody may refuse', {}],
    ['the caller may refuse and did not', { mode: 'optOut' }],
    ['the caller said yes', { mode: 'optIn' }],
  ] as const)('of a call that was announced and in which %s becomes a recording', async (_, shape) => {
    const set = await stage();
    const { id, facts } = await orphan(set, { shape, events: died });
    await sweepSpool(set);
    expect(await set.catalogue.recordings.find(id)).toMatchObject({
      status: 'recording',
      callId: facts.id,
      failure: null,
    });
    expect(await set.catalogue.auditTrail.of(id)).toMatchObject([{ event: 'found in the spool', to: 'recording' }]);
    // It rested long enough.
    set.clock.at = Date.now() + 60_000;
    await finishRecordings(set);
    expect(await set.catalogue.recordings.find(id)).toMatchObject({ status: 'recorded' });
    expect(await set.spooled()).toHaveLength(1);
  });

  test.each<[string, string, NonNullable<Parameters<typeof saveCall>[1]>]>([
    [
      'who refused while the notice played',
      'refused',
      { shape: { mode: 'optOut' }, events: (facts) => [...begun(facts), ...press(keys.refuse), callerLeft] },
    ],
    [
      'who refused while the destination rang',
      'refused',
      {
        shape: { mode: 'optOut' },
        events: (facts) => [...eventsTo('dialling', facts), ...press(keys.refuse), callerLeft],
      },
    ],
    [
      'who was asked and said nothing',
      'no_consent',
      {
        shape: { mode: 'optIn' },
        events: (facts) => [
          ...begun(facts),
          ...heardNotice(facts.order),
          { type: 'timeUp', timer: 'consent' },
          { type: 'timeUp', timer: 'playback' },
        ],
      },
    ],
    [
      'who left before they answered',
      'no_consent',
      { shape: { mode: 'optIn' }, events: (facts) => [...begun(facts), ...heardNotice(facts.order), callerLeft] },
    ],
    [
      'who may have refused while the connection was lost',
      'no_consent',
      {
        shape: { mode: 'optOut' },
        events: (facts) => [
          ...eventsTo('dialling', facts),
          { type: 'eventsMissed' },
          { type: 'destinationAnswered', at: undefined },
          callerLeft,
        ],
      },
    ],
    [
      'whose call the lot left out',
      'not_sampled',
      { shape: { sampled: false }, events: (facts) => [...begun(facts), ...heardNotice(facts.order)] },
    ],
    [
      'with somebody in the bridge who was not told',
      'untold_party',
      {
        events: (facts) => [
          ...eventsTo('dialling', facts),
          { type: 'thirdPartyJoined', channel: stranger },
          { type: 'destinationAnswered', at: undefined },
          { type: 'thirdPartyLeft', channel: stranger },
          callerLeft,
        ],
      },
    ],
    ['who was not told', 'not_told', { events: (facts) => [...begun(facts), callerLeft] }],
  ])('of a caller %s is removed and never a recording: %s', async (_, failure, options) => {
    const set = await stage();
    const { id } = await orphan(set, options);
    await sweepSpool(set);
    expect(await set.spooled()).toEqual([]);
    expect(await set.catalogue.recordings.find(id)).toMatchObject({ status: 'discarded', failure });
    expect(await set.catalogue.auditTrail.of(id)).toMatchObject([
      { event: 'found in the spool', to: 'discarded' },
      { event: 'removed from the spool' },
    ]);
  });

  test('is left alone while its call goes on', async () => {
    const set = await stage();
    const { id } = await orphan(set, { until: 'dialling' });
    await sweepSpool(set);
    expect(await set.catalogue.recordings.find(id)).toBeUndefined();
    expect(await set.spooled()).toHaveLength(1);
  });

  test('is left alone when no call was to make it', async () => {
    const set = await stage();
    await writeFile(spoolFile(set.spoolFolder, '01ARZ3NDEKTSV4RRFFQ69G5FAV' as SavedCall['id']), toneWav(440));
    await sweepSpool(set);
    expect(await set.spooled()).toHaveLength(1);
    expect(await set.catalogue.recordings.list({ limit: 9 })).toEqual([]);
  });
});

describe('a WAV in the spool that the catalogue knows', () => {
  test('of a caller who refused while they talked, and that Asterisk did not remove, is removed', async () => {
    const set = await stage();
    const { id } = await set.recorded(undefined, {
      shape: { mode: 'optOut' },
      events: (facts) => [...eventsTo('talking', facts), ...press(keys.featureCode), callerLeft],
    });
    await sweepSpool(set);
    expect(await set.spooled()).toEqual([]);
    expect(await set.catalogue.recordings.find(id)).toMatchObject({ status: 'discarded', failure: 'refused' });
    expect((await set.catalogue.auditTrail.of(id)).at(-1)).toMatchObject({ event: 'removed from the spool' });
  });

  test('as lost is found again', async () => {
    const set = await stage();
    const { id, wav, file } = await set.recorded();
    await rm(file);
    await finishRecordings(set);
    expect(await set.catalogue.recordings.find(id)).toMatchObject({ status: 'lost' });
    await writeFile(file, wav);
    await sweepSpool(set);
    expect(await set.catalogue.recordings.find(id)).toMatchObject({ status: 'recorded', bytes: wav.length });
    expect(await set.catalogue.recordings.purposeEnds(id)).toHaveLength(1);
  });

  test('and that is on its way is left as it is', async () => {
    const set = await stage();
    const { id } = await set.finished();
    const before = await set.catalogue.auditTrail.of(id);
    await sweepSpool(set);
    expect(await set.catalogue.auditTrail.of(id)).toEqual(before);
    expect(await set.spooled()).toHaveLength(1);
  });
});
