// The reference over a bucket's prefix: what its author would do about the pictures that are there already, its handler's
// code in a loop with two workers.
//
//   node backfill.mjs s3://BUCKET/PREFIX
import { ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { handler } from './handler.mjs';

const [, bucket, prefix] = process.argv[2].match(/^s3:\/\/([^/]+)\/(.*)$/);
const s3 = new S3Client({ forcePathStyle: Boolean(process.env.AWS_ENDPOINT_URL_S3) });

async function* keys() {
  for (let token; ; ) {
    const page = await s3.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, ContinuationToken: token }));
    for (const { Key } of page.Contents ?? []) yield Key;
    if (!(token = page.NextContinuationToken)) return;
  }
}

const queue = keys();
const worker = async () => {
  for await (const key of queue) {
    await handler({ Records: [{ s3: { bucket: { name: bucket }, object: { key: encodeURIComponent(key) } } }] });
  }
};
await Promise.all([worker(), worker()]);
