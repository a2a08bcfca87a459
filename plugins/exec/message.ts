/** What a program is told of a message, and how its answer changes that. See the README for the format. */
import { isUtf8 } from 'node:buffer';
import { formatEndpoint, z, type HttpRequest, type RequestContext } from 'tcpcopy/plugin';

const LONGEST_REASON = 80;
const LONGEST_DELAY_MS = 3_600_000;
/** Where a message ends follows from its body. */
const FRAMING = ['content-length', 'transfer-encoding'];

const fieldValues = z.union([z.string(), z.array(z.string()), z.null()]);
const ANSWER = z.strictObject({
  id: z.number(),
  drop: z.string().min(1).max(LONGEST_REASON).optional(),
  delay: z.number().min(0).max(LONGEST_DELAY_MS).optional(),
  method: z.string().optional(),
  target: z.string().optional(),
  headers: z.union([z.array(z.tuple([z.string(), z.string()])), z.record(z.string(), fieldValues)]).optional(),
  body: z.string().optional(),
  bodyBase64: z.base64().optional(),
  bytes: z.base64().optional(),
  // A program may print what it was given, changed: these are not looked at.
  protocol: z.unknown().optional(),
  connection: z.unknown().optional(),
  effect: z.unknown().optional(),
  version: z.unknown().optional(),
});

export type Answer = z.output<typeof ANSWER>;

/** `undefined`: it is none. */
export function parseAnswer(value: unknown): Answer | undefined {
  return ANSWER.safeParse(value).data;
}

/** The line a program is given, with its end. */
export function describeMessage(id: number, context: RequestContext<object>): string {
  const { protocol, connection, effect, piece } = context;
  const { client, server } = connection;
  const common = {
    id,
    protocol,
    connection: { client: formatEndpoint(client), server: formatEndpoint(server) },
    effect,
  };
  const request = httpRequest(context);
  const own =
    request === undefined
      ? {
          bytes: Buffer.from(piece.bytes.buffer, piece.bytes.byteOffset + piece.offset, piece.length).toString(
            'base64',
          ),
        }
      : {
          method: request.method,
          target: request.target,
          version: request.version,
          headers: [...request.headers],
          ...bodyOf(request),
        };
  return `${JSON.stringify({ ...common, ...own })}\n`;
}

/** Does to a message what an answer says; throws where that is not possible, and the message is then as it was. */
export function applyAnswer(answer: Answer, context: RequestContext<object>): void {
  const request = httpRequest(context);
  const before = request?.checkpoint();
  try {
    if (request === undefined) applyBytes(answer, context);
    else applyHttp(answer, request);
  } catch (error) {
    request?.revert(before!);
    throw error;
  }
  if (answer.delay !== undefined) context.delay(answer.delay);
  if (answer.drop !== undefined) context.drop(answer.drop);
}

function applyBytes({ bytes, ...answer }: Answer, context: RequestContext<object>): void {
  const { method, target, headers, body, bodyBase64 } = answer;
  if ([method, target, headers, body, bodyBase64].some((field) => field !== undefined)) {
    throw new TypeError('this is no HTTP request');
  }
  if (bytes === undefined) return;
  const replacement = Buffer.from(bytes, 'base64');
  const { piece } = context;
  if (!replacement.equals(piece.bytes.subarray(piece.offset, piece.offset + piece.length)))
    context.replace(replacement);
}

function applyHttp({ method, target, headers, body, bodyBase64, bytes }: Answer, request: HttpRequest): void {
  if (bytes !== undefined) throw new TypeError('an HTTP request is changed by method, target, headers and body');
  if (method !== undefined) request.method = method;
  if (target !== undefined) request.target = target;
  if (Array.isArray(headers)) replaceHeaders(request.headers, headers);
  else if (headers !== undefined) {
    for (const [name, values] of Object.entries(headers)) setHeader(request.headers, name, [values ?? []].flat());
  }
  const content = body === undefined ? bodyBase64 && Buffer.from(bodyBase64, 'base64') : Buffer.from(body);
  if (content !== undefined && content !== '' && !content.equals(request.body ?? Buffer.alloc(0)))
    request.body = content;
}

/** The fields are to be these; lines that are among them already keep their bytes. */
function replaceHeaders(headers: HttpRequest['headers'], wanted: readonly (readonly [string, string])[]): void {
  const byName = new Map<string, string[]>();
  for (const [name] of headers) byName.set(name.toLowerCase(), []);
  const spelling = new Map<string, string>();
  for (const [name, value] of wanted) {
    const key = name.toLowerCase();
    byName.set(key, [...(byName.get(key) ?? []), value]);
    if (!spelling.has(key)) spelling.set(key, name);
  }
  for (const [key, values] of byName) setHeader(headers, spelling.get(key) ?? key, values);
}

function setHeader(headers: HttpRequest['headers'], name: string, values: readonly string[]): void {
  if (FRAMING.includes(name.toLowerCase())) return;
  const present = headers.getAll(name);
  if (present.length === values.length && present.every((value, i) => value === values[i])) return;
  const [first, ...rest] = values;
  if (first === undefined) headers.delete(name);
  else headers.set(name, first);
  for (const value of rest) headers.add(name, value);
}

/** Neither field: the body is not held. */
function bodyOf({ body }: HttpRequest): { readonly body?: string; readonly bodyBase64?: string } {
  if (body === undefined) return {};
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.length);
  return isUtf8(bytes) ? { body: bytes.toString('utf8') } : { bodyBase64: bytes.toString('base64') };
}

function httpRequest({ protocol, message }: RequestContext<object>): HttpRequest | undefined {
  return protocol === 'http' ? (message as HttpRequest | undefined) : undefined;
}
