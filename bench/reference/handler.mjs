// The handler that s3resizer replaces, in its strongest current form: the latest sharp, version 3 of the SDK with
// connections kept alive. REFERENCE=atOnce is the improvement within reach: the three sizes with Promise.all.
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { atOnce, inTurn, rendition } from './renditions.mjs';

const s3 = new S3Client({
  forcePathStyle: Boolean(process.env.AWS_ENDPOINT_URL_S3), // as any S3 that is not AWS's wants it
  requestHandler: { httpAgent: { keepAlive: true }, httpsAgent: { keepAlive: true } },
});
const each = process.env.REFERENCE === 'atOnce' ? atOnce : inTurn;

export async function handler(event) {
  const { bucket, object } = event.Records[0].s3;
  const key = decodeURIComponent(object.key.replace(/\+/g, ' '));
  const type = key.match(/\.([^.]*)$/)?.[1].toLowerCase();
  if (type !== 'jpg' && type !== 'png') {
    console.log(`Unsupported image type: ${type}`);
    return;
  }
  try {
    const source = await s3.send(new GetObjectCommand({ Bucket: bucket.name, Key: key }));
    const body = await source.Body.transformToByteArray();
    await each(async (size) => {
      const Body = await rendition(body, size);
      await s3.send(new PutObjectCommand({ Bucket: `${bucket.name}-resized`, Key: `${size}-${key}`, Body, ContentType: 'image' }));
    });
  } catch (error) {
    console.log(error);
  }
}
