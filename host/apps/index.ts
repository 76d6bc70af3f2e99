export { createCloudApp } from "./cloud.ts";
export { createCloudletApp } from "./cloudlet.ts";
export { readIdsParts } from "./ids-parts.ts";
export { createKdcApp } from "./kdc.ts";
export { type LaunchOptions, launchCloud, launchCloudlet, launchKdc } from "./launch.ts";
export { launchResearch } from "./launch-research.ts";
export { meshKeyFile, readMeshSettings } from "./mesh-settings.ts";
export { createResearchApp } from "./research.ts";
export { openResearchAccount, type ResearchAccount } from "./research-account.ts";
export {
  exampleEnvironment,
  readSettings,
  SETTINGS,
  type ServiceName,
  type SettingName,
  type Settings,
  settingsOf,
} from "./settings.ts";
