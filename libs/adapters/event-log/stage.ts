import type { StageDependencies, StageHandle, StageOptions } from './stage-program.ts';

/** Runs a stage: see StageProgram and design section 3. Being written: the signature is final. */
export async function runStage<Body>(
  _options: StageOptions,
  _dependencies: StageDependencies<Body>,
): Promise<StageHandle> {
  throw new Error('being written');
}
