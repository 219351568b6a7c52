import { type Child, type ChildPool, Worker } from "bullmq";

/** Private to BullMQ; read here alone. */
const CHILD_POOL = "childPool";

/**
 * A worker whose jobs run in child processes, and which survives whatever becomes of those. BullMQ 6.7 leaves two gaps:
 * - it waits for a child to be ready, or to close; but it stops listening at "exit", which comes before "close". The job
 *   of a child that dies before it is ready would stay active, its lock renewed, for as long as the worker lives.
 * - it does not look whether the order to start arrived. Sent to a child that is dead already, it would end the worker.
 * Either way the job has failed, and is tried again.
 */
export class ChildWorker<Payload> extends Worker<Payload> {
  /** Called by the constructor. */
  protected override createSandbox(processor: string): void {
    super.createSandbox(processor);
    watch(this[CHILD_POOL]);
  }
}

function watch(pool: ChildPool): void {
  const remove = pool.remove.bind(pool);
  const retain = pool.retain.bind(pool);
  const killedByPool = new WeakSet<Child>();
  const heeded = new WeakSet<Child>();
  // Called with a child that has exited, and with one that is about to be killed since nobody waits for it any more.
  pool.remove = (child) => {
    remove(child);
    if (!child.hasProcessExited()) killedByPool.add(child);
    else if (!killedByPool.has(child)) child.emit("close", child.exitCode, child.signalCode);
  };
  pool.retain = async (file) => {
    const child = await retain(file);
    if (heeded.has(child)) return child;
    heeded.add(child);
    const send = child.send.bind(child);
    // The exit of the child, which follows, says that it failed.
    child.send = (message) => send(message).catch(() => {});
    return child;
  };
}
