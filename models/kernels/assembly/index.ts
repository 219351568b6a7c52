export { alsCholesky, alsScratchBytes } from "./als";
export { alsConjugateGradient } from "./conjugate-gradient";
export { factorCorner, factorPanels, mirrorPanels, solvePanels, sumPanelRows } from "./dense";
export { gramChunk } from "./gram";
export { sumHistoryRows } from "./history";
export { nearestNeighbours, neighbourScratchBytes } from "./neighbours";
export { scoreFloat32, scoreInt8, topK } from "./score";
export { attendRows, multiplyRows, normRows } from "./transformer";
