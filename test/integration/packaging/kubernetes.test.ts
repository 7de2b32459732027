import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import * as z from 'zod';
import { loadConfig } from '../../../src/config/load.ts';
import { makePolicy, neededPrompts } from '../../../src/policy/policy.ts';
import { loadPrompts } from '../../../src/prompts/library.ts';
import { checkSchedule } from '../../../src/services/schedule.ts';
import { kubernetesFaults, type KubernetesObject } from '../../support/packaging/kubernetesFaults.ts';
import { runCommand } from '../../support/command.ts';
import { shippedSounds } from '../../support/policy/promptFolder.ts';

/** What config/kubernetes says, compared with Kubernetes and with the product. No cluster is needed, and none has seen it. */

const root = join(import.meta.dirname, '..', '..', '..');
const folder = join(root, 'config', 'kubernetes');
const dockerfile = readFileSync(join(root, 'Dockerfile'), 'utf8');
const packageVersion = z
  .looseObject({ version: z.string() })
  .parse(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))).version;

const labels = z.record(z.string(), z.string());
const variable = z.looseObject({
  name: z.string(),
  value: z.string().optional(),
  valueFrom: z.looseObject({ secretKeyRef: z.looseObject({ name: z.string(), key: z.string() }) }).optional(),
});
const probe = z.looseObject({ httpGet: z.looseObject({ path: z.string(), port: z.string() }) });
const container = z.looseObject({
  name: z.string(),
  image: z.string(),
  command: z.array(z.string()).optional(),
  args: z.array(z.string()).optional(),
  env: z.array(variable).default([]),
  ports: z.array(z.looseObject({ name: z.string(), containerPort: z.number() })).default([]),
  volumeMounts: z
    .array(z.looseObject({ name: z.string(), mountPath: z.string(), readOnly: z.boolean().optional() }))
    .default([]),
  securityContext: z.unknown().optional(),
  resources: z.looseObject({ requests: labels, limits: labels }),
  startupProbe: probe.optional(),
  livenessProbe: probe.optional(),
  readinessProbe: probe.optional(),
});
const pod = z.looseObject({
  metadata: z.looseObject({ labels }),
  spec: z.looseObject({
    securityContext: z.unknown(),
    automountServiceAccountToken: z.boolean().optional(),
    enableServiceLinks: z.boolean().optional(),
    terminationGracePeriodSeconds: z.number().optional(),
    affinity: z.unknown().optional(),
    restartPolicy: z.string().optional(),
    initContainers: z.array(container).default([]),
    containers: z.tuple([container]),
    volumes: z.array(z.looseObject({ name: z.string() })),
  }),
});
const workload = z.looseObject({
  spec: z.looseObject({ selector: z.looseObject({ matchLabels: labels }), template: pod }),
});
const cronJob = z.looseObject({
  spec: z.looseObject({
    schedule: z.string(),
    timeZone: z.string(),
    concurrencyPolicy: z.string(),
    jobTemplate: z.looseObject({ spec: z.looseObject({ template: pod }) }),
  }),
});

const documentsOf = (name: string): KubernetesObject[] =>
  parseAllDocuments(readFileSync(join(folder, name), 'utf8')).map((document) => {
    expect(document.errors).toEqual([]);
    const object: unknown = document.toJS();

    return z
      .looseObject({ apiVersion: z.string(), kind: z.string(), metadata: z.looseObject({ name: z.string() }) })
      .parse(object);
  });

const manifests = ['serve.yaml', 'jobs.yaml', 'disruption.yaml'];
const objects = manifests.flatMap(documentsOf);
const kinds = (kind: string): KubernetesObject[] => objects.filter((object) => object.kind === kind);
const serve = workload.parse(kinds('StatefulSet')[0]).spec.template;
const jobs = kinds('CronJob').map((object) => ({ name: object.metadata.name, ...cronJob.parse(object).spec }));
const pods = [serve, ...jobs.map((job) => job.jobTemplate.spec.template)];
const [product] = serve.spec.containers;
const kustomization = z
  .looseObject({
    resources: z.array(z.string()),
    configMapGenerator: z.array(z.looseObject({ name: z.string(), files: z.array(z.string()) })),
    images: z.array(z.looseObject({ name: z.string(), newName: z.string(), newTag: z.string() })),
  })
  .parse(parse(readFileSync(join(folder, 'kustomization.yaml'), 'utf8')));

