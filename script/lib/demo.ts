/** The demonstration: live where network namespaces can be made, with a bundled recording where not. */
import { labObstacle } from '../../test/e2e/lab/lab.ts';
import { demonstrateLive } from './demo-live.ts';
import { demonstrateRecording } from './demo-recording.ts';
import { say } from './demo-text.ts';

const obstacle = labObstacle();
if (obstacle === undefined) {
  await demonstrateLive();
} else {
  say(`No live demonstration here: ${obstacle}.`);
  say('Replaying a bundled recording through ordinary sockets instead (--target socket): this needs no root.');
  await demonstrateRecording();
}
