/**
 * Options as people type them, with units: each takes a number or a text, from the command line and from a configuration
 * file alike. What they are is kept in the schema's metadata, where the loader and `tcpcopy plugins NAME` find it.
 */
import { z } from 'zod';
import { parseDuration, parsePercent, parseRate, parseSize } from '../config/quantity.ts';
import { TcpcopyError } from '../core/errors.ts';
import { parseCondition } from './condition.ts';
import { seconds, micros, toMillis } from '../core/time.ts';

const LONGEST = seconds(365 * 86_400);
const LARGEST = 2 ** 50;
const RATES = { min: 0.1, max: 1e9 };

const quantity = (kind: string, parse: (text: string) => number) =>
  z
    .union([z.number(), z.string()])
    .transform((value, context) => {
      try {
        return parse(String(value));
      } catch (error) {
        if (!(error instanceof TcpcopyError)) throw error;
        context.addIssue({ code: 'custom', message: error.message });
        return z.NEVER;
      }
    })
    .meta({ tcpcopy: kind });

export const option = {
  /** `10`, `10%`, `0.5%`: a number from 0 to 100. */
  percent: () => quantity('percent', (text) => parsePercent('', text, true)),

  /** `500ms`, `10s`, `5m`, `1h`, in milliseconds; a bare number counts milliseconds. */
  duration: () =>
    quantity('duration', (text) => toMillis(parseDuration('', text, 'ms', { min: micros(0), max: LONGEST }))),

  /** `500/s`, `30/m`, `100/h`, in events per second; a bare number counts per second. */
  rate: () => quantity('rate', (text) => parseRate('', text, RATES)),

  /** `512k`, `64M`, `1G`, in bytes; a bare number counts bytes. */
  size: () => quantity('size', (text) => parseSize('', text, 'b', { min: 0, max: LARGEST })),

  /** A condition on HTTP requests, as in `method == 'POST' && path ~ '^/api'`: docs/plugins/conditions.md. */
  condition: () =>
    z
      .string()
      .transform((text, context) => {
        try {
          return parseCondition(text);
        } catch (error) {
          context.addIssue({ code: 'custom', message: (error as Error).message });
          return z.NEVER;
        }
      })
      .meta({ tcpcopy: 'condition' }),

  /** A place in a JSON text (RFC 6901): `/user/name`, `/items/0`. */
  jsonPointer: () =>
    z
      .string()
      .regex(/^(\/([^~/]|~[01])*)*$/, 'is no JSON pointer: /user/name, /items/0')
      .meta({ tcpcopy: 'pointer' }),

  /**
   * A list of texts, none where it is not given, each as `read` makes something of it. One of which it makes `undefined` is
   * refused: "'text' " and `problem`.
   */
  each: <T>(
    read: (text: string) => T | undefined,
    problem: string,
  ): z.ZodType<readonly T[], readonly string[] | undefined> =>
    z
      .array(z.string().min(1))
      .default([])
      .transform((texts, context) =>
        texts.flatMap((text) => {
          const found = read(text);
          if (found !== undefined) return [found];
          context.addIssue({ code: 'custom', message: `'${text}' ${problem}` });
          return [];
        }),
      ),

  /** A text that is never printed: not in errors, not by `tcpcopy config print`. */
  secret: () => z.string().meta({ tcpcopy: 'secret' }),
};
