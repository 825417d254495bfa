/** The walls of the house (docs: README, "Where things are"). */
module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'no-folder-cycles',
      comment: 'rooms are on floors (test/house/rooms.ts)',
      severity: 'error',
      scope: 'folder',
      from: { path: '^(libs|services)' },
      to: { circular: true },
    },
    {
      name: 'core-is-pure',
      comment: 'core knows no I/O: core and @noble/* only',
      severity: 'error',
      from: { path: '^libs/core' },
      to: { pathNot: '^(libs/core|node_modules/@noble/)' },
    },
    {
      name: 'till-is-pure',
      comment: "a till's own arithmetic runs on any till: core and itself only",
      severity: 'error',
      from: { path: '^libs/till' },
      to: { pathNot: '^(libs/till|libs/core)/' },
    },
    {
      name: 'adapters-do-not-import-services',
      severity: 'error',
      from: { path: '^libs/' },
      to: { path: '^services/' },
    },
    {
      name: 'services-never-one-another',
      severity: 'error',
      from: { path: '^services/([^/]+)/', pathNot: '^services/cli/start/start\\.ts$' },
      to: { path: '^services/', pathNot: '^services/$1/' },
    },
    { name: 'nothing-imports-tests', severity: 'error', from: { pathNot: '^test/' }, to: { path: '^test/' } },
    { name: 'no-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'require', 'node', 'default'] },
  },
};
