/** HTTP/1.x for tcpcopy: both halves of the codec, and the messages that plugins see. */
export { detect, type Detection } from './detect.ts';
export type { HttpHeaders } from './headers.ts';
export { http as default } from './plugin.ts';
export type { HttpQuery } from './query.ts';
export type { HttpJson, JsonVerdict } from './json.ts';
export type { JsonPath } from './json-scan.ts';
export { HttpHead, HttpReading, HttpResponseHead } from './reading.ts';
export { HttpRequest } from './request.ts';
export { HttpRequestCodec, type HttpPiece } from './request-codec.ts';
export { HttpResponse, type ResponseEnd } from './response.ts';
export { HttpResponseCodec } from './response-codec.ts';
export { HttpResponseReader } from './response-reader.ts';
export { httpSettings, HttpStats, type HttpSettings } from './settings.ts';
