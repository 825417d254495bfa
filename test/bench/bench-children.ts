import { type ChildProcess, execFileSync, fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../../libs/adapters/codec/schema/project-root.ts';

/** Processes under way and how each is ended: with the bench, whatever ends it. Each also ends by itself where the bench is killed: its channel closes. */
const underWay = new Map<ChildProcess, () => void>();

/** Remembers a child until it has ended. */
export function watchChild(child: ChildProcess, end: () => void = () => void child.kill('SIGKILL')): void {
  underWay.set(child, end);
  child.once('exit', () => underWay.delete(child));
}

/** Ends each child that is left. */
export function endChildren(): void {
  for (const end of underWay.values()) end();
}

/** How a file of the bench is run: the compiled build, or the source. */
export interface BenchBuild {
  readonly root: string;
  /** Before the file. */
  readonly nodeArguments: readonly string[];
  /** The file to run of a module of the project: `test/bench/run-case`. */
  readonly fileOf: (module: string) => string;
}

/** Compiles the project unless the source is to be measured. Throws where it does not compile. */
export function buildForBench(options: { readonly source: boolean; readonly flags: readonly string[] }): BenchBuild {
  const root = projectRoot();
  if (options.source) {
    return { root, nodeArguments: options.flags, fileOf: (module) => join(root, `${module}.ts`) };
  }
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  try {
    execFileSync(process.execPath, [compiler, '-p', 'tsconfig.build.json'], { cwd: root, stdio: 'pipe' });
  } catch (error) {
    const said = error instanceof Error && 'stdout' in error ? String(error.stdout) : String(error);
    throw new Error(`npm run build fails; --source measures the source:\n${said}`);
  }
  return {
    root,
    nodeArguments: options.flags,
    fileOf: (module) => {
      const file = join(root, 'dist', `${module}.js`);
      if (!existsSync(file)) throw new Error(`the build has no ${file}`);
      return file;
    },
  };
}

/** Forks a module that ends when its channel closes. `end`: how it is ended with the bench. */
export function forkModule(
  module: string,
  request: unknown,
  build: BenchBuild,
  end?: (child: ChildProcess) => void,
): ChildProcess {
  const child = fork(build.fileOf(module), [JSON.stringify(request)], {
    execArgv: [...build.nodeArguments],
    env: { ...process.env, NODE_ENV: 'production' },
  });
  watchChild(child, end === undefined ? undefined : () => end(child));
  return child;
}
