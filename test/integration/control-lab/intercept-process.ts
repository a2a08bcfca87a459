/** An intercept over memory in a process of its own, so that it can be stopped and continued. */
import { millis } from '../../../src/core/time.ts';
import { LabIntercept, type Response } from './lab.ts';

const lab = await LabIntercept.start({}, { peerTimeout: millis(600), leaseSilence: millis(2_000) });
process.on('message', (response: Response) => lab.respond(response));
process.on('disconnect', () => process.exit());
process.send!({ port: lab.intercept.port });
