/** Asterisk's own call detail records (CDR), as an operator's statistics have them. */
import { chmodSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Rig } from '../../../lab/rig.ts';
import { eventually } from '../poll.ts';

const folderOf = (rig: Rig): string => join(rig.asterisk.folder, 'log/cdr-custom');

/** The configuration that writes them. */
export const callRecordsConf = {
  'cdr.conf': '[general]\nenable = yes\n',
  'cdr_custom.conf':
    '[mappings]\nMaster.csv => ${CDR(dst)},${CDR(dstchannel)},${CDR(disposition)},${CDR(billsec,f)},${CDR(userfield)}\n',
};

/** Asterisk makes files there and no folder; to be called before the first call. */
export function makeCallRecordsFolder(rig: Rig): void {
  mkdirSync(folderOf(rig));
  chmodSync(folderOf(rig), 0o777);
}

type CallRecord = {
  /** The channel of whom they talked with. */
  to: string;
  disposition: string;
  /** From the answer to the end, s. */
  billsec: number;
  userField: string;
};

/** The newest record of a call to this extension. */
export function callRecordOf(rig: Rig, extension: string): Promise<CallRecord> {
  return eventually(() => {
    const file = join(folderOf(rig), 'Master.csv');
    const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
    const fields = text
      .split('\n')
      .map((each) => each.split(','))
      .findLast(([to]) => to === extension);
    if (fields === undefined) throw new Error(`no record of ${extension}:\n${text}`);
    const [, to = '', disposition = '', billsec = '', userField = ''] = fields;

    return { to, disposition, billsec: Number(billsec), userField };
  });
}
