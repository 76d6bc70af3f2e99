export { bootstrapClusters, type Interval } from "./cluster-bootstrap.ts";
export { rankArea } from "./rank-area.ts";
export { median, medianAbsoluteDeviation, quantile, selectKth } from "./select.ts";
export { type Share, wilsonShare } from "./wilson.ts";
