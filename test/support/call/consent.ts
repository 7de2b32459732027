/** What holds for every recording of every call, whatever was pressed (P1). */
import type { Rig } from '../../../lab/rig.ts';
import { withCatalogue } from '../rig/rigCatalogue.ts';
import { filesBelow } from '../rig/rigs.ts';

/**
 * No recording exists after a refusal, none of an opt-in purpose without the key, and none without a notice that was heard
 * whole before it began (unless a crash left that unknown: then its sound must tell). Every file of the spool and the archive belongs to a recording that may be kept.
 */
export async function expectOnlyConsented(rig: Rig, { startsKnown = true } = {}): Promise<void> {
  const kept = new Set<string>();
  await withCatalogue(rig, async (catalogue) => {
    for (const recording of await catalogue.recordings.list({ limit: 1000 })) {
      const call = await catalogue.calls.find(recording.callId);
      if (recording.status === 'discarded') {
        expect(recording).toMatchObject({ bytes: null, objectKey: null });
        // What nobody heard cannot have been pressed while serve listened.
        if (recording.failure === 'keys_unheard')
          expect(await catalogue.timeline.unwatched(recording.callId)).not.toEqual([]);
        else expect(call?.consent.answer).toBe('refused');
        continue;
      }
      kept.add(recording.id);
      expect(call?.consent.answer).not.toBe('refused');
      if (call?.consent.mode === 'optIn') {
        expect(call.consent.answer).toBe('accepted');
        expect(call.consent.at).toBeLessThanOrEqual(recording.startedAt ?? 0);
      }
      const notices = await catalogue.calls.notices(recording.callId);
      expect(notices.length).toBeGreaterThanOrEqual(1);
      for (const notice of notices) {
        // Of a question that they have answered, the end need not be heard.
        expect(['verified', ...(notice.prompt === 'opt-in' ? ['answered'] : [])]).toContain(notice.verdict);
        const startedAt = recording.startedAt ?? (startsKnown ? 0 : Infinity);
        expect(notice.finishedAt).toBeLessThanOrEqual(startedAt);
      }
    }
  });
  const files = [...filesBelow(rig.asterisk.spoolFolder), ...filesBelow(rig.archiveFolder)];
  const owners = files.map((file) => /^(?:preavis-)?([0-9A-Z]{26})\.(?:wav|json)$/.exec(file)?.[1] ?? file);
  expect(owners.filter((id) => !kept.has(id))).toEqual([]);
}
