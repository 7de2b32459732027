import { ArchiveOutageMonitor } from '../../../src/archive/outageMonitor.ts';
import { isoTime } from '../../../src/core/clock.ts';
import { expectArchived, useFaultyStore, type UploadStage } from '../../support/archive/uploadStage.ts';

const hourMs = 3_600_000;
const at = useFaultyStore();

describe('the alarm', () => {
  const told = ({ lines }: UploadStage, ...levels: string[]) =>
    lines.filter(({ level, msg }) => levels.includes(level) && msg.startsWith('archive'));

  it('is raised once when the archive stops working, and each hour while that lasts, and is called off once', async () => {
    const set = await at.stage(3);
    const watch = new ArchiveOutageMonitor(set);
    const from = set.clock.at;
    await at.proxy.refuse();
    // A pass each minute, for three hours and a bit.
    for (let minute = 0; minute <= 185; minute += 1) {
      watch.note(await set.pass());
      set.clock.at += 60_000;
    }
    const alarm = {
      level: 'error',
      code: 'archive_unreachable',
      since: isoTime(from),
      waiting: 3,
      msg: 'archive unavailable; recordings queued',
    };
    expect(told(set, 'warn', 'error', 'info')).toMatchObject([alarm, alarm, alarm, alarm]);
    expect(watch.state).toEqual({ status: 'failing', since: from, code: 'archive_unreachable' });
    expect(set.lines.filter(({ level, code }) => level !== 'info' && code !== undefined)).toHaveLength(4);

    await at.proxy.mend();
    for (let minute = 0; minute < 3; minute += 1) watch.note(await set.pass({ ask: watch.state.status !== 'working' }));
    expect(told(set, 'info')).toMatchObject([
      { msg: 'archive available again', since: isoTime(from), sent: 3, waiting: 0 },
    ]);
    expect(told(set, 'warn', 'error')).toHaveLength(4);
    expect(watch).toMatchObject({ state: { status: 'working' }, lastStoredAt: set.clock.at });
  });

  it('is called off although another process has sent what waited', async () => {
    const set = await at.stage(1);
    const watch = new ArchiveOutageMonitor(set);
    at.proxy.break({ kind: 'answer', status: 503 });
    watch.note(await set.pass());
    await at.proxy.mend();
    expect(await set.pass()).toMatchObject({ sent: 1 });
    watch.note(await set.pass());
    expect(watch.state.status).toBe('failing');
    watch.note(await set.pass({ ask: true }));
    expect(watch.state.status).toBe('working');
    await expectArchived(set);
  });

  it('is not raised for what one recording has by itself', async () => {
    const set = await at.stage(2);
    const watch = new ArchiveOutageMonitor(set);
    const [first] = set.calls;
    at.proxy.break({ kind: 'garble' }, { only: ({ path }) => path.includes(first?.id ?? '') });
    for (let attempt = 0; attempt < 5; attempt += 1) {
      watch.note(await set.pass());
      set.clock.at += hourMs;
    }
    expect(watch.state.status).toBe('working');
    expect(set.lines.filter(({ level }) => level === 'error')).toMatchObject([
      {
        recording: first?.id,
        code: 'archive_mismatch',
        msg: 'recording not archived: intervention required; will retry',
      },
    ]);
    expect(await set.catalogue.recordings.find(first?.id ?? '')).toMatchObject({
      attempts: 5,
      failure: 'archive_mismatch',
    });
  });
});
