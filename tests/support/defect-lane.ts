/** A shadow lane's thread in which the planted recipes are known too. */
import "./planted-recipes.ts";

await import("../../jobs/shadow/lane-thread.ts");
