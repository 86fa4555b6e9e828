import type { Case, Section } from "./section.ts";

/** Texts that each character set of MySQL and MariaDB can hold. `binary` holds bytes. */
const texts: Record<string, string[]> = {
  armscii8: ["Հայ"],
  ascii: ["plain ~"],
  big5: ["Ω漢", "漢字カナ①"],
  cp1250: ["äé€ąęśľščťž"],
  cp1251: ["ПриветЂўЇ"],
  cp1256: ["سلام"],
  cp1257: ["äé€ąęśāčēģ"],
  cp850: ["áéñÅö"],
  cp852: ["ąęśěščřľťž"],
  cp866: ["Привет"],
  cp932: ["漢字カナ①ｶﾅ"],
  dec8: ["áéñŒÿ"],
  eucjpms: ["漢字カナ①ｶﾅ"],
  euckr: ["한글漢字"],
  gb2312: ["汉字Привет"],
  gbk: ["汉字漢字"],
  geostd8: ["ქართული"],
  greek: ["Ωμέγα"],
  hebrew: ["שלום"],
  hp8: ["áéñÅö"],
  keybcs2: ["ěščřľťž"],
  koi8r: ["Привет"],
  koi8u: ["ПриветЇ"],
  latin1: ["äé€ñŒÿ"],
  latin2: ["ąęśěščřž"],
  latin5: ["ğşıÅö"],
  latin7: ["ąęśāčēģÅö"],
  macce: ["ąęśāčēģěščř"],
  macroman: ["äé€ñŒÿ"],
  sjis: ["漢字カナｶﾅ"],
  swe7: ["ÄÖÅäöå"],
  tis620: ["ไทย"],
  ucs2: ["äΩ漢한ไท"],
  ujis: ["漢字カナｶﾅ"],
  utf16: ["ä😀漢"],
  utf16le: ["ä😀漢"],
  utf32: ["ä😀漢"],
  utf8mb3: ["äΩ漢한ไท"],
  utf8mb4: ["ä😀漢", "👩‍👧🇯🇵"],
};

/** Character sets of MySQL only. */
const ofMysql: Record<string, string[]> = { gb18030: ["汉字😀ä"] };

/** Character sets of TiDB. */
const ofTidb = ["ascii", "binary", "gbk", "latin1", "utf8mb3", "utf8mb4"];

/** @returns whether TiDB has the type, by its character set */
export function isOfTidb(type: string): boolean {
  const [, set = "utf8mb4"] = /CHARACTER SET (\w+)/.exec(type) ?? [];
  return ofTidb.includes(set);
}

/** The character sets that have cases. */
export const characterSets = [...Object.keys(texts), ...Object.keys(ofMysql), "binary"];

const varchar = ([set, held]: [string, string[]]): Case => [
  `VARCHAR(20) CHARACTER SET ${set}`,
  ...held.map((text) => `'${text}'`),
  "''",
  "'a '",
];

/**
 * Every text type, and VARCHAR in every character set: the answer is UTF-8 whatever the column's character
 * set is.
 */
export const characters: Section[] = [
  {
    name: "characters",
    cases: [
      ["CHAR(5)", "'a'", "'ä😀'", "''", "'a  '", "' a'"],
      ["CHAR(0)", "''"],
      ["VARCHAR(50)", "'ä😀'", "''", "'a  '", "'0'", "'null'"],
      // Quotes, a backslash, control characters, and the characters that once ended a line in JavaScript.
      [
        "VARCHAR(60) /* escapes */",
        "'\"\\'\\\\/'",
        "x'0001080a0d1a1f7f'",
        "_utf8mb4 x'e280a8e280a9c285efbbbf'",
        "_utf8mb4 x'65cc81'",
      ],
      ...["TINYTEXT", "TEXT", "MEDIUMTEXT", "LONGTEXT"].map((type): Case => [type, "'a'", "''", "'ä😀'"]),
      ["TEXT /* long */", "REPEAT('ä😀', 40)"],
    ],
  },
  {
    name: "character_sets",
    cases: [
      ...Object.entries(texts).map(varchar),
      ...["utf8mb4", "utf8mb3", "latin1", "sjis", "utf16", "utf32"].flatMap((set): Case[] => [
        [`CHAR(20) CHARACTER SET ${set}`, `'${texts[set]?.[0]}'`, "''"],
        [`TEXT CHARACTER SET ${set}`, `'${texts[set]?.[0]}'`, "''"],
        [`ENUM('a','${texts[set]?.[0]}') CHARACTER SET ${set}`, "2"],
      ]),
      ["VARCHAR(20) CHARACTER SET binary", "'ä'", "''"],
      ["CHAR(3) CHARACTER SET binary", "'a'"],
      ["TEXT CHARACTER SET binary", "'ä'", "''"],
      ["VARCHAR(20) COLLATE utf8mb4_bin", "'ä😀'"],
      ["VARCHAR(20) CHARACTER SET latin1 COLLATE latin1_bin", "'ä'"],
    ],
  },
  { name: "character_sets_of_mysql", only: ["mysql"], cases: Object.entries(ofMysql).map(varchar) },
];
