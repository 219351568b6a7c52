export { alsCholesky, alsConjugateGradient, alsScratchBytes, gramChunk } from "./als";
export { factorCorner, factorPanels, mirrorPanels, solvePanels, sumPanelRows } from "./dense";
export { sumHistoryRows } from "./history";
export { nearestNeighbours, neighbourScratchBytes } from "./neighbours";
export { boundInt8, scoreFloat32, scoreRows, topK } from "./score";
export { attendRows, multiplyRows, normRows } from "./transformer";
