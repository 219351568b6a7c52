export { alsCholesky, alsConjugateGradient, alsScratchBytes, gramChunk } from "./als";
export { factorCorner, factorPanels, mirrorPanels, solvePanels, sumPanelRows } from "./dense";
export { sumHistoryRows } from "./history";
export { nearestNeighbours, neighbourScratchBytes } from "./neighbours";
export { scoreFloat32, scoreInt8, topK } from "./score";
export { tallProduct } from "./tall-product";
export { attendRows, multiplyRows, normRows } from "./transformer";
export { attendWindows, attendWindowsBack, normRowsBack } from "./transformer-training";
