/**
 * The clients of `bench:serve`, in a process of their own: asks a URL in a closed loop and prints one line of JSON.
 * node serve-driver.js URL CONNECTIONS SECONDS KEY PATH…, where {n} in a path counts the requests up to the number after it:
 * /recommend?userId=u{n:500}
 */
import autocannon from "autocannon";

const [url, connections, seconds, key, path] = process.argv.slice(2);
const [, before, users] = /^(.*)\{n:(\d+)\}$/.exec(path) ?? [null, path, null];
const headers = { authorization: `Bearer ${key}` };
const requests = Array.from({ length: Number(users ?? 1) }, (_, n) => ({
  method: "GET" as const,
  path: users === null ? before : `${before}${n}`,
  headers,
}));
let next = 0;
const result = await autocannon({
  url,
  connections: Number(connections),
  duration: Number(seconds),
  // Every connection takes the next user, so that none is asked for twice before all were.
  setupClient: (client) => {
    client.setRequests([
      {
        ...requests[0],
        setupRequest: (request: autocannon.Request) => {
          next = (next + 1) % requests.length;
          return { ...request, path: requests[next].path };
        },
      },
    ]);
  },
});
const { latency, requests: counts, non2xx } = result;
const { p50, p99, max } = latency;
console.log(JSON.stringify({ perSecond: counts.average, total: counts.total, p50, p99, max, non2xx }));
