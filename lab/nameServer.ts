/** A name server on loopback that answers for a few names, so that SIP looks up where a call goes as it does with a carrier. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { AUTHORITATIVE_ANSWER, decode, encode, type Answer } from 'dns-packet';

/** Code 3 of RFC 1035, 4.1.1: there is no such name. */
const noSuchName = 3;

export type NameServer = {
  readonly port: number;
  /** What was asked for, such as `SRV _sip._udp.pbx.example`, in the order in which it came. */
  readonly asked: readonly string[];
  close(): Promise<void>;
};

/** Answers by these records. A name without any is said not to exist. */
export async function startNameServer(records: readonly Answer[]): Promise<NameServer> {
  const socket = createSocket('udp4');
  const asked: string[] = [];
  const known = new Set(records.map(({ name }) => name));
  socket.on('message', (packet, { port, address }) => {
    const { id, questions } = decode(packet);
    const [question] = questions ?? [];
    if (question === undefined) return;
    // A resolver may write names in capitals here and there, against forged answers, and wants them back so.
    const name = question.name.toLowerCase();
    asked.push(`${question.type} ${name}`);
    const answers = records
      .filter((record) => record.name === name && record.type === question.type)
      .map((record) => ({ ...record, name: question.name }));
    const flags = AUTHORITATIVE_ANSWER | (known.has(name) ? 0 : noSuchName);
    socket.send(encode({ type: 'response', id: id ?? 0, flags, questions: [question], answers }), port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');

  return {
    port: socket.address().port,
    asked,
    close: async () => {
      socket.close();
      await once(socket, 'close');
    },
  };
}
