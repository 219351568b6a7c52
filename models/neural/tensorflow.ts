/** TensorFlow.js as a type, which loads nothing; `backend.ts` is what loads it. */
export type TensorFlow = typeof import("@tensorflow/tfjs");
