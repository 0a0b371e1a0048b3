// The reference's part that computes, without S3 and Lambda: resizes a picture in memory when told to. One JSON line
// in, one out; ../compute speaks the same.
//
//   {"path":"a.jpg","mode":"inTurn","pictures":4,"inFlight":2,"animated":false,"keep":true}
//   {"wallMs":[…],"renditions":{"small":"<base64>",…}}
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { atOnce, inTurn, rendition } from './renditions.mjs';

const modes = { inTurn, atOnce };
let path, body;

async function answer({ path: wanted, mode, pictures, inFlight, animated, keep }) {
  if (wanted !== path) [path, body] = [wanted, readFileSync(wanted)];
  const renditions = {};
  const wallMs = [];
  let left = pictures;
  const worker = async () => {
    while (left-- > 0) {
      const start = performance.now();
      await modes[mode](async (size) => {
        renditions[size] = await rendition(body, size, animated);
      });
      wallMs.push(performance.now() - start);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  const out = { wallMs };
  if (keep) out.renditions = Object.fromEntries(Object.entries(renditions).map(([size, data]) => [size, data.toString('base64')]));
  return out;
}

for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await answer(JSON.parse(line))));
}
