export { createCloudApp } from "./cloud.ts";
export { createCloudletApp } from "./cloudlet.ts";
export { createKdcApp } from "./kdc.ts";
