import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

/** A wire to Redis on which a test sees every message, and may keep one back. */
export interface Wire {
  readonly url: string;
  /** Called with every message from now on, in either direction; one that it returns false for is swallowed. */
  onMessage: (message: Buffer) => boolean;
  /** How long each reply of Redis is on its way, milliseconds. */
  delayMs: number;
  /** Ends every connection that there is at present; new ones are taken. */
  cut(): void;
  close(): Promise<void>;
}

export async function startWire(port: number): Promise<Wire> {
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(port, "127.0.0.1");
    for (const [from, to] of [
      [near, far],
      [far, near],
    ]) {
      sockets.add(from);
      from.setNoDelay(true);
      from.on("data", (message) => {
        if (!wire.onMessage(message)) return;
        if (from === near || wire.delayMs === 0) to.write(message);
        else setTimeout(() => to.write(message), wire.delayMs);
      });
      // Whatever ends one half ends the other: a killed process resets its connections.
      from.on("error", () => to.destroy());
      from.on("close", () => {
        sockets.delete(from);
        to.destroy();
      });
    }
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no free port");
  const wire: Wire = {
    url: `redis://127.0.0.1:${address.port}`,
    onMessage: () => true,
    delayMs: 0,
    cut() {
      for (const socket of sockets) socket.destroy();
    },
    async close() {
      wire.cut();
      server.close();
      await once(server, "close");
    },
  };
  return wire;
}

/** For `onMessage`: what subscribers are told gets lost, everything else passes. */
export function deafToAnnouncements(message: Buffer): boolean {
  return !message.includes("\r\nmessage\r\n");
}
