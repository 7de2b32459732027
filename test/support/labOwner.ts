/** A program that starts things of the lab and then only waits; lab.test.ts ends it in different ways. */
import { startAsterisk } from '../../lab/asterisk/asterisk.ts';
import { startAgent } from '../../lab/telephones/sip.ts';

const agent = await startAgent({ behaviour: 'answer' });
const asterisk = await startAsterisk();
const { folder, ports } = asterisk;
process.stdout.write(
  `${JSON.stringify({ pid: asterisk.pid(), folder, ports: [ports.http, ports.sip, agent.port] })}\n`,
);
setInterval(() => undefined, 1000);
