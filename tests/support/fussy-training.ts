/** A training's child process in which the fussy recipe is known too. */
import "./fussy-recipe.ts";

export { default } from "../../jobs/training/training-process.ts";
