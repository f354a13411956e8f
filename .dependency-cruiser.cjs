// Who may import whom (docs/design.md, "Where things are"). Tests may reach further; cycles are for nobody.

const own = '^src/';
const test = '\\.test\\.ts$';

/** Modules of a folder may import these folders of ours (and their own), nothing else of ours. */
function only(folder, ...allowed) {
  const reachable = [folder, ...allowed].map((name) => `^src/${name}/`);
  return {
    name: `${folder}-imports-${allowed.length === 0 ? 'nothing-of-ours' : allowed.join('-')}-only`,
    severity: 'error',
    from: { path: `^src/${folder}/`, pathNot: test },
    to: { path: own, pathNot: reachable },
  };
}

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    { name: 'no-unresolved', severity: 'error', from: {}, to: { couldNotResolve: true } },
    only('core'),
    only('host', 'core'),
    only('spec', 'core'),
    only('plan', 'core'),
    only('tree', 'core'),
    only('qemu', 'core'),
    only('guest', 'core'),
    only('upstream', 'core'),
    only('iso', 'core'),
    only('installer', 'core'),
    only('trace', 'core'),
    only('chunks', 'core'),
    only('release', 'core'),
    only('deliver', 'core'),
    only('store', 'core', 'host'),
    only('serve', 'core', 'store', 'host'),
    only('kinds', 'core', 'tree', 'qemu', 'guest', 'upstream', 'iso', 'installer', 'chunks'),
    only('run', 'core', 'spec', 'plan', 'store', 'host', 'tree', 'qemu', 'guest', 'iso', 'trace'),
    only(
      'engine',
      'core',
      'cli',
      'spec',
      'plan',
      'run',
      'store',
      'serve',
      'host',
      'tree',
      'qemu',
      'guest',
      'upstream',
      'iso',
      'trace',
      'chunks',
      'release',
      'deliver',
    ),
    {
      name: 'cli-is-handed-the-engine',
      severity: 'error',
      from: { path: '^src/cli/', pathNot: test },
      to: { path: '^src/(kinds|engine)/' },
    },
    {
      name: 'only-main-starts-the-app',
      severity: 'error',
      from: { path: own, pathNot: ['^src/main\\.ts$', test] },
      to: { path: '^src/(app|main)\\.ts$' },
    },
    {
      name: 'only-host-spawns-and-connects',
      comment: 'Everything else takes the Host port from its context.',
      severity: 'error',
      from: { path: own, pathNot: ['^src/host/', test] },
      to: {
        path: [
          '^(node:)?(child_process|cluster|dgram|dns|http|http2|https|net|tls)(/promises)?$',
          '(^|/)node_modules/(execa|undici|@octokit)/',
        ],
        pathNot: ['^src/'],
      },
    },
    {
      name: 'only-host-and-store-open-files',
      comment: 'The store needs fsync, rename and directory handles in an order of its own.',
      severity: 'error',
      from: { path: own, pathNot: ['^src/(host|store)/', test] },
      to: { path: '^(node:)?fs(/promises)?$' },
    },
    {
      name: 'no-test-in-the-program',
      severity: 'error',
      from: { path: '^(src|tools)/', pathNot: test },
      to: { path: ['^test/', test] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'types', 'node', 'default'] },
  },
};
