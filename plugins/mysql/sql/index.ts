/** Reading SQL as MySQL and MariaDB do. */
export { SqlAnalyzer, type AnalyzerOptions, type SqlAnalysis, type SqlContext, type TableName } from './analysis.ts';
export { DEFAULT_MODE, type SqlMode } from './mode.ts';
export { mapSchemas, type SchemaMap } from './schema-map.ts';
export { SqlSession } from './session.ts';
export type { ReadsOnly, SqlEffect } from './statements.ts';