/** As Kubernetes gives them; a secret is a text of this length. */
const environmentOf = ({ env }: z.output<typeof container>): NodeJS.ProcessEnv =>
  Object.fromEntries(env.map(({ name, value }) => [name, value ?? 'x'.repeat(40)]));

const configOf = (environment: NodeJS.ProcessEnv) => loadConfig(join(folder, 'preavis.yaml'), environment);

describe('Kubernetes', () => {
  test('takes every object, by its schema, and knows every key', () => {
    expect(objects.map(({ kind }) => kind)).toEqual([
      'PersistentVolumeClaim',
      'Service',
      'StatefulSet',
      'CronJob',
      'CronJob',
      'PodDisruptionBudget',
    ]);
    expect(kubernetesFaults(objects)).toEqual([]);
  });

  test.each([
    ['a misspelt key', /\bterminationGraceSeconds\b/, { terminationGraceSeconds: 90 }],
    ['a value that is none of its list', /restartPolicy|Sometimes/, { restartPolicy: 'Sometimes' }],
    [
      'a text in the place of a number',
      /terminationGracePeriodSeconds|number/,
      { terminationGracePeriodSeconds: '90' },
    ],
  ])('would not take %s', (_, fault, wrong) => {
    const [object] = kinds('StatefulSet');
    const changed = structuredClone(object) as unknown as { spec: { template: { spec: object } } };
    Object.assign(changed.spec.template.spec, wrong);
    const faults = kubernetesFaults([changed as unknown as KubernetesObject]);
    expect(faults.join('\n')).toMatch(fault);
  });

  test('is given files that are there, by kustomize', () => {
    const files = [...kustomization.resources, ...kustomization.configMapGenerator.flatMap(({ files: each }) => each)];
    expect(readdirSync(folder)).toEqual(expect.arrayContaining(files));
    expect(readdirSync(folder).sort()).toEqual(['kustomization.yaml', 'disruption.yaml', ...files].sort());
  });
});

