/** How far things got, step by step along the way of a copy. */
import type { Evidence, ProbeEvidence } from './evidence.ts';
import { hostPort } from './networks.ts';
import { arrivalsToForward, isAnswer } from './rules/answers.ts';

/** `none`: it could not be tried. `note`: worth knowing, nothing to mend. */
export type StageState = 'ok' | 'no' | 'none' | 'note';

export interface Stage {
  readonly name: string;
  readonly state: StageState;
  readonly text: string;
}

export function stagesOf(e: Evidence): Stage[] {
  const clients = e.probes.filter(({ kind }) => kind === 'client');
  return [thisHost(e), ...(e.plan.targetKind === 'raw' ? rawStages(e, clients) : socketStages(e)), ...headroom(e)];
}

function thisHost({ plan, local }: Evidence): Stage {
  const name = 'this host';
  if (local.permission !== undefined) return { name, state: 'no', text: local.permission };
  const [missing] = local.missingDevices;
  if (missing !== undefined) return { name, state: 'no', text: `${missing.name} is ${missing.why}` };
  const { sample } = local;
  const port = `port ${plan.onlinePorts.join(', ')}`;
  if (sample === undefined) return { name, state: 'none', text: 'reads a recording' };
  const devices = plan.devices.join(', ');
  if (sample.frames > 0) {
    const { frames, seconds } = sample;
    return {
      name,
      state: 'ok',
      text: `${frames} packet${frames === 1 ? '' : 's'} to ${port} in ${seconds} s on ${devices}`,
    };
  }
  const wrong = sample.unfiltered > 0 || sample.elsewhere.length > 0 || local.listening === false;
  return { name, state: wrong ? 'no' : 'note', text: `nothing to ${port} in ${sample.seconds} s on ${devices}` };
}

function rawStages(e: Evidence, clients: readonly ProbeEvidence[]): Stage[] {
  const links = e.intercepts.map(({ host, port, problem, version, capturesOn, watchProblem }): Stage => {
    const where = hostPort(host, port);
    if (problem !== undefined) return { name: 'intercept', state: 'no', text: `${where}: ${problem.message}` };
    if (watchProblem !== '') return { name: 'intercept', state: 'note', text: `${where}: ${watchProblem}` };
    return { name: 'intercept', state: 'ok', text: `${where}, release ${version}, captures on ${capturesOn}` };
  });
  const left = clients.filter(({ leftBy, matched }) => leftBy !== undefined || matched !== undefined);
  const answered = clients.filter(wasAnswered);
  const arrived = answered.filter(
    ({ matched, seen }) => matched !== undefined || seen.some((s) => s.at !== 'online' && isAnswer(s)),
  );
  const matched = arrived.filter((p) => p.matched !== undefined);
  const by = [...new Set(left.flatMap(({ leftBy }) => leftBy ?? []))].join(', ');
  return [
    ...links,
    step('probes left', left, clients, by === '' ? '' : `by ${by}`, noProbes(e)),
    step('target answered', answered, left, refusals(answered)),
    step('answers arrived', arrived, answered, `at ${e.intercepts.map(({ host }) => host).join(', ')}`),
    step('answers matched', matched, arrived, ''),
    fullSize(e),
    ...forwarding(e, clients),
  ];
}

function wasAnswered({ matched, seen }: ProbeEvidence): boolean {
  return matched !== undefined || seen.some((s) => isAnswer(s) || s.kind === 'other-answer');
}

function refusals(answered: readonly ProbeEvidence[]): string {
  const resets = answered.filter(
    ({ matched, seen }) => matched === 'rst' || seen.some((s) => s.kind === 'rst-of-target'),
  );
  return resets.length > 0 ? `${resets.length} with a reset` : '';
}

/** `some` of the `all` that got here. */
function step(name: string, some: readonly unknown[], all: readonly unknown[], detail: string, otherwise = ''): Stage {
  if (all.length === 0) return { name, state: 'none', text: otherwise };
  const text = `${some.length} of ${all.length}${detail === '' || some.length === 0 ? '' : `, ${detail}`}`;
  return { name, state: some.length === all.length ? 'ok' : 'no', text };
}

function noProbes({ plan, intercepts }: Evidence): string {
  if (intercepts.every(({ problem }) => problem !== undefined)) return 'no lease, none sent';
  return plan.clients.length === 0 ? 'none sent: no client was seen, whose address they could have' : 'none sent';
}

function fullSize({ probes }: Evidence): Stage {
  const name = 'full-size packets';
  const large = probes.filter(({ kind }) => kind === 'full-size');
  if (large.length === 0) return { name, state: 'none', text: '' };
  const size = Math.max(...large.map((p) => p.size));
  const full = large.filter((p) => p.size === size);
  const refused = full.find(({ sendError }) => sendError === 'EMSGSIZE');
  if (refused !== undefined) {
    return {
      name,
      state: 'note',
      text: `${size} bytes do not fit this host's route: sessions send smaller ones`,
    };
  }
  if (large.every(({ matched }) => matched === undefined)) {
    return { name, state: 'note', text: 'it cannot be told: SYNs with data are not answered, whatever their size' };
  }
  return { name, state: full.every((p) => p.matched !== undefined) ? 'ok' : 'no', text: `${size} bytes` };
}

/** It shows only sometimes what becomes of answers at a host that forwards; where it does, that is a finding. */
function forwarding(e: Evidence, clients: readonly ProbeEvidence[]): Stage[] {
  return arrivalsToForward(e, clients)
    .filter(({ onward, complaint }) => onward === undefined && !complaint)
    .map(({ host, device }) => ({
      name: 'forwarding',
      state: 'note',
      text: `on for ${device} at ${host}, which may pass answers on`,
    }));
}

function socketStages({ targets }: Evidence): Stage[] {
  return targets.map(({ address, port, connect }) => ({
    name: 'target',
    state: connect === 'connected' ? 'ok' : 'no',
    text: `${address} port ${port}: ${connect}`,
  }));
}

function headroom({ local }: Evidence): Stage[] {
  const notes: Stage[] = [];
  const { loadAverage, processors, sample } = local;
  if (loadAverage > processors) {
    notes.push({ name: 'headroom', state: 'note', text: `load ${loadAverage.toFixed(1)} on ${processors} processors` });
  }
  if (sample !== undefined && sample.kernelDropped > 0) {
    notes.push({
      name: 'headroom',
      state: 'note',
      text: `the kernel dropped ${sample.kernelDropped} packets of a small capture; -B and --workers help a run`,
    });
  }
  return notes;
}
