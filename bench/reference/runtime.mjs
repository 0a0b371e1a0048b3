// Lambda's runtime for Node.js, no more of it than the reference needs: take an invocation, call the handler, post what
// it returns. (AWS's own does more before its first poll, so this flatters the reference a little.)
import http from 'node:http';
import { handler } from './handler.mjs';

const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(':');
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

function call(method, path, body) {
  return new Promise((resolve, reject) => {
    const request = http.request({ agent, host, port, method, path: `/2018-06-01/runtime/invocation/${path}` }, (response) => {
      const parts = [];
      response.on('data', (part) => parts.push(part));
      response.on('end', () => resolve({ headers: response.headers, text: Buffer.concat(parts).toString() }));
    });
    request.on('error', reject);
    request.end(body);
  });
}

for (;;) {
  const invocation = await call('GET', 'next');
  const id = invocation.headers['lambda-runtime-aws-request-id'];
  const result = await handler(JSON.parse(invocation.text));
  await call('POST', `${id}/response`, JSON.stringify(result ?? null));
}
