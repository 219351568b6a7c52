/** The real worker, except that its shadow lanes know the planted recipes. */
import closeWithGrace from "close-with-grace";
import { startWorker } from "../../jobs/worker.ts";

const worker = await startWorker({ laneEntry: new URL("./defect-lane.js", import.meta.url) });
closeWithGrace({ delay: 10_000 }, () => worker.close());
