import type { Redis } from "ioredis";
import { fromStore, toStore } from "../store-errors.ts";
import type { FleetLog, ReplicaReport } from "./types.ts";

/** A replica that has not spoken for so long has gone, seconds. */
const EXPIRY_SECONDS = 10;

const REPLICAS_KEY = "fleet:replicas";
const replicaKey = (replica: string): string => `fleet:${replica}`;

export function redisFleetLog(redis: Redis): FleetLog {
  return {
    async report(replica, { version, epoch, requests, errors, latency }) {
      const fields = { version, epoch, requests, errors, latency: JSON.stringify(latency) };
      const key = replicaKey(replica);
      const writing = redis.multi().sadd(REPLICAS_KEY, replica).hset(key, fields).expire(key, EXPIRY_SECONDS);
      await toStore("report to the fleet", writing.exec());
    },

    async reports() {
      const replicas = await fromStore("read fleet", redis.smembers(REPLICAS_KEY));
      const reports: ReplicaReport[] = [];
      for (const replica of replicas.sort()) {
        const fields = await fromStore("read fleet", redis.hgetall(replicaKey(replica)));
        if (fields.version === undefined) await toStore("forget replica", redis.srem(REPLICAS_KEY, replica));
        else reports.push(reportOf(fields));
      }
      return reports;
    },
  };
}

function reportOf({ version, epoch, requests, errors, latency }: Record<string, string>): ReplicaReport {
  return {
    version,
    epoch: Number(epoch),
    requests: Number(requests),
    errors: Number(errors),
    latency: JSON.parse(latency) as number[],
  };
}
