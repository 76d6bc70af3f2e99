// A synthetic register of patients for measuring research releases: `node scripts/make-microdata.mjs ROWS [SEED] > FILE.csv`,
// its schema with --schema. Nobody in it exists.
import { createRandom } from "../build/host/base/index.js";

const group = (name, ...children) => ({ name, children });
const SYMPTOMS = group(
  "any",
  group("heart", "I10", "I20", "I21", "I48", "I50"),
  group("lungs", "J18", "J20", "J44", "J45"),
  group("metabolism", "E10", "E11", "E66", "E78"),
  group("mind", "F10", "F20", "F32", "F41"),
  group("other", "C34", "C50", "K35", "M54", "N39", "S72"),
);
const CODES = SYMPTOMS.children.flatMap(({ children }) => children);
const DISTRICTS = Array.from({ length: 40 }, (_, i) => String(10 + i));
const POSTCODES = group(
  "any",
  ...DISTRICTS.map((district) =>
    group(
      `${district}***`,
      ...Array.from({ length: 25 }, (_, i) => `${district}${String(i * 4).padStart(3, "0")}`),
    ),
  ),
);
const BIRTHPLACES = [
  "AT",
  "CH",
  "CZ",
  "DE",
  "ES",
  "FR",
  "GB",
  "GR",
  "HR",
  "IT",
  "NL",
  "PL",
  "PT",
  "RO",
  "RS",
  "SY",
  "TR",
  "UA",
];
const MARITAL = group("any", "single", group("married once", "married", "separated", "divorced", "widowed"));

if (process.argv[2] === "--schema") {
  const quasi = (name, rest) => ({ name, role: "quasi-identifier", ...rest });
  const columns = [
    { name: "patient", role: "identifier" },
    quasi("age", { type: "numeric" }),
    quasi("sex", { type: "categorical" }),
    quasi("postcode", { type: "categorical", hierarchy: POSTCODES }),
    quasi("height_cm", { type: "numeric" }),
    quasi("weight_kg", { type: "numeric", round: 0.5 }),
    quasi("marital", { type: "categorical", hierarchy: MARITAL }),
    quasi("birthplace", { type: "categorical" }),
    quasi("admitted", { type: "date" }),
    { name: "diagnosis", role: "sensitive", type: "categorical", hierarchy: SYMPTOMS },
  ];
  process.stdout.write(`${JSON.stringify({ columns }, null, 2)}\n`);
} else {
  const rows = Number(process.argv[2] ?? 1_000_000);
  const random = createRandom(Number(process.argv[3] ?? 1), 7);
  const pick = (list, skew = 1) => list[Math.floor(list.length * random.uniform() ** skew)];
  let text = "patient,age,sex,postcode,height_cm,weight_kg,marital,birthplace,admitted,diagnosis\n";
  for (let i = 0; i < rows; i++) {
    const age = Math.min(104, Math.max(0, Math.round(48 + 23 * random.normal())));
    const sex = random.chance(0.52) ? "F" : "M";
    const height = Math.round(
      (sex === "F" ? 164 : 177) + 7 * random.normal() - (age < 16 ? 4 * (16 - age) : 0),
    );
    const weight = Math.max(3, (height / 100) ** 2 * (24 + 4 * random.normal())).toFixed(1);
    const marital =
      age < 18 ? "single" : pick(["married", "single", "divorced", "widowed", "separated"], 1.6);
    const day = new Date(Date.UTC(2024, 0, 1 + Math.floor(730 * random.uniform())))
      .toISOString()
      .slice(0, 10);
    const postcode = pick(pick(POSTCODES.children, 1.5).children);
    text += `p${i},${age},${sex},${postcode},${height},${weight},${marital},${pick(BIRTHPLACES, 4)},${day},${pick(CODES, 1.3)}\n`;
    if (text.length > 60_000) {
      if (!process.stdout.write(text)) {
        await new Promise((done) => process.stdout.once("drain", done));
      }
      text = "";
    }
  }
  process.stdout.write(text);
}
