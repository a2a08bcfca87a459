import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';

/** `.ts` when this program runs from its sources. */
export const OWN_EXTENSION = extname(fileURLToPath(import.meta.url));
