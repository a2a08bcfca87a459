// Who may import whom, checked in script/test. Keep in step with the table in docs/architecture.md.

/** What a folder of src/ may import besides itself: folders, and packages from node_modules. `node`: Node's modules. */
const LAYERS = {
  core: { folders: [], packages: ['ipaddr.js'] },
  clock: { folders: ['core'] },
  native: { folders: ['core'], node: true },
  wire: { folders: ['core'] },
  pcap: { folders: ['core'] },
  reassembly: { folders: ['core', 'wire'] },
  protocol: { folders: ['core'] },
  control: { folders: ['core', 'wire'] },
  // Of reassembly only the assembler: see `session-only-assembler`.
  session: { folders: ['core', 'wire', 'reassembly'] },
  pipeline: { folders: ['core', 'protocol'], packages: ['tapable'] },
  capture: { folders: ['core', 'clock', 'wire', 'pcap', 'native'], packages: ['cap'], node: true },
  inject: { folders: ['core', 'wire', 'pcap', 'native'], packages: ['raw-socket'], node: true },
  report: { folders: ['core'], packages: ['cli-table3', 'picocolors', 'prom-client'], node: true },
  config: { folders: ['core'], packages: ['zod', 'ipaddr.js'] },
  // The entry of plugins: what it exports of other layers is public.
  plugin: {
    folders: ['core', 'protocol', 'pipeline', 'config'],
    packages: ['zod'],
    // For their types, which plugins of others need to tap these protocols.
    files: ['^plugins/(http|mysql|redis)/index\\.ts$'],
    // Files that options name.
    node: true,
  },
  replay: {
    folders: [
      ...['core', 'clock', 'native', 'wire', 'pcap', 'reassembly', 'protocol', 'control', 'session', 'pipeline'],
      ...['capture', 'inject', 'report', 'config', 'diagnosis'],
    ],
    packages: ['jiti'],
    node: true,
  },
  intercept: { folders: ['core', 'clock', 'wire', 'capture', 'control', 'config'], node: true },
  diagnosis: { folders: ['core', 'wire', 'control'] },
  // Of replay only the control connection: see `doctor-only-connection`.
  doctor: {
    folders: ['core', 'clock', 'native', 'wire', 'control', 'capture', 'inject', 'config', 'diagnosis', 'replay'],
    packages: ['picocolors'],
    node: true,
  },
  cli: {
    folders: ['core', 'clock', 'native', 'config', 'replay', 'intercept', 'doctor', 'report'],
    packages: ['commander', 'pino', 'picocolors', 'yaml'],
    node: true,
  },
  // The kit of plugin authors: stand-ins for source, target and clock around the real run.
  testing: {
    folders: [
      ...['core', 'wire', 'pcap', 'reassembly', 'protocol', 'pipeline', 'plugin'],
      ...['capture', 'report', 'config', 'replay'],
    ],
    packages: ['zod'],
  },
};

const rules = Object.entries(LAYERS).flatMap(([folder, { folders, packages = [], files = [], node = false }]) => {
  const allowed = [`^src/${folder}/`, ...folders.map((f) => `^src/${f}/`), ...files];
  const found = [
    {
      name: `${folder}-imports`,
      comment: `src/${folder} imports only ${[...folders, 'itself'].join(', ')}`,
      severity: 'error',
      from: { path: `^src/${folder}/` },
      to: { path: '^(src|plugins|test|bench|script)/', pathNot: allowed },
    },
    {
      name: `${folder}-packages`,
      comment: `src/${folder} uses ${packages.length > 0 ? packages.join(', ') : 'no packages'}`,
      severity: 'error',
      from: { path: `^src/${folder}/` },
      to: {
        dependencyTypes: ['npm', 'npm-dev', 'npm-optional', 'npm-peer', 'npm-no-pkg', 'npm-unknown'],
        pathNot: packages.map((p) => `node_modules/${p.replace('.', '\\.')}(/|$)`),
      },
    },
  ];
  if (!node) {
    found.push({
      name: `${folder}-node`,
      comment: `src/${folder} does not touch Node's modules`,
      severity: 'error',
      from: { path: `^src/${folder}/` },
      to: { dependencyTypes: ['core'] },
    });
  }
  return found;
});

module.exports = {
  forbidden: [
    ...rules,
    {
      name: 'session-only-assembler',
      comment: 'src/session takes the assembler from reassembly and nothing else',
      severity: 'error',
      from: { path: '^src/session/' },
      to: { path: '^src/reassembly/', pathNot: '^src/reassembly/(assembler|assembler-.*)\\.ts$' },
    },
    {
      name: 'doctor-only-connection',
      comment: 'src/doctor takes from replay the control connection and nothing else',
      severity: 'error',
      from: { path: '^src/doctor/' },
      to: { path: '^src/replay/', pathNot: '^src/replay/intercept-connection\\.ts$' },
    },
    {
      name: 'plugins-public-entry',
      comment: "plugins import 'tcpcopy/plugin' and their own files",
      severity: 'error',
      from: { path: '^plugins/([^/]+)/' },
      to: { path: '^(src|plugins)/', pathNot: ['^plugins/$1/', '^src/plugin/index\\.ts$'] },
    },
    {
      name: 'no-cycles',
      severity: 'error',
      from: { path: '^(src|plugins)/' },
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    { name: 'unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true, pathNot: '^(cap|raw-socket)$' } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|prebuilds)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { extensions: ['.ts', '.js', '.json'], conditionNames: ['import', 'node', 'default'] },
  },
};
