// Run behind `janee run`: asks the proxy of its environment for a tunnel, says hello through it, and tells its end.
import { connect } from "node:net";

const { hostname, port, username, password } = new URL(process.env.HTTPS_PROXY);
const proof = Buffer.from(`${username}:${password}`).toString("base64");
const [authority] = process.argv.slice(2);
const socket = connect(Number(port), hostname);
socket.on("error", () => {});
socket.write(
  `CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\nProxy-Authorization: Basic ${proof}\r\n\r\n`,
);
socket.once("data", (bytes) => {
  console.log(bytes.toString("latin1").split(" ")[1]);
  socket.write("hello");
  socket.resume();
});
socket.once("close", () => {
  console.log("closed");
  process.exit(0);
});
