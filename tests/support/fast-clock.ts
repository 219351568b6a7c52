/** Preloaded into a process whose clock is to be an hour fast. */
const present = Date.now;
Date.now = () => present() + 3_600_000;
