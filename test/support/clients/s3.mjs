// Run behind `janee run`: the AWS SDK as it is, with nothing said to it but what is in the environment.
import { DeleteObjectCommand, GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";

const client = new S3Client({
  endpoint: process.env.S3_AT,
  forcePathStyle: true,
  region: "us-east-1",
  maxAttempts: 1,
});
const place = { Bucket: "photos", Key: "a b+c/(d).txt" };
try {
  await client.send(new PutObjectCommand({ ...place, Body: "hello" }));
  const got = await client.send(new GetObjectCommand(place));
  await client.send(new DeleteObjectCommand(place));
  console.log(await got.Body.transformToString());
} catch (error) {
  console.log(`refused ${error.$metadata?.httpStatusCode ?? error.message}`);
}
