/** A real Prometheus on loopback that scrapes one page, and promtool: unpacked from Debian's packages by prepare.mjs. */
import { spawn } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { stringify } from 'yaml';
import { prometheusPrograms } from './machine/folders.mjs';
import { claimPorts } from './machine/ports.ts';
import { makeLabFolder, spawnLive } from './machine/processes.ts';

/** A series of an instant query: its labels, and its value as Prometheus writes it. */
type Sample = { labels: Readonly<Record<string, string>>; value: string };

export type PrometheusOptions = {
  /** Of the page on 127.0.0.1 that is scraped, each second. */
  pagePort: number;
  /** The name of the scrape job. */
  job: string;
  ruleFiles?: readonly string[];
};

export type LabPrometheus = {
  /** Throws what Prometheus says of a query that it does not take. */
  query(expression: string): Promise<Sample[]>;
  /** The alerts that are pending or firing, by name. */
  alerts(): Promise<string[]>;
  /** Idempotent. */
  stop(): Promise<void>;
};

const startLimitMs = 30_000;

function programs(): ReturnType<typeof prometheusPrograms> {
  const found = prometheusPrograms();
  if (!Object.values(found).every((program) => existsSync(program))) {
    throw new Error('There is no Prometheus in the lab. Run: node lab/prepare.mjs --with prometheus');
  }

  return found;
}

/** Runs promtool; all that it says. */
export async function promtool(args: readonly string[], input = ''): Promise<{ code: number | null; said: string }> {
  const child = spawn(programs().promtool, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  child.stdin.end(input);
  const exited = new Promise<number | null>((resolve, reject) => {
    child.once('close', resolve);
    child.once('error', reject);
  });
  const [code, out, err] = await Promise.all([exited, text(child.stdout), text(child.stderr)]);

  return { code, said: `${out}${err}` };
}

type Answer = { status: string; error?: string; data: unknown };

/** Throws an Error with Prometheus's own words when it does not start. */
export async function startPrometheus({ pagePort, job, ruleFiles = [] }: PrometheusOptions): Promise<LabPrometheus> {
  const { prometheus } = programs();
  const folder = makeLabFolder();
  const block = await claimPorts(1);
  const configFile = join(folder.path, 'prometheus.yml');
  writeFileSync(
    configFile,
    stringify({
      global: { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' },
      rule_files: ruleFiles,
      scrape_configs: [{ job_name: job, static_configs: [{ targets: [`127.0.0.1:${pagePort}`] }] }],
    }),
  );
  const logFile = join(folder.path, 'prometheus.log');
  const origin = `http://127.0.0.1:${block.first}`;
  const args = [
    `--config.file=${configFile}`,
    `--storage.tsdb.path=${join(folder.path, 'data')}`,
    `--web.listen-address=127.0.0.1:${block.first}`,
  ];
  const process = await spawnLive(prometheus, args, { cwd: folder.path, logFile });
  const stop = async (): Promise<void> => {
    await process.stop();
    block.release();
    folder.remove();
  };
  const ask = async (path: string): Promise<unknown> => {
    const answer = (await (await fetch(`${origin}/api/v1/${path}`)).json()) as Answer;
    if (answer.status !== 'success') throw new Error(`Prometheus: ${answer.error ?? 'no answer'}`);

    return answer.data;
  };
  for (const until = Date.now() + startLimitMs; ;) {
    const isReady = await fetch(`${origin}/-/ready`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (isReady) break;
    if (!process.isRunning() || Date.now() > until) {
      await stop();
      throw new Error('Prometheus does not start. See whether its configuration is right.');
    }
    await delay(50);
  }

  return {
    query: async (expression) => {
      const data = (await ask(`query?query=${encodeURIComponent(expression)}`)) as {
        result: { metric: Record<string, string>; value: [number, string] }[];
      };

      return data.result.map(({ metric, value: [, value] }) => ({ labels: metric, value }));
    },
    alerts: async () => {
      const data = (await ask('alerts')) as { alerts: { labels: Record<string, string> }[] };

      return data.alerts.map(({ labels }) => labels['alertname'] ?? '');
    },
    stop,
  };
}
