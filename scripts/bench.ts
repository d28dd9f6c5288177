import "../bench/main.ts";
