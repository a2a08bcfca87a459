/** `tcpcopy/testing`: for tests of plugins, in whatever framework. Semantic versioning holds as for `tcpcopy/plugin`. */
export type { FailureKind } from '../pipeline/error-policy.ts';
export type { Figure, HeldUp, PluginReport, SampledTime } from '../pipeline/plugin-record.ts';
export type { ConnectionBucket, UnitBucket } from '../report/ledger.ts';
export type { Bytes } from './bytes.ts';
export { codecChecks } from './conformance/codec-checks.ts';
export type { Check, CodecSpec, TriedConversation } from './conformance/codec-spec.ts';
export { ConformanceError } from './conformance/judge.ts';
export { optionsOf, refusalOf } from './plugin-options.ts';
export type { TestClock } from './test-clock.ts';
export type { TestConnection } from './test-connection.ts';
export { TestRun, type PluginGiven, type RunOptions, type RunResult } from './test-run.ts';
export type { SeenMessage } from './watched-pipeline.ts';
