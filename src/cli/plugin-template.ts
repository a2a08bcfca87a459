/** The files of a new plugin's package, by path. */
export function pluginTemplate(name: string, packageName: string, version: string): Readonly<Record<string, string>> {
  return {
    'package.json': packageJson(packageName, version),
    'tsconfig.json': TSCONFIG,
    '.gitignore': 'node_modules\ndist\n',
    'README.md': readme(name, packageName),
    'src/index.ts': source(name),
    'test/plugin.test.ts': test(name),
  };
}

function packageJson(packageName: string, version: string): string {
  const content = {
    name: packageName,
    version: '0.1.0',
    description: 'A plugin for tcpcopy.',
    keywords: ['tcpcopy', 'tcpcopy-plugin'],
    license: 'MIT',
    type: 'module',
    engines: { node: '>=20.18.1' },
    exports: { '.': { types: './dist/src/index.d.ts', default: './dist/src/index.js' } },
    files: ['dist/src'],
    scripts: { build: 'tsc', test: 'tsc && node --test dist/test/plugin.test.js', prepack: 'tsc' },
    peerDependencies: { tcpcopy: `^${version}` },
    devDependencies: { '@types/node': '^20.0.0', tcpcopy: `^${version}`, typescript: '^5.9.0 || ^6.0.0' },
  };
  return `${JSON.stringify(content, null, 2)}\n`;
}

const TSCONFIG = `{
  "compilerOptions": {
    "target": "ES2022",
    "module": "NodeNext",
    "moduleResolution": "NodeNext",
    "types": ["node"],
    "strict": true,
    "declaration": true,
    "skipLibCheck": true,
    "rootDir": ".",
    "outDir": "dist"
  },
  "include": ["src", "test"]
}
`;

function readme(name: string, packageName: string): string {
  return `# ${packageName}

A plugin for [tcpcopy](https://www.npmjs.com/package/tcpcopy): leaves out requests whose first bytes are more than a limit.

\`\`\`sh
npm install ${packageName}
tcpcopy … --plugin ${packageName.startsWith('@') ? packageName : name}=1k
\`\`\`

| Option | Meaning |
|---|---|
| \`max\` | largest first piece of a request that is copied, in bytes (\`500\`, \`1k\`) |

While you work on it, no build is needed: \`tcpcopy plugin check ./src/index.ts=1k\`, \`tcpcopy … --plugin ./src/index.ts=1k\`.
`;
}

function source(name: string): string {
  return `import { definePlugin, option, z } from 'tcpcopy/plugin';

export default definePlugin({
  name: '${name}',
  description: 'Leaves out requests whose first bytes are more than a limit.',
  phase: 'filter',
  options: z.object({
    max: option.size().describe('Largest first piece of a request that is copied.'),
  }),
  shorthand: 'max',
  examples: ['${name}=1k'],
  apply(hooks, { max }) {
    hooks.request.tap('${name}', (request) => {
      if (request.piece.length > max) request.drop('too large');
    });
  },
});
`;
}

function test(name: string): string {
  return `import assert from 'node:assert/strict';
import { test } from 'node:test';
import { refusalOf, TestRun } from 'tcpcopy/testing';
import plugin from '../src/index.js';

test('leaves out what is too large, and nothing else', async () => {
  const run = await TestRun.start([[plugin, '${name}=8']]);
  const connection = run.connect();
  assert.equal(connection.send('eight by'), 'eight by');
  assert.equal(connection.send('nine byte'), '');
  assert.deepEqual(connection.dropped, ['too large']);
  connection.end();
  const { balanced, units } = await run.finish();
  assert.ok(balanced);
  assert.equal(units.filtered, 1);
});

test('refuses a limit that is none', () => {
  assert.match(refusalOf(plugin, '${name}=huge'), /max=huge/);
});
`;
}
