/** What several command lines read alike. */
import { micros, type Duration } from '../core/time.ts';
import * as defaults from './defaults.ts';
import { parseDuration } from './quantity.ts';

/** What `parse` makes of an option that was given, else `fallback`. */
export function or<T, D>(text: string | undefined, fallback: D, parse: (text: string) => T): T | D {
  return text === undefined ? fallback : parse(text);
}

/** `0` turns the periodic lines off. */
export function parseSummaryInterval(text: string | undefined): Duration {
  if (text !== undefined && /^0+(s|ms)?$/.test(text.trim())) return micros(0);
  return or(text, defaults.SUMMARY_INTERVAL.default, (given) =>
    parseDuration('--summary-interval', given, 's', defaults.SUMMARY_INTERVAL),
  );
}
