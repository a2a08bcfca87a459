/** The native ring and raw sockets against a real kernel, in a namespace of its own. Needs root. */
import { describe } from 'vitest';
import { loadNative } from '../../src/native/load.ts';
import { isRoot, makeLab } from './io/lab.ts';
import { ringTests } from './io/ring-tests.ts';

const able = isRoot && loadNative().addon !== undefined;

describe.skipIf(!able)('ring source and raw sink', () => ringTests(() => makeLab('ring')));