describe('the image', () => {
  test('is one, named by its version and never by "latest"', () => {
    const images = pods.flatMap(({ spec }) => [...spec.initContainers, ...spec.containers].map(({ image }) => image));
    expect(new Set(images)).toEqual(new Set(kustomization.images.map(({ name }) => name)));
    expect(kustomization.images.map(({ newTag }) => newTag)).toEqual([packageVersion]);
  });

  test('runs as its user, which is not root, with nothing that it may write but its volumes', () => {
    const uid = Number(/^USER (\d+):\d+$/m.exec(dockerfile)?.[1]);
    expect(uid).toBeGreaterThan(0);
    for (const { spec } of pods) {
      expect(spec.securityContext).toMatchObject({
        runAsNonRoot: true,
        runAsUser: uid,
        runAsGroup: uid,
        fsGroup: uid,
        fsGroupChangePolicy: 'OnRootMismatch',
        seccompProfile: { type: 'RuntimeDefault' },
      });
      for (const each of [...spec.initContainers, ...spec.containers])
        expect(each.securityContext).toEqual({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        });
      expect(spec).toMatchObject({ automountServiceAccountToken: false, enableServiceLinks: false });
    }
  });

  test('has the configuration where Préavis looks for it, and the catalogue on the volume', async () => {
    const config = await configOf(environmentOf(product));
    for (const { spec } of pods) {
      const [{ volumeMounts }] = spec.containers;
      const mounts = new Map(volumeMounts.map(({ mountPath, ...mount }) => [mountPath, mount]));
      expect(mounts.get('/etc/preavis')).toMatchObject({ readOnly: true });
      const state = mounts.get('/var/lib/preavis')?.name;
      expect(spec.volumes).toContainEqual({ name: state, persistentVolumeClaim: { claimName: 'preavis' } });
      expect(spec.volumes.map(({ name }) => name).sort()).toEqual(volumeMounts.map(({ name }) => name).sort());
    }
    expect(config.catalogue.file).toMatch(/^\/var\/lib\/preavis\//);
    expect(config.recording.spoolFolder).toMatch(/^\/var\/lib\/preavis\//);
    expect(serve.spec.initContainers[0]?.command).toEqual(['mkdir', '-p', '-m', '0700', config.recording.spoolFolder]);
    expect(dockerfile).toContain('VOLUME /var/lib/preavis\n');
  });
});

describe('the configuration', () => {
  test('is one that Préavis takes from each pod, with the prompts that come with it', async () => {
    for (const { spec } of pods) {
      const config = await configOf(environmentOf(spec.containers[0]));
      expect(neededPrompts(makePolicy(config, await loadPrompts(shippedSounds))).length).toBeGreaterThan(0);
    }
  });

  test('would be refused with the variables that Kubernetes sets for services, which no pod asks for', async () => {
    const links = { ...environmentOf(product), PREAVIS_WEB_SERVICE_HOST: '10.0.0.1' };
    await expect(configOf(links)).rejects.toMatchObject({ code: 'config_invalid' });
  });

  test('has no secret in it, and all pods have the same secrets and the same Asterisk', () => {
    expect(readFileSync(join(folder, 'preavis.yaml'), 'utf8')).not.toMatch(/password:|secretKey|accessKey|hashKey/i);
    const shared = (each: z.output<typeof pod>) =>
      each.spec.containers[0].env.filter(({ name }) => !name.startsWith('PREAVIS_HEALTH_'));
    const secrets = shared(serve).flatMap(({ valueFrom }) =>
      valueFrom === undefined ? [] : [valueFrom.secretKeyRef.key],
    );
    expect(secrets).toEqual(['ari-password', 'minio-access-key', 'minio-secret-key', 'hash-key']);
    for (const each of pods) expect(shared(each)).toEqual(shared(serve));
    const url = product.env.find(({ name }) => name === 'PREAVIS_ARI_URL');
    expect(serve.spec.initContainers[1]?.env).toEqual([url]);
  });
});

describe('serve', () => {
  test('is asked at the port and on the pages that it has, from outside the pod', async () => {
    const { health } = await configOf(environmentOf(product));
    expect(product.ports).toEqual([{ name: 'health', containerPort: health.port }]);
    expect(health.host).toBe('0.0.0.0');
    const page = (each: z.output<typeof probe> | undefined) => each?.httpGet;
    expect(page(product.startupProbe)).toEqual({ path: '/live', port: 'health' });
    expect(page(product.livenessProbe)).toEqual({ path: '/live', port: 'health' });
    expect(page(product.readinessProbe)).toEqual({ path: '/health', port: 'health' });
    const pages = readFileSync(join(root, 'src/serve/healthServer.ts'), 'utf8');
    for (const path of ['/live', '/health']) expect(pages).toContain(`page === '${path}'`);
    expect(kinds('Service')[0]).toMatchObject({
      spec: {
        selector: serve.metadata.labels,
        publishNotReadyAddresses: true,
        ports: [{ port: health.port, targetPort: 'health' }],
      },
    });
  });

  test('is one, and has longer to end than it lets calls go on', async () => {
    const { shutdown } = await configOf(environmentOf(product));
    expect(kinds('StatefulSet')[0]).toMatchObject({ spec: { replicas: 1 } });
    expect(serve.spec.terminationGracePeriodSeconds).toBeGreaterThan(shutdown.graceSeconds + 10);
    expect(workload.parse(kinds('StatefulSet')[0]).spec.selector.matchLabels).toEqual(serve.metadata.labels);
    expect(kinds('PodDisruptionBudget')[0]).toMatchObject({
      spec: { selector: { matchLabels: serve.metadata.labels } },
    });
  });
});

describe('the jobs', () => {
  test('run commands that there are, one at a time, at times that there are', async () => {
    expect(jobs.map(({ name }) => name)).toEqual(['preavis-upload', 'preavis-retention']);
    for (const job of jobs) {
      checkSchedule([{ key: job.name, cron: job.schedule }], job.timeZone);
      expect(job.concurrencyPolicy).toBe('Forbid');
      const { args = [] } = job.jobTemplate.spec.template.spec.containers[0];
      const { code, stdout } = await runCommand([...args, '--help']);
      expect({ code, usage: stdout.split('\n')[0] }).toEqual({
        code: 0,
        usage: `Usage: preavis ${args.join(' ')} [options]`,
      });
    }
  });

  test('run where serve runs, since they open its catalogue', () => {
    for (const { jobTemplate } of jobs) {
      const { spec, metadata } = jobTemplate.spec.template;
      expect(spec.restartPolicy).toBe('Never');
      expect(spec.affinity).toEqual({
        podAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: [
            { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: serve.metadata.labels } },
          ],
        },
      });
      // Else the service and the budget would count them as serve.
      expect(metadata.labels).not.toMatchObject(serve.metadata.labels);
    }
  });
});
