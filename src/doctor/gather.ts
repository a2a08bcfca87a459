/** Gathers the evidence for a diagnosis of `tcpcopy`'s side: this host first, then probes through the real way. */
import { randomBytes, randomInt } from 'node:crypto';
import type { CopyOptions } from '../config/copy-options.ts';
import { BLOCK_PORTS } from '../control/protocol.ts';
import { TcpcopyError } from '../core/errors.ts';
import { formatIp, parseIp, type IpAddress } from '../core/ip-address.ts';
import type { Evidence, InterceptEvidence, Plan, ProbeKind } from '../diagnosis/evidence.ts';
import { hostAddresses } from '../diagnosis/networks.ts';
import { planOf, probeSources } from '../diagnosis/plan-of.ts';
import { Segment } from '../wire/segment.ts';
import { checkHost } from './local-checks.ts';
import { Probe } from './probe.ts';
import { ProbeLink } from './probe-link.ts';
import { ProbeRounds } from './probe-round.ts';
import { checkTarget } from './target-check.ts';
import { sampleTraffic, type SampleResult } from './traffic-sample.ts';

/** Addresses of the intercept's host that are probed from. */
const MAX_ASSISTANT_SOURCES = 4;
/** Sizes to try where the full one does not get through: links in use, then what any of them carries. */
const SMALLER_SIZES = [1492, 1480, 1450, 1420, 1400, 1350, 1300, 1280, 1200, 1000, 576];
const IPV4_AND_TCP = 40;
const IPV6_AND_TCP = 60;

export async function gather(options: CopyOptions, version: string): Promise<Evidence> {
  const plan = planOf(options);
  const host = await checkHost(plan.devices, options.mappings);
  const usable = plan.devices.filter((name) => !host.missingDevices.some((missing) => missing.name === name));
  const sampling = usable.length === 0 ? undefined : sample(options, usable);
  const checking = Promise.all(plan.targets.map(({ address, port }) => checkTarget(address, port)));
  const probing =
    options.target === 'raw' && options.intercepts.length > 0
      ? probe(options, plan, version, async () => (await sampling)?.clients ?? [])
      : Promise.resolve({ intercepts: [], probes: [], permission: undefined });
  const [sampled, targets, probed] = await Promise.all([sampling, checking, probing]);
  return {
    plan,
    local: { ...host, permission: sampled?.permission ?? probed.permission, sample: sampled?.sample },
    intercepts: probed.intercepts,
    targets,
    probes: probed.probes,
  };
}

type Sampled = { readonly permission?: string } & Partial<SampleResult>;

async function sample(options: CopyOptions, devices: readonly string[]): Promise<Sampled> {
  try {
    return await sampleTraffic(options, devices);
  } catch (error) {
    if (error instanceof TcpcopyError && error.code === 'E_PERMISSION') return { permission: error.message };
    throw error;
  }
}

type Probed = Pick<Evidence, 'intercepts' | 'probes'> & { readonly permission: string | undefined };

async function probe(
  options: CopyOptions,
  plan: Plan,
  version: string,
  seenClients: () => Promise<readonly string[]>,
): Promise<Probed> {
  const current: { rounds?: ProbeRounds } = {};
  const segment = new Segment();
  const setup = {
    options,
    instanceId: randomBytes(8),
    version,
    targets: plan.targets.map(({ address, port }) => ({ address: parseIp(address)!, portFirst: port, portLast: port })),
    clients: options.clientAddresses,
    response: (response: Segment) => current.rounds?.response(response),
  };
  const links = options.intercepts.map((address) => new ProbeLink(address, setup, segment));
  await Promise.all(links.map((link) => link.connect()));
  const usable = links.filter((link) => link.usable);
  const block = commonBlock(usable);
  let permission: string | undefined;
  if (block !== undefined) {
    const rounds = new ProbeRounds(options.io, [{ portFirst: block, portLast: block + BLOCK_PORTS - 1 }]);
    try {
      await rounds.open();
      current.rounds = rounds;
      await Promise.all(usable.map((link) => link.watch()));
      const clients = plan.clients.length > 0 ? [] : await seenClients();
      await runRounds(rounds, options, plan, links, block, clients);
      await Promise.all(usable.map((link) => link.finish()));
      links.forEach((link, index) => {
        for (const sighting of link.report?.sightings ?? []) {
          for (const one of rounds.probes) one.see(index, sighting);
        }
      });
    } catch (error) {
      if (!(error instanceof TcpcopyError) || error.code !== 'E_PERMISSION') throw error;
      permission = error.message;
    } finally {
      await rounds.close();
    }
  }
  const intercepts = links.map((link) => link.evidence());
  await Promise.all(links.map((link) => link.close()));
  return { intercepts, probes: (current.rounds?.probes ?? []).map((one) => one.evidence()), permission };
}

