export { alsCholesky, alsScratchBytes } from "./als";
export { alsConjugateGradient } from "./conjugate-gradient";
export { factorCorner, factorPanels, mirrorPanels, solvePanels, sumPanelRows } from "./dense";
export { gramChunk } from "./gram";
export { sumHistoryRows } from "./history";
export { nearestNeighbours, neighbourScratchBytes } from "./neighbours";
export { boundInt8, scoreFloat32, scoreRows, topK } from "./score";
export { attendRows, multiplyRows, normRows } from "./transformer";
