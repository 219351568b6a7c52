/** The real worker, except that its training processes know the fussy recipe. */
import closeWithGrace from "close-with-grace";
import { startWorker } from "../../jobs/worker.ts";

const worker = await startWorker({ trainingEntry: new URL("./fussy-training.js", import.meta.url) });
closeWithGrace({ delay: 10_000 }, () => worker.close());