/** One that all of them have granted; instances with one id tend to be granted the same. */
function commonBlock(links: readonly ProbeLink[]): number | undefined {
  const [first] = links;
  return first?.blocks.find((block) => links.every(({ blocks }) => blocks.includes(block))) ?? first?.blocks[0];
}

async function runRounds(
  rounds: ProbeRounds,
  options: CopyOptions,
  plan: Plan,
  links: readonly ProbeLink[],
  block: number,
  seenClients: readonly string[],
): Promise<void> {
  // A round's ports begin anywhere in the block, so that a doctor called twice is not taken for a repetition.
  let port = block + randomInt(BLOCK_PORTS / 2);
  const pump = (): void => links.forEach((link) => link.takeResponses());
  const make = (kind: ProbeKind, source: IpAddress, target: IpAddress, targetPort: number, size: number): Probe =>
    new Probe({ kind, source, sourcePort: port++, target, targetPort }, size, options.mss);

  const first = plan.targets.flatMap(({ address, port: targetPort }) => {
    const target = parseIp(address)!;
    const given = probeSources(options.clientAddresses, target.version);
    const own = seenClients.flatMap((text) => parseIp(text) ?? []).filter((ip) => ip.version === target.version);
    const clients = given.length > 0 ? given : own;
    return [
      ...clients.map((source) => make('client', source, target, targetPort, 0)),
      ...assistantSources(links, target).map((source) => make('assistant', source, target, targetPort, 0)),
    ];
  });
  await rounds.run(first, pump);

  const answered = plan.targets.flatMap(({ address, port: targetPort }) => {
    const found = first.find(
      ({ route, matched }) =>
        route.kind === 'client' &&
        matched === 'syn-ack' &&
        formatIp(route.target) === address &&
        route.targetPort === targetPort,
    );
    return found === undefined ? [] : [found];
  });
  const sized = answered.map((one) => ({ one, size: largestPacket(options, one) }));
  const full = sized.map(({ one: { route }, size }) =>
    make('full-size', route.source, route.target, route.targetPort, size),
  );
  if (full.length === 0) return;
  await rounds.run(full, pump);
  const smaller = full.flatMap((one, i) => {
    if (one.answered || one.sendError !== undefined) return [];
    const { source, target, targetPort } = one.route;
    const sizes = SMALLER_SIZES.filter((size) => size < sized[i]!.size);
    return sizes.map((size) => make('full-size', source, target, targetPort, size));
  });
  if (smaller.length > 0) await rounds.run(smaller, pump);
}

/** As large as a session's packets would be: bound by -M, -D and what the target says it takes. */
function largestPacket({ mtu, mss }: CopyOptions, { route, mss: theirs }: Probe): number {
  const headers = route.target.version === 4 ? IPV4_AND_TCP : IPV6_AND_TCP;
  return Math.min(mtu, headers + Math.min(mss, theirs ?? mss));
}

/** Addresses of the intercepts' hosts, unless one of them is the target itself. */
function assistantSources(links: readonly ProbeLink[], target: IpAddress): IpAddress[] {
  const wanted = formatIp(target);
  return links.flatMap((link) => {
    const evidence: InterceptEvidence = link.evidence();
    const addresses = hostAddresses(evidence);
    if (addresses.includes(wanted)) return [];
    return addresses
      .flatMap((text) => parseIp(text) ?? [])
      .filter(({ version }) => version === target.version)
      .slice(0, MAX_ASSISTANT_SOURCES);
  });
}
