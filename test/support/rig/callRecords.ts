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

/** The records of calls to this extension so far, the newest last. */
export function callRecordsOf(rig: Rig, extension: string): CallRecord[] {
  const file = join(folderOf(rig), 'Master.csv');
  const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : [];

  return lines
    .map((line) => line.split(','))
    .filter(([of]) => of === extension)
    .map(([, to = '', disposition = '', billsec = '', userField = '']) => ({
      to,
      disposition,
      billsec: Number(billsec),
      userField,
    }));
}

/** The newest record of a call to this extension, behind those that were there before the call: Asterisk writes it when the call is over. */
export const callRecordOf = (rig: Rig, extension: string, before: readonly CallRecord[]): Promise<CallRecord> =>
  eventually(() => callRecordsOf(rig, extension).slice(before.length).at(-1) ?? false);
